"""The mail of the sample: four weeks of ordinary mail, and two days on which a mailing house sends too much.

The store takes one message after the other, first come, first served, so that a wait is the queue ahead: what a real
platform does when its disks are full of promotions. A few ordinary messages wait in any week.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

ZONE = ZoneInfo("Pacific/Auckland")
START = datetime(2030, 9, 30, tzinfo=ZONE).astimezone(UTC)
"""A Monday, the day after the clocks went forward."""
DAYS = 28
WINDOW = (21, 23)
"""Days from the start: Monday and Tuesday of the fourth week."""
ORDINARY_PER_MAILBOX = 8.15
"""Over the four weeks: a real platform carries ten times that; the waits are what matters here."""
SENDS = ((21 * 24 + 9, 10, 1.30), (22 * 24 + 8, 8, 0.85))
"""Hour, hours, promotions per mailbox of the platform."""
SUBSCRIBED_SHARE = 0.30
TAKEN_PER_SECOND = 1.15 / 60_000
"""Messages that the store takes per second, per mailbox of the platform."""
SLOW_SHARE = 0.0015
"""Ordinary messages that wait in any week: a full mailbox, a store that is restarted."""
UNKNOWN_SHARE = 0.004
FULL_SHARE = 0.008
"""Of what waited two hours or more: given back in the end, since the mailbox is full by then."""
DELETED_SHARE = 0.06
DELETED_HOUR = 22 * 24 + 10
"""On the second morning an operator deletes some of the promotions that wait."""
BY_HOUR = np.array([2, 1, 1, 1, 1, 2, 4, 7, 11, 13, 13, 12, 11, 12, 12, 11, 10, 8, 7, 6, 6, 5, 4, 3], float)
BY_WEEKDAY = np.array([1.1, 1.15, 1.1, 1.1, 1.0, 0.45, 0.4])


def messages(mailboxes: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per message, by arrival: `seconds` since START, `mailbox`, `is_bulk`, `wait`, `end`.

    What would end after the last day is left out, so that the log has every end.
    """
    subscribers = rng.choice(mailboxes, round(mailboxes * SUBSCRIBED_SHARE), replace=False)
    parts = [_ordinary(mailboxes, subscribers, rng)]
    parts += [_send(*send, subscribers, mailboxes, rng) for send in SENDS]
    mail = pl.concat(parts).sort("seconds", "mailbox").with_row_index("number")
    wait = _queue(mail["seconds"].to_numpy(), mailboxes) + np.exp(rng.normal(-2.0, 0.9, len(mail)))
    slow = (rng.random(len(mail)) < SLOW_SHARE) & ~mail["is_bulk"].to_numpy()
    wait = wait + slow * np.exp(rng.normal(np.log(1500), 1.1, len(mail)))
    mail = mail.with_columns(wait=wait, end=_ends(mail["seconds"].to_numpy(), wait, mail, rng))
    until_deleted = DELETED_HOUR * 3600 - pl.col("seconds")
    mail = mail.with_columns(wait=pl.when(pl.col("end") == "deleted").then(until_deleted).otherwise("wait"))
    return mail.filter(pl.col("seconds") + pl.col("wait") < DAYS * 86400 - 1)


def instant(day: int) -> datetime:
    """Return midnight, local time, of a day of the sample."""
    local = START.astimezone(ZONE).replace(tzinfo=None) + timedelta(days=day)
    return local.replace(tzinfo=ZONE).astimezone(UTC)


def _ordinary(mailboxes: int, subscribers: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    number = round(mailboxes * ORDINARY_PER_MAILBOX)
    weight = np.outer(np.tile(BY_WEEKDAY, DAYS // 7), BY_HOUR).ravel()
    hour = rng.choice(DAYS * 24, number, p=weight / weight.sum())
    busy = rng.gamma(0.6, 1.0, mailboxes)  # most have little mail, a few have much
    mailbox = rng.choice(mailboxes, number, p=busy / busy.sum())
    is_bulk = rng.random(number) < 0.06
    return _frame(
        hour * 3600 + rng.random(number) * 3600, np.where(is_bulk, rng.choice(subscribers, number), mailbox), is_bulk
    )


def _send(
    hour: int, hours: int, each: float, subscribers: np.ndarray, mailboxes: int, rng: np.random.Generator
) -> pl.DataFrame:
    number = round(mailboxes * each)
    seconds = hour * 3600 + rng.random(number) * hours * 3600
    return _frame(seconds, rng.choice(subscribers, number), np.ones(number, bool))


def _frame(seconds: np.ndarray, mailbox: np.ndarray, is_bulk: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"seconds": seconds, "mailbox": mailbox, "is_bulk": is_bulk})


def _queue(arrivals: np.ndarray, mailboxes: int) -> np.ndarray:
    """Return how long each message waits for those before it, where all take the same time."""
    each = 1 / (TAKEN_PER_SECOND * mailboxes)
    place = np.arange(len(arrivals))
    return np.maximum.accumulate(arrivals - place * each) + place * each - arrivals


def _ends(arrivals: np.ndarray, wait: np.ndarray, mail: pl.DataFrame, rng: np.random.Generator) -> np.ndarray:
    end = np.full(len(wait), "sent", dtype=object)
    end[(wait > 7200) & (rng.random(len(wait)) < FULL_SHARE)] = "full"
    waits_then = (arrivals < DELETED_HOUR * 3600) & (arrivals + wait > DELETED_HOUR * 3600 + 60)
    end[waits_then & mail["is_bulk"].to_numpy() & (rng.random(len(wait)) < DELETED_SHARE)] = "deleted"
    end[(wait < 60) & (rng.random(len(wait)) < UNKNOWN_SHARE)] = "unknown"
    return end
