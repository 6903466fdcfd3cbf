"""Postfix queue ids: short (microseconds and inode, in hexadecimal, reused) and long (seconds, microseconds, inode)."""

import heapq

SAFE = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"


def long_id(second: int, microsecond: int, inode: int) -> str:
    """Return a long queue id: base 52 seconds (6 places) and microseconds (4), `z`, base 51 inode."""
    return f"{_base(second, 52, 6)}{_base(microsecond, 52, 4)}z{_base(inode, 51, 1)}"


def _base(number: int, base: int, width: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, base)
        digits = SAFE[rest] + digits
    return digits.rjust(width, "0")


class QueueIds:
    """Gives out the queue ids of one host; short ones are now and then used again, an hour or more later.

    Two hosts may give out the same short id at the same time, unless they differ in `host_number`.
    """

    def __init__(self, *, is_long: bool, reuse_share: float, host_number: int = 0) -> None:
        self.is_long, self.reuse_share = is_long, reuse_share
        self.first_inode = 0x216000 + host_number * 0x50000
        self.freed: list[tuple[int, str]] = []
        self.given = 0

    def take(self, second: int, fraction: float) -> str:
        """Return an id for a queue file that begins at `second` + `fraction`."""
        self.given += 1
        microsecond = min(999_999, round(fraction * 1e6) + self.given % 9)
        inode = self.first_inode + (self.given * 7919) % 60_000
        if self.is_long:
            return long_id(second, microsecond, inode + self.given * 60_000)
        if (
            self.freed
            and self.freed[0][0] + 3600 < second
            and (self.given * 2654435761) % 1000 < self.reuse_share * 1000
        ):
            return heapq.heappop(self.freed)[1]
        return f"{microsecond:05X}{inode + (self.given // 60_000) * 0x100000:X}"

    def free(self, second: int, queue_id: str) -> None:
        """The queue file is gone: its short id may come back."""
        if not self.is_long and self.given % 5 == 0:
            heapq.heappush(self.freed, (second, queue_id))
