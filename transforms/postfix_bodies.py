"""The bodies of Postfix lines, `QUEUE_ID: <fact>`, cut apart: what the readers of Postfix's facts take and give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from transforms.dialect import Reading
from transforms.spans import ABSENT, Mask, Places, Spans

QUEUE_ID = r"^[0-9A-Za-z]{5,24}$"


@dataclass(frozen=True)
class Bodies:
    """Some of the opened `lines`: `rows` are their numbers in that frame, `text` is cut at `colon`."""

    lines: pl.DataFrame
    rows: Places
    text: Spans
    colon: Places

    @classmethod
    def of(cls, lines: pl.DataFrame) -> "Bodies":
        """Find the first `: ` of each line; a line without one has all of its text as queue id, and no fact."""
        text = Spans.of(lines["text"])
        colon = text.find(": ")
        return cls(lines, np.arange(lines.height), text, np.where(colon == ABSENT, text.end, colon))

    def __len__(self) -> int:
        """Return the number of bodies."""
        return len(self.rows)

    @property
    def queue_id(self) -> Spans:
        """What stands before the colon."""
        return self.text.cut(self.text.start, self.colon)

    @cached_property
    def queue_ids(self) -> pl.Series:
        """What stands before the colon, as a series."""
        return self.queue_id.series()

    @cached_property
    def fact(self) -> Spans:
        """What stands behind the colon."""
        return self.text.cut(np.minimum(self.colon + 2, self.text.end), self.text.end)

    def take(self, rows: Places) -> "Bodies":
        """Return some bodies, by their numbers among these, which ascend."""
        if len(rows) == len(self):
            return self
        return Bodies(self.lines, self.rows[rows], self.text.take(rows), self.colon[rows])

    def split(self, is_so: Mask) -> tuple["Bodies", "Bodies"]:
        """Return the bodies of which something is so, and those of which it is not."""
        return self.take(np.flatnonzero(is_so)), self.take(np.flatnonzero(~is_so))

    def without(self, rows: Places) -> "Bodies":
        """Return the bodies but for some, by their numbers among these."""
        is_left = np.ones(len(self), bool)
        is_left[rows] = False
        return self.take(np.flatnonzero(is_left))

    def dense(self) -> "Bodies":
        """Return the same bodies with their text in a block of its own."""
        text = self.text.dense()
        return Bodies(self.lines, self.rows, text, self.colon - self.text.start + text.start)

    def is_service(self, pattern: str) -> Mask:
        """Say which bodies were written by a service whose name matches a pattern."""
        return written_by(self.lines["service"], pattern)[self.rows]


@dataclass(frozen=True)
class Found:
    """What was made of some bodies: events as columns (without what every event has), or a reason to set them aside."""

    bodies: Bodies
    columns: Mapping[str, pl.Series]
    reason: str = ""


def as_reading(lines: pl.DataFrame, found: Sequence[Found]) -> Reading:
    """Put together what was made of the bodies of one chunk."""
    told = [f for f in found if len(f.bodies) and not f.reason]
    aside = [f for f in found if len(f.bodies) and f.reason]
    columns = pl.concat([pl.DataFrame(dict(f.columns)) for f in told], how="diagonal") if told else pl.DataFrame()
    head = lines.select("line_number", "logged_at", "host")[_rows(told)]
    reasons = [pl.Series("reason", [f.reason]).new_from_index(0, len(f.bodies)) for f in aside]
    set_aside = lines.select("line_number")[_rows(aside)]
    reason = pl.concat(reasons) if reasons else pl.Series("reason", [], pl.String)
    return Reading(head.hstack(columns), set_aside.with_columns(reason))


def written_by(services: pl.Series, pattern: str) -> Mask:
    """Say which services have a name that matches a pattern."""
    numbers = services.cast(pl.Categorical)
    names = numbers.unique()
    is_so = np.zeros(len(services), bool)
    for number in names.filter(names.cast(pl.String).str.contains(pattern)).to_physical():
        is_so |= numbers.to_physical().to_numpy() == number
    return is_so


def same(name: str, value: str, count: int) -> pl.Series:
    """Return a column that holds one value throughout."""
    return pl.Series(name, [value]).new_from_index(0, count)


def _rows(found: Sequence[Found]) -> Places:
    return np.concatenate([np.empty(0, np.int64), *(f.bodies.rows for f in found)])
