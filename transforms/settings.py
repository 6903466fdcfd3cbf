"""What was decided before anything was counted: the frozen settings that every transform takes.

Built once from the incident file (`mailtoll/incident.py`). All instants are UTC, all durations seconds.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Interval:
    """A span of time [start, end): start belongs to it, end does not."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Definition:
    """One way to count: a row of the grid without its segment."""

    unit: str
    threshold_seconds: int
    messages: str
    count: str


@dataclass(frozen=True)
class Settings:
    """The declared choices for one incident.

    `as_of` is the instant up to which the logs are complete. `bulk_senders` are shell patterns (`*`, `?`) of
    envelope senders, lower case. `placebo_windows` are the ordinary windows of the baseline, oldest first.
    """

    timezone: str
    window: Interval
    as_of: datetime
    placebo_windows: tuple[Interval, ...]
    local_domains: tuple[str, ...]
    bulk_senders: tuple[str, ...]
    thresholds_seconds: tuple[int, ...]
    headline: Definition
