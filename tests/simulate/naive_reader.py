"""Read a simulated Postfix log the slow and simple way, to check that it tells the story of its outage.

One regular expression, one dictionary of live queue files. Knows only what this simulator writes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

LINE = re.compile(r"(?P<stamp>[\dT:.+-]+) (?P<host>\S+) \S*?/(?P<service>[\w/-]+)\[\d+\]: (?P<id>\w+): (?P<text>.*)$")
RESULT = re.compile(r"to=<(?P<to>.*?)>,(?: orig_to=<.*?>,)? relay=.* status=(?P<status>\w+) \((?P<reply>.*)\)$")
Story = dict[tuple[int, str], set[tuple[int | None, str]]]


@dataclass
class QueueFile:
    """One queue file: when it began, which one it came from, and the last word on each of its recipients."""

    born: int
    parent: "QueueFile | None" = None
    results: dict[str, tuple[str, int]] = field(default_factory=dict)


def read_postfix(lines: Iterable[str]) -> Story:
    """Return, by (arrival, final address in lower case), the (end, outcome) of all that was delivered or waits.

    `lines` of all hosts in RFC 3339. A hand-over to the filter is no outcome; what waits has no end.
    """
    live: dict[tuple[str, str], QueueFile] = {}
    every: list[QueueFile] = []
    for line in sorted(lines, key=lambda text: text.partition(" ")[0]):
        found = LINE.match(line)
        if not found or found["id"] == "NOQUEUE":
            continue
        at = int(datetime.fromisoformat(found["stamp"]).timestamp())
        key, text = (found["host"], found["id"]), found["text"]
        if text.startswith(("client=", "uid=")):
            live[key] = QueueFile(at)
            every.append(live[key])
            if former := re.search(r" orig_id=(\w+)", text):
                live[key].parent = live.pop((found["host"], former[1]))
        elif key not in live:
            continue  # a notice of non-delivery
        elif result := RESULT.match(text):
            _note(live, key, at, result)
        elif text.endswith("status=expired, returned to sender"):
            _lose(live[key], at)
        elif text == "removed":
            queue_file = live.pop(key)
            if found["service"] == "postsuper":
                _lose(queue_file, at)
    return _by_delivery(every)


def _note(live: dict[tuple[str, str], QueueFile], key: tuple[str, str], at: int, result: re.Match[str]) -> None:
    queue_file, status, reply = live[key], result["status"], result["reply"]
    next_id = re.search(r"queued as (\w+)$", reply)
    if next_id and ":10024," in result.string:
        same_name = {host: q for (host, name), q in live.items() if name == next_id[1] and q is not queue_file}
        following = same_name.get(key[0]) or next(iter(same_name.values()))
        following.parent = queue_file
        return
    word = {"sent": "delivered", "deferred": "pending"}.get(status)
    queue_file.results[result["to"].lower()] = (word or ("rejected_recipient" if "5.1.1" in reply else "lost"), at)


def _lose(queue_file: QueueFile, at: int) -> None:
    for to, (word, _) in queue_file.results.items():
        if word == "pending":
            queue_file.results[to] = ("lost", at)


def _by_delivery(every: list[QueueFile]) -> Story:
    told: Story = {}
    superseded = {id(q.parent) for q in every if q.parent}
    for queue_file in every:
        root = queue_file
        while root.parent:
            root = root.parent
        for to, (word, at) in queue_file.results.items():
            if word == "pending" and id(queue_file) in superseded:
                continue
            told.setdefault((root.born, to), set()).add((None if word == "pending" else at, word))
    return told
