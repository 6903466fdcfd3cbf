"""How long were people down?

A person (an account, a mailbox) is down at threshold D while at least one of its messages is older than D and
undelivered: from arrival + D to its end, or to *as of*. Time down is the measure of the union of these spans: mail
that waits at the same time counts once. Counted is mail that arrived in the window, so that hours and heads are of the
same mail; it is followed for as long as it waits.

`late` takes mail that was delivered or is pending, `late_or_lost` also mail that was lost, until it was lost.
`lower` is what the log itself proves; `upper` adds unresolved mail, as if it waited still, and recipients that no
record knows, as persons of their own in any segment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from expectations.tables import COUNTS, DOWNTIME, HOURS, MESSAGES
from transforms.settings import Settings
from transforms.waits import ALL, STRANGER, UNITS, Numbers, Waits, late_mail, waits_of


@dataclass(frozen=True)
class Downtime:
    """Frames of HOURS (the grid) and DOWNTIME (every span, by the headline's definition)."""

    hours: pl.DataFrame
    spans: pl.DataFrame


def measure_hours(deliveries: pl.LazyFrame, segments: Sequence[str], settings: Settings) -> Downtime:
    """Measure time down from DELIVERIES; `segments` are those of the records, each of which gets its rows."""
    late = late_mail(deliveries, settings)
    hours, spans = [HOURS.empty()], [DOWNTIME.empty()]
    for unit in UNITS:
        waits = waits_of(late, unit, sorted(segments))
        hours.append(HOURS.conform(pl.DataFrame(list(_grid(waits, unit, settings)), infer_schema_length=None)))
        spans.append(DOWNTIME.conform(_spans(waits, unit, settings)))
    return Downtime(pl.concat(hours), pl.concat(spans))


def _grid(waits: Waits, unit: str, settings: Settings) -> Iterator[dict[str, object]]:
    """Yield the rows of HOURS for one unit."""
    for messages in MESSAGES:
        for count in COUNTS:
            possible = waits.chosen(messages, count)
            likely = possible & waits.is_resolved
            proven = likely & (waits.is_sender_known | (messages == "all"))
            covers = [
                _Cover.of(waits, chosen, until)
                for chosen, until in (
                    (likely, waits.until),
                    (proven, waits.proven_until),
                    (possible, waits.until),
                )
            ]
            for threshold in sorted(settings.thresholds_seconds):
                measured, lower, upper = (cover.seconds(waits, threshold) for cover in covers)
                people = covers[0].people(waits, threshold)
                stranger = waits.parts.index(STRANGER)
                for at, segment in enumerate(waits.parts):
                    if segment != STRANGER:
                        yield {
                            "unit": unit,
                            "threshold_seconds": threshold,
                            "messages": messages,
                            "count": count,
                            "segment": segment,
                            "people": people[at],
                            "measured_seconds": measured[at],
                            "lower_seconds": lower[at],
                            "upper_seconds": upper[at] + upper[stranger],
                        }


@dataclass(frozen=True)
class _Cover:
    """Waits that count, and how far the same person's earlier ones reach: the same for every threshold.

    One wait is new time down from max(arrival + D, all that came before) to its end. A wait shorter than D never
    reaches beyond a later one's arrival + D, so it may stay among those before.
    """

    rows: Numbers
    until: Numbers
    before: Numbers

    @classmethod
    def of(cls, waits: Waits, chosen: Numbers, until: Numbers) -> "_Cover":
        rows = np.flatnonzero(chosen)
        before = _reach_before(waits.person[rows], until[rows])
        is_new = until[rows] > before  # the others add nothing at any threshold
        return cls(rows[is_new], until[rows][is_new], before[is_new])

    def seconds(self, waits: Waits, threshold: int) -> Numbers:
        """Return time down by part."""
        start = np.maximum(waits.arrived[self.rows] + 1000 * threshold, self.before)
        return _by_part(waits, self.rows, np.maximum(self.until - start, 0) / 1000)

    def people(self, waits: Waits, threshold: int) -> Numbers:
        """Return persons with mail at least this late, by part: those that the grid of heads counts as late."""
        rows = self.rows[self.until >= waits.arrived[self.rows] + 1000 * threshold]
        rows = rows[np.diff(waits.person[rows], prepend=-1) != 0]
        return _by_part(waits, rows, np.ones(len(rows)))


def _by_part(waits: Waits, rows: Numbers, values: Numbers) -> Numbers:
    """Add up by part; `all`, the last, takes those of one segment from there, and no stranger."""
    sums = np.bincount(waits.part[rows], weights=values, minlength=len(waits.parts))
    is_known = waits.part[rows] != waits.parts.index(STRANGER)
    sums[waits.parts.index(ALL)] += values[waits.is_also_all[rows] & is_known].sum()
    return sums


def _reach_before(person: Numbers, until: Numbers) -> Numbers:
    """Return, for rows sorted by person, the latest end among the same person's earlier rows; none: before all time.

    Every person gets a stretch of the number line to itself, so that one running maximum serves all of them.
    """
    if len(until) == 0:
        return until
    first, length = int(until.min()), int(until.max() - until.min()) + 1
    shift = person.astype(np.int64) * length - first
    reach = np.maximum.accumulate(until + shift)
    before = np.concatenate([[-1], reach[:-1]]) - shift
    return np.where(before < first, np.iinfo(np.int64).min // 2, before)


def _spans(waits: Waits, unit: str, settings: Settings) -> pl.DataFrame:
    """Return every person's spans of time down by the headline's definition."""
    chosen = settings.headline
    threshold = 1000 * chosen.threshold_seconds
    counts = waits.chosen(chosen.messages, chosen.count) & waits.is_resolved & (waits.until > waits.arrived + threshold)
    rows = np.flatnonzero(counts & (waits.part < waits.parts.index(STRANGER)))
    start = waits.arrived[rows] + threshold
    is_first = start > _reach_before(waits.person[rows], waits.until[rows])
    firsts = np.flatnonzero(is_first)
    ends = np.maximum.reduceat(waits.until[rows], firsts) if len(firsts) else waits.until[rows]
    return pl.DataFrame(
        {
            "entity_id": waits.entity_id.gather(rows[firsts]).cast(pl.String),
            "segment": pl.Series(waits.parts, dtype=pl.String).gather(waits.part[rows][firsts]),
            "start_at": _instants(start[firsts]),
            "end_at": _instants(ends),
        }
    ).with_columns(pl.lit(unit).alias("unit"))


def _instants(milliseconds: Numbers) -> pl.Series:
    return pl.Series(milliseconds, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
