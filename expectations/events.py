"""What the parsed log facts must hold before anything is stitched from them."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Count, run_counts
from expectations.tables import EVENTS
from expectations.wording import counted

_REMEDY = "Remove the run's folder and run again; if it stays, report it as a bug of the dialect with the file's name."

# Kinds that make no sense without the queue file that they are about: they would be dropped by every join.
_MEASURES = ("events", "attempts", "silent", "nameless")
_ABOUT_A_QUEUE_FILE = ("arrived", "named", "queued", "accepted", "attempted", "removed", "snapshot")


def gates_on_events(event_files: Sequence[Path]) -> pl.DataFrame:
    """Return GATES rows on all events of the incident; `event_files` are Parquet files of EVENTS, one per log file.

    The key is not checked: a hostile or clumsy line may name one recipient twice, and stitching counts it once.
    """
    if not has_declared_types(event_files, EVENTS):
        return check_declared(event_files, EVENTS, _REMEDY, key_severity=None)
    found = [_measure(path) for path in event_files]
    measures = {name: sum(one[name] for one in found) for name in _MEASURES}
    if not measures["attempts"]:
        return run_counts([_no_mail(measures["events"])])
    declared = check_declared(event_files, EVENTS, _REMEDY, key_severity=None)
    seen = f" among {counted(measures['events'], 'event')}"

    def count(gate: str, measure: str, noun: str, rest: str) -> Count:
        value = measures[measure]
        observed = counted(value, noun, rest) + seen
        return Count(gate, "events", "fail", value, 0, observed, "none (fixed)", _REMEDY)

    counts = [
        count("attempts_say_how_they_went", "silent", "delivery attempt", "without a status or recipient"),
        count("events_name_their_queue_file", "nameless", "event", "without a queue file"),
    ]
    return pl.concat([declared, run_counts(counts)])


def _no_mail(events: int) -> Count:
    return Count(
        gate="logs_hold_mail",
        subject="events",
        severity="fail",
        value=1,
        maximum=0,
        observed=f"no line of the logs tells of an attempt to deliver mail; {counted(events, 'other fact')} found",
        limit="at least one attempt (fixed)",
        remedy="Check which files `logs:` names, and their `format:`; the report says whose lines each holds.",
    )


def _measure(path: Path) -> dict[str, int]:
    kind = pl.col("kind")
    is_attempt = kind == "attempted"
    counts = (
        pl.scan_parquet(path)
        .select(
            pl.len().alias("events"),
            is_attempt.sum().alias("attempts"),
            (is_attempt & (pl.col("status").is_null() | pl.col("recipient").is_null())).sum().alias("silent"),
            (kind.is_in(_ABOUT_A_QUEUE_FILE) & pl.col("queue_id").is_null()).sum().alias("nameless"),
        )
        .collect(engine="streaming")
    )
    return counts.row(0, named=True)
