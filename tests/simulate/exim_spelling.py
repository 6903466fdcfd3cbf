"""The stamps of Exim's main log, and what else stands in it."""

from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.simulate.exim import EximOptions
from tests.simulate.line import Line
from tests.simulate.noise import seconds_of_noise
from tests.simulate.outage import Outage, instant

NOISE = (
    "no host name found for IP address 203.0.113.77",
    "H=(elsewhere.example) [203.0.113.77]:4021 F=<spam@elsewhere.example> rejected RCPT <x@elsewhere.example>: relay"
    " not permitted",
    "dovecot_login authenticator failed for (x) [203.0.113.77]:4022: 535 Incorrect authentication data (set_id=x)",
    "TLS error on connection from [203.0.113.77]:4023 (SSL_accept): error:00000000",
    "SMTP connection from [203.0.113.77]:4024 lost (error: Connection reset by peer)",
    "unexpected disconnection while reading SMTP command from (=> x) [203.0.113.77]:4025 D=1s",
    "Start queue run: pid=9001",
    "End queue run: pid=9001",
)


def exim_noise(outage: Outage, host: str) -> list[Line]:
    """Return lines of Exim's main log that state no fact about mail; the last one is at `log_end`."""
    times = seconds_of_noise(outage, host, 300)
    said = [Line(at + 0.5, "exim", 9001, NOISE[place % len(NOISE)]) for place, at in enumerate(times)]
    return [*said, Line(float(outage.log_end), "exim", 9001, "End queue run: pid=9001")]


def spell_exim(lines: list[Line], zone: str, options: EximOptions) -> list[str]:
    """Return each line with its stamp in local time of `zone`."""
    place = ZoneInfo(zone)

    @lru_cache(maxsize=4096)
    def clock(second: int) -> tuple[str, str]:
        local = instant(second).astimezone(place)
        return f"{local:%Y-%m-%d %H:%M:%S}", f" {local:%z}" if options.with_zone else ""

    spelled = []
    for line in lines:
        second, rest = divmod(round(line.at * 1000), 1000)
        stamp, offset = clock(second)
        millis = f".{rest:03d}" if options.with_millis else ""
        pid = f" [{line.pid}]" if options.with_pid else ""
        spelled.append(f"{stamp}{millis}{offset}{pid} {line.text}")
    return spelled
