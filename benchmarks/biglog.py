"""Write a mail log of any size, quickly, with its customer records and incident file: for timing, not for truth.

    python -m benchmarks.biglog FOLDER --megabytes 390 --server exim

It is what one host writes in a week; on the fourth day a mailing house floods the store, whose deliveries are then
deferred and tried again. The same messages in the words of Postfix or of Exim; the same arguments give the same bytes.
`truth.json` holds the few totals that come for free.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from benchmarks.wordings import DAY, WORDINGS, Mail, Wording

DAYS = 7
FLOOD = (3 * DAY + 8 * 3600, 4 * DAY)
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 7, 11, 13, 13, 12, 11, 12, 12, 11, 10, 8, 7, 6, 6, 5, 4, 3], float)
CHUNK_BYTES = 8_000_000


@dataclass
class Totals:
    """What the log holds: `late_3600` deliveries took an hour or more, all of them in the end delivered."""

    bytes: int = 0
    lines: int = 0
    messages: int = 0
    deliveries: int = 0
    late_3600: int = 0


def write_big_log(
    folder: Path,
    megabytes: float,
    *,
    server: str = "postfix",
    seed: int = 1,
    mailboxes: int = 40_000,
    host: str = "mx1",
) -> Totals:
    """Write logs/<host>/… of about `megabytes`, customers.csv, incident.yaml and truth.json into `folder`."""
    words = WORDINGS[server]
    log = folder / "logs" / host / words.file
    log.parent.mkdir(parents=True, exist_ok=True)
    totals = Totals()
    with log.open("wb") as file:
        chunk: list[str] = []
        size = 0
        for text in _seconds(int(megabytes * 1e6 / words.bytes_per_message), seed, mailboxes, host, words, totals):
            chunk.append(text)
            size += len(text)
            if size > CHUNK_BYTES:
                _flush(file, chunk, totals)
                size = 0
        _flush(file, chunk, totals)
    _write_records(folder / "customers.csv", mailboxes)
    (folder / "incident.yaml").write_text(INCIDENT.format(host=host, file=words.file), encoding="utf-8")
    (folder / "truth.json").write_text(json.dumps(asdict(totals)), encoding="utf-8")
    return totals


def _flush(file: BinaryIO, chunk: list[str], totals: Totals) -> None:
    content = "".join(chunk).encode("ascii")
    file.write(content)
    totals.bytes += len(content)
    totals.lines += content.count(b"\n")
    chunk.clear()


def _seconds(messages: int, seed: int, mailboxes: int, host: str, words: Wording, totals: Totals) -> Iterator[str]:
    """Yield what is logged in each second that has something to log, in order."""
    rng = np.random.default_rng(seed)
    weight = np.tile(BY_HOUR, DAYS)
    flood_hours = slice(FLOOD[0] // 3600, FLOOD[1] // 3600)
    weight[flood_hours] = weight[flood_hours] * 3
    per_hour = rng.multinomial(messages, weight / weight.sum())
    later: dict[int, list[str]] = defaultdict(list)
    number = 0
    for hour in range(DAYS * 24):
        counts = np.bincount(rng.integers(0, 3600, per_hour[hour]), minlength=3600).tolist()
        dice = _dice(rng, int(per_hour[hour]), mailboxes)
        place = 0
        for second, count in enumerate(counts, start=hour * 3600):
            if not count and second not in later:
                continue
            head = words.head(second, host)
            parts = [text.replace("@@", head) for text in later.pop(second, ())]
            for index in range(place, place + count):
                number += 1
                parts.append(_message(head, _mail(second, number, dice, index), dice.wait[index], words, later, totals))
            place += count
            yield "".join(parts)
    for second in sorted(later):
        head = words.head(second, host)
        yield "".join(text.replace("@@", head) for text in later[second])


@dataclass
class Dice:
    """An hour's draws, as plain lists."""

    mailbox: list[int]
    second_mailbox: list[int]
    sender: list[int]
    has_two: list[bool]
    is_bulk: list[bool]
    wait: list[int]


def _dice(rng: np.random.Generator, count: int, mailboxes: int) -> Dice:
    popular = np.minimum(rng.pareto(1.2, (2, count)) * mailboxes / 40, mailboxes - 1).astype(np.int64)
    return Dice(
        mailbox=popular[0].tolist(),
        second_mailbox=((popular[1] + 1 + popular[0]) % mailboxes).tolist(),
        sender=rng.integers(0, 5000, count).tolist(),
        has_two=(rng.random(count) < 0.1).tolist(),
        is_bulk=(rng.random(count) < 0.6).tolist(),
        wait=np.minimum(np.exp(rng.normal(np.log(2400), 1.5, count)), 2 * DAY).astype(np.int64).tolist(),
    )


def _mail(second: int, number: int, dice: Dice, index: int) -> Mail:
    who = dice.sender[index]
    sender = (
        f"bounce-{number}@mail.mailhouse.example"
        if dice.is_bulk[index] and _is_flooded(second)
        else f"user{who}@r{who % 9}.example.org"
    )
    boxes = [dice.mailbox[index]]
    if dice.has_two[index] and dice.second_mailbox[index] != boxes[0]:
        boxes.append(dice.second_mailbox[index])
    return Mail(second, number, sender, who, boxes)


def _message(head: str, mail: Mail, wait: int, words: Wording, later: dict[int, list[str]], totals: Totals) -> str:
    """Return the lines of one message's first second; put its later attempts into `later`."""
    is_flooded = _is_flooded(mail.second)
    totals.messages += 1
    totals.deliveries += len(mail.boxes)
    text = words.opened(head, mail) + words.attempt(head, mail, 0, is_sent=not is_flooded)
    if mail.number % 2:
        text += words.other(head, mail)
    if is_flooded:
        totals.late_3600 += len(mail.boxes) * (wait >= 3600)
        delay, step = 0, 300
        while (delay := delay + step) < wait:
            later[mail.second + delay].append(words.attempt("@@", mail, delay, is_sent=False))
            step = min(step * 2, 4000)
        later[mail.second + wait].append(words.attempt("@@", mail, wait, is_sent=True))
    return text


def _is_flooded(second: int) -> bool:
    return FLOOD[0] <= second < FLOOD[1]


def _write_records(path: Path, mailboxes: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["account_id", "customer_id", "segment", "mailbox", "address", "valid_from", "valid_to"])
        for box in range(mailboxes):
            account = box * 2 // 3
            segment = "business" if account % 3 == 0 else "residential"
            address = f"u{box}@officemail.example"
            rows.writerow([f"A{account}", f"C{account * 9 // 10}", segment, address, address, "2020-01-01", ""])


INCIDENT = """\
id: benchmark
title: A log for timing
timezone: UTC
logs:
  - {{uri: logs/{host}/{file}, format: auto, timezone: UTC, year: 2030}}
customers: {{uri: customers.csv}}
window: {{start: 2030-03-07T00:00:00Z, end: 2030-03-09T00:00:00Z}}
baseline: {{start: 2030-03-04T00:00:00Z, end: 2030-03-07T00:00:00Z}}
local_domains: [officemail.example]
bulk_senders: ["*@mail.mailhouse.example"]
thresholds: [15m, 1h, 4h, 24h]
headline: {{unit: account, threshold: 1h, messages: excluding_bulk, count: late}}
claims:
  - {{who: Provider, said: several thousand users, low: 2000, high: 9999, unit: mailbox}}
  - {{who: Press, said: "20,000 users", low: 20000, high: 20000, unit: mailbox}}
"""


def main() -> None:
    """Write a log as the command line says, and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=float, default=390)
    parser.add_argument("--server", choices=WORDINGS, default="postfix")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mailboxes", type=int, default=40_000)
    given = parser.parse_args()
    began = time.perf_counter()
    totals = write_big_log(
        given.folder, given.megabytes, server=given.server, seed=given.seed, mailboxes=given.mailboxes
    )
    seconds = time.perf_counter() - began
    print(f"{totals} in {seconds:.1f} s, {totals.bytes / 1e6 / seconds:.0f} MB/s")


if __name__ == "__main__":
    main()
