"""The files of Exchange's message tracking: columns, header, rows, and rows that state nothing about a delivery."""

import csv
import io
from collections.abc import Mapping

from tests.simulate.line import Line
from tests.simulate.noise import seconds_of_noise
from tests.simulate.outage import Outage, instant

OLD_FIELDS = [
    "date-time",
    "client-ip",
    "client-hostname",
    "server-ip",
    "server-hostname",
    "source-context",
    "connector-id",
    "source",
    "event-id",
    "internal-message-id",
    "message-id",
    "recipient-address",
    "recipient-status",
    "total-bytes",
    "recipient-count",
    "related-recipient-address",
    "reference",
    "message-subject",
    "sender-address",
    "return-path",
    "message-info",
]
FIELDS = [
    *OLD_FIELDS[:11],
    "network-message-id",
    *OLD_FIELDS[11:],
    "directionality",
    "tenant-id",
    "original-client-ip",
    "original-server-ip",
    "custom-data",
]
HEADER = "#Software: Microsoft Exchange Server\r\n#Version: {version}\r\n#Log-type: Message Tracking Log\r\n"


def columns(host_number: int) -> list[str]:
    """Return the columns of a host: every other one is an older version with fewer, in an order of its own."""
    return FIELDS if host_number % 2 == 0 else [*OLD_FIELDS[:1], *reversed(OLD_FIELDS[1:])]


def csv_row(row: Mapping[str, object], names: list[str]) -> str:
    """Return the row without its stamp, which is the first column."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([row.get(name, "") for name in names[1:]])
    return text.getvalue()


def exchange_noise(outage: Outage, host: str) -> list[Line]:
    """Return rows that state no fact about a message's delivery; the last one is at `log_end`."""
    number = outage.hosts.index(host)
    other = {"server-hostname": host, "source": "SMTP", "event-id": "HADISCARD", "reference": "<old@example>"}
    mapi = {"server-hostname": host, "source": "STOREDRIVER", "event-id": "NOTIFYMAPI", "sender-address": "x@example"}
    rows = [csv_row(other, columns(number)), csv_row(mapi, columns(number))]
    times = [float(t) for t in seconds_of_noise(outage, host, 300)]
    return [Line(at, "exchange", number, rows[i % 2]) for i, at in enumerate([*times, float(outage.log_end)])]


def spell_exchange(lines: list[Line]) -> list[str]:
    """Return each row with its stamp."""
    spelled = []
    for line in lines:
        second, rest = divmod(round(line.at * 1000), 1000)
        spelled.append(f"{instant(second):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z,{line.text}")
    return spelled


def exchange_header(host_number: int, first_at: float) -> str:
    """Return the comment lines that open every file."""
    version = "15.01.2507.035" if host_number % 2 == 0 else "14.0.0.0"
    return (
        HEADER.format(version=version)
        + f"#Date: {instant(int(first_at)):%Y-%m-%dT%H:%M:%S}.000Z\r\n#Fields: {','.join(columns(host_number))}\r\n"
    )
