"""How often a host writes: what its own log says about how soon a silence of it should have ended.

A host's minutes are taken as a chain of two states, writing and silent. What counts is how often a silent minute is
followed by one with lines: a host whose mail comes in bursts, or that sleeps at night, ends its silences seldom, and
a long one proves little; a busy host ends them within a minute or two. Minutes are whole numbers since the epoch; an
interval [start, end) is two of them, and arrays of starts and ends are many intervals.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Minutes = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Host:
    """When one host wrote: `active` are its minutes with lines, rising; `lines` how many in each."""

    active: Minutes
    lines: Minutes

    @cached_property
    def resumptions(self) -> Minutes:
        """The active minutes that follow a silent one."""
        return self.active[1:][np.diff(self.active) > 1]

    def silences(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return its longest possible silences [a, b) inside [start, end), in order."""
        inside = self.active[np.searchsorted(self.active, start) : np.searchsorted(self.active, end)]
        edges = np.concatenate(([start - 1], inside, [end]))
        return [(int(edges[i]) + 1, int(edges[i + 1])) for i in np.flatnonzero(np.diff(edges) > 1)]

    def minutes_written(self, start: Any, end: Any) -> Any:
        """Return in how many minutes of each interval it wrote."""
        return np.searchsorted(self.active, end) - np.searchsorted(self.active, start)

    def silent_and_resumed(self, start: Minutes, end: Minutes) -> tuple[Minutes, Minutes]:
        """Return for each interval its silent minutes, and how many of them were followed by one with lines."""
        silent = end - start - self.minutes_written(start, end)
        upto, since = np.maximum(end, start + 1), start + 1
        return silent, np.searchsorted(self.resumptions, upto) - np.searchsorted(self.resumptions, since)

    def hazard(self, start: Minutes, end: Minutes) -> tuple[Shares, Minutes]:
        """Return for each interval P(a silent minute is followed by one with lines), and the observations it rests on.

        One pseudo-observation at the plain rate of writing keeps a short or an always busy interval from certainty.
        """
        silent, resumed = self.silent_and_resumed(start, end)
        rate = (end - start - silent) / (end - start + 1)
        return (resumed + rate) / (silent + 1), silent + 1

    def lines_per_minute(self, start: Minutes, end: Minutes, quantile: float) -> float:
        """Return a low quantile of its lines per minute over some intervals, silent minutes included; 0 for none."""
        parts = []
        for first, last in zip(start, end, strict=True):
            inside = self.lines[np.searchsorted(self.active, first) : np.searchsorted(self.active, last)]
            parts += [inside, np.zeros(last - first - len(inside), dtype=np.int64)]
        every = np.concatenate(parts)
        return float(np.quantile(every, quantile, method="lower")) if len(every) else 0.0
