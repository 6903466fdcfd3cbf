"""Read simulated Exim, Sendmail and Exchange logs the slow and simple way, to check that they tell their outage."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from tests.simulate.naive_reader import Story

ARROW = re.compile(r"^(\S+ \S+) (\w+-\w+-\w\w) (<=|=>|->|==|\*\*) (\S+)(?: <(\S+)>)?(.*)$")
REMOVED = re.compile(r"^(\S+ \S+) (\w+-\w+-\w\w) removed by root$")
TO = re.compile(
    r"to=(?P<to>.*?),(?: ctladdr=<(?P<by>.*?)> \(8/0\),)? (?:ctladdr=\S+ \(1000/1000\), )?delay=.* stat=(?P<stat>.*)$"
)
Ends = dict[tuple[str, str], tuple[int, str]]


def read_exim(lines: Iterable[str], mailbox_of: Mapping[str, str]) -> Story:
    """Read Exim main logs in UTC without zone, pid and milliseconds, as the dialects `exim` and `exim-local` have.

    A local delivery names only the address as written: `mailbox_of` tells its mailbox.
    """
    born: dict[str, int] = {}
    ends: Ends = {}
    for line in lines:
        if gone := REMOVED.match(line):
            _lose(ends, gone[2], _second(gone[1]))
        elif found := ARROW.match(line):
            stamp, queue_id, arrow, to, original, rest = found.groups()
            at, whom = _second(stamp), (to if "@" in to else original or to).rstrip(":").lower()
            whom = mailbox_of.get(whom, whom)
            if arrow == "<=":
                if not rest.startswith(" R="):  # a notice of non-delivery refers to its message
                    born[queue_id] = at
            elif arrow == "**":
                is_unknown = "Unrouteable" in rest or "5.1.1" in rest
                ends[queue_id, whom] = (at, "rejected_recipient" if is_unknown else "lost")
            elif queue_id in born:
                ends[queue_id, whom] = (at, "pending" if arrow == "==" else "delivered")
    return _story(born, ends)


def read_sendmail(lines: Iterable[str], year: int) -> Story:
    """Read Sendmail logs in UTC, sorted by time within each host."""
    born: dict[str, int] = {}
    ends: Ends = {}
    for line in lines:
        found = re.match(r"(\w{3} [ \d]\d \S+) \S+ (?:sm-mta|sendmail)\[\d+\]: (\w{14}): (.*)$", line)
        if not found:
            continue
        stamp, queue_id, text = found.groups()
        at = int(datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC).timestamp())
        if text.startswith("from=") and "nrcpts=0" not in text:
            born.setdefault(queue_id, at)
        elif ": return to sender: " in text:
            _lose(ends, queue_id, at)
        elif (told := TO.match(text)) and queue_id in born:
            next_leg = re.match(r"Sent \((\w{14}) Message accepted", told["stat"])
            if next_leg:
                born[next_leg[1]] = born[queue_id]
                continue
            word = "delivered" if told["stat"].startswith("Sent") else "lost"
            word = "pending" if told["stat"].startswith("Deferred") else word
            word = "rejected_recipient" if told["stat"] == "User unknown" else word
            for to in told["to"].split(","):
                ends[queue_id, to.strip("<>").lower()] = (at, word)
    return _story(born, ends)


def read_exchange(rows: Iterable[Sequence[dict[str, str]]]) -> Story:
    """Read message tracking rows of all hosts."""
    born: dict[str, int] = {}
    ends: Ends = {}
    for row in sorted((row for host in rows for row in host), key=lambda row: row["date-time"]):
        at, name = int(datetime.fromisoformat(row["date-time"]).timestamp()), row["message-id"]
        event, whom = row["event-id"], row["recipient-address"].lower().split(";")
        if event == "RECEIVE":
            born.setdefault(name, at)
        word = {"DELIVER": "delivered", "DEFER": "pending", "SEND": "delivered", "SENDEXTERNAL": "delivered"}.get(event)
        if event == "FAIL":
            word = "rejected_recipient" if "5.1.1" in row["recipient-status"] else "lost"
        if word and name in born and "Intra-Organization" not in row["connector-id"]:
            ends.update({(name, to): (at, word) for to in whom})
    return _story(born, ends)


def exchange_rows(header: str, lines: Iterable[str]) -> list[dict[str, str]]:
    """Return rows as dictionaries, by the `#Fields:` line of the header."""
    names = header.split("#Fields: ")[1].strip().split(",")
    return [dict(zip(names, row, strict=True)) for row in csv.reader(lines)]


def _second(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp())


def _lose(ends: Ends, queue_id: str, at: int) -> None:
    for (name, to), (_, word) in list(ends.items()):
        if name == queue_id and word == "pending":
            ends[name, to] = (at, "lost")


def _story(born: dict[str, int], ends: Ends) -> Story:
    story: Story = {}
    for (queue_id, to), (at, word) in ends.items():
        if queue_id in born:
            story.setdefault((born[queue_id], to), set()).add((None if word == "pending" else at, word))
    return story
