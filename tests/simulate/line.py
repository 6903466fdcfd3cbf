"""One log line before it is spelled: when, which host, which program, and what it says."""

from typing import NamedTuple


class Line(NamedTuple):
    """`at` is Unix seconds with a fraction; lines of a host sort by it, and equal stamps keep their order."""

    at: float
    service: str
    pid: int
    text: str


class Desk:
    """Collects the lines of one message, so that no line comes before the arrival that it belongs to.

    Every line of a message carries the message's own fraction of a second plus its place within that second: the
    delay between its first and its last line is never less than the whole seconds between them, and less than one
    second more. Lines at or after `end` are dropped: the log stops there.
    """

    def __init__(self, hosts: tuple[str, ...], end: int) -> None:
        self.lines: dict[str, list[Line]] = {host: [] for host in hosts}
        self.end = end
        self.fraction = 0.0
        self.second = 0
        self.place = 0

    def begin(self, fraction: float) -> None:
        """Begin a message."""
        self.fraction, self.second, self.place = fraction, 0, 0

    def write(self, host: str, at: int, service: str, pid: int, text: str) -> None:
        """Add one line; the first two of a second share their stamp (a client connects and is given a queue id)."""
        if at >= self.end:
            return
        if at != self.second:
            self.second, self.place = at, 0
        offset = self.fraction + min(max(0, self.place - 1), 45) * 0.01
        self.place += 1
        self.lines[host].append(Line(at + offset, service, pid, text))
