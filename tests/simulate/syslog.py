"""The spellings of a syslog line: RFC 3164, RFC 3339, RFC 5424, journald's JSON, and Postfix's own postlogd."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from tests.simulate.line import Line
from tests.simulate.outage import instant

Spelling = Literal["rfc3164", "rfc3339", "rfc5424", "rfc5424-bare", "journald", "postlogd"]


def spell(lines: Iterable[Line], host: str, spelling: Spelling, zone: str = "UTC") -> Iterator[str]:
    """Yield each line as its text without a newline. `zone` is that of local stamps, or of the offset."""
    clock = _clock(zone)
    return (_SPELLINGS[spelling](line, host, clock) for line in lines)


Clock = Callable[[int], tuple[str, str, str, str]]


def _clock(zone: str) -> Clock:
    place = ZoneInfo(zone)

    @lru_cache(maxsize=4096)
    def read(second: int) -> tuple[str, str, str, str]:
        moment = instant(second).astimezone(place)
        offset = moment.strftime("%z")
        day = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"
        return day, f"{moment:%b %d %H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%S}", f"{offset[:3]}:{offset[3:]}"

    return read


def _split(at: float) -> tuple[int, int]:
    microseconds = round(at * 1e6)
    return divmod(microseconds, 1_000_000)


def _rfc3164(line: Line, host: str, clock: Clock) -> str:
    return f"{clock(int(line.at))[0]} {host} {line.service}[{line.pid}]: {line.text}"


def _postlogd(line: Line, host: str, clock: Clock) -> str:
    return f"{clock(int(line.at))[1]} {host} {line.service}[{line.pid}]: {line.text}"


def _rfc3339(line: Line, host: str, clock: Clock) -> str:
    second, rest = _split(line.at)
    _, _, stamp, offset = clock(second)
    return f"{stamp}.{rest:06d}{offset} {host} {line.service}[{line.pid}]: {line.text}"


def _rfc5424(line: Line, host: str, clock: Clock) -> str:
    second, rest = _split(line.at)
    _, _, stamp, offset = clock(second)
    offset = "Z" if offset == "+00:00" else offset
    return f"<22>1 {stamp}.{rest:06d}{offset} {host} {line.service} {line.pid} - - {line.text}"


def _rfc5424_bare(line: Line, host: str, clock: Clock) -> str:
    return _rfc5424(line._replace(service=line.service.partition("/")[0]), host, clock)


def _journald(line: Line, host: str, clock: Clock) -> str:
    second, rest = _split(line.at)
    return json.dumps(
        {
            "__CURSOR": f"s=6a1f;i={second:x}{rest:05x}",
            "__REALTIME_TIMESTAMP": f"{second}{rest:06d}",
            "_TRANSPORT": "syslog",
            "PRIORITY": "6",
            "SYSLOG_FACILITY": "2",
            "SYSLOG_IDENTIFIER": line.service,
            "SYSLOG_PID": str(line.pid),
            "_PID": str(line.pid),
            "_HOSTNAME": host,
            "MESSAGE": line.text,
        },
        separators=(", ", ": ") if line.pid % 2 else (",", ":"),
    )


_SPELLINGS: dict[str, Callable[[Line, str, Clock], str]] = {
    "rfc3164": _rfc3164,
    "rfc3339": _rfc3339,
    "rfc5424": _rfc5424,
    "rfc5424-bare": _rfc5424_bare,
    "journald": _journald,
    "postlogd": _postlogd,
}
