"""The bodies of Postfix lines, `QUEUE_ID: <fact>`, cut apart: what the readers of Postfix's facts take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from transforms.dialect import Reading
from transforms.spans import ABSENT, Mask, Places, Spans

QUEUE_ID = r"^[0-9A-Za-z]{5,24}$"
HEAD = ("line_number", "logged_at", "host")


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

    @property
    def fact(self) -> Spans:
        """What stands behind the colon."""
        return self.text.cut(np.minimum(self.colon + 2, self.text.end), self.text.end)

    def take(self, which: Places | Mask) -> "Bodies":
        """Return some bodies, by number among these or by mask."""
        return Bodies(self.lines, self.rows[which], self.text.take(which), self.colon[which])

    def without(self, which: Places) -> "Bodies":
        """Return the bodies but for some, by number among these."""
        if len(which) == len(self):
            return self.take(which[:0])
        is_left = np.ones(len(self), bool)
        is_left[which] = False
        return self.take(is_left)

    def dense(self) -> "Bodies":
        """Return the same bodies with their text in a block of its own."""
        text = self.text.dense()
        return Bodies(self.lines, self.rows, text, self.colon - self.text.start + text.start)

    def head(self) -> pl.DataFrame:
        """Return `line_number`, `logged_at`, `host` and `queue_id`."""
        return self.lines.select(HEAD)[self.rows].with_columns(self.queue_id.series().alias("queue_id"))

    def is_service(self, pattern: str) -> Mask:
        """Say which bodies were written by a service whose name matches a pattern."""
        service = self.lines["service"].cast(pl.Categorical)
        names = service.unique()
        is_so = np.zeros(len(self), bool)
        for number in names.filter(names.cast(pl.String).str.contains(pattern)).to_physical():
            is_so |= service.to_physical().to_numpy()[self.rows] == number
        return is_so

    def set_aside(self, reason: str) -> pl.DataFrame:
        """Return `line_number, reason` of all of them."""
        return self.lines.select("line_number")[self.rows].with_columns(pl.lit(reason).alias("reason"))


def joined(readings: Sequence[Reading]) -> Reading:
    """Put readings of one chunk together."""
    events = [r.events for r in readings if r.events.height]
    return Reading(
        pl.concat(events, how="diagonal") if events else pl.DataFrame(schema={"line_number": pl.Int64}),
        pl.concat([r.aside for r in readings]),
    )
