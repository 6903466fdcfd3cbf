"""What Postfix logs of the sample's mail: the lines of each message, in the order of their stamps, one file a day."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import zstandard

from lab.sample_people import DOMAIN
from lab.sample_traffic import START, ZONE

HOST = "mx1"
_STAMP = "%Y-%m-%dT%H:%M:%S%.6f%:z"
_PATIENCE = 300
"""Seconds after which the store, still busy, turns a message away: it is deferred, and tried again."""
_STORE = "store1.officemail.example[198.51.100.7]"
_SAID = f"(host {_STORE} said: {{}} (in reply to RCPT TO command))"
_BUSY = f"dsn=4.3.0, status=deferred {_SAID.format('451 4.3.0 Too busy, try again later')}"
_ENDS = {
    "sent": "dsn=2.0.0, status=sent (250 2.0.0 Saved)",
    "full": f"dsn=5.2.2, status=bounced {_SAID.format('552 5.2.2 Mailbox full')}",
    "unknown": f"dsn=5.1.1, status=bounced {_SAID.format('550 5.1.1 User unknown')}",
}


def write_logs(folder: Path, mail: pl.DataFrame) -> int:
    """Write `mail.log-<day>.zst` for each day into `folder`; return how many lines there are in all."""
    lines = pl.concat(list(_kinds(_named(mail)))).sort("at", "number", "place")
    at = (pl.lit(START).cast(pl.Datetime("us", "UTC")) + pl.duration(microseconds="at")).dt.convert_time_zone(ZONE.key)
    stamped = lines.select(
        day=at.dt.strftime("%Y%m%d"), line=pl.format("{} {} {}", at.dt.strftime(_STAMP), pl.lit(HOST), "text")
    )
    folder.mkdir(parents=True, exist_ok=True)
    for (day,), of_day in stamped.partition_by("day", as_dict=True, maintain_order=True).items():
        text = "\n".join(of_day["line"].to_list()) + "\n"
        (folder / f"mail.log-{day}.zst").write_bytes(zstandard.ZstdCompressor(level=3).compress(text.encode()))
    return len(lines)


def _named(mail: pl.DataFrame) -> pl.DataFrame:
    """Add the names that the log has for a message: queue id, sender, recipient, and where it came from."""
    micro = (pl.col("seconds") * 1e6).cast(pl.Int64)
    who = pl.col("number") * 7919 % 5003
    at_home, bulk = pl.lit(DOMAIN), pl.col("is_bulk")
    sender = pl.when(bulk).then(pl.format("bounce-{}@mail.mailhouse.example", "number"))
    client = pl.when(bulk).then(pl.lit("out.mailhouse.example[203.0.113.9]"))
    gone = pl.when(pl.col("end") == "unknown").then(pl.format("gone{}@{}", "mailbox", at_home))
    to = gone.when("is_by_alias").then(pl.format("m{}@{}>, orig_to=<a{}@{}", "mailbox", at_home, "mailbox", at_home))
    return mail.with_columns(
        at=micro,
        id=pl.format("{}{}", _hex(micro % 1_000_000, 5), _hex(pl.col("number") + 0x2A0000, 6)),
        pid=1100 + pl.col("number") % 40,
        client=client.otherwise(pl.format("mta{}.example.org[192.0.2.{}]", who % 7, who % 250)),
        sender=sender.otherwise(pl.format("user{}@r{}.example.org", who, who % 9)),
        to=to.otherwise(pl.format("m{}@{}", "mailbox", at_home)),
    )


def _kinds(mail: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield each kind of line that messages leave, from arrival to end."""
    at_sender = pl.col("sender").str.split("@").list.last()
    size = 900 + pl.col("number") * 31 % 90_000
    active = pl.format("postfix/qmgr[812]: {}: from=<{}>, size={}, nrcpt=1 (queue active)", "id", "sender", size)
    named = pl.format("postfix/cleanup[{}]: {}: message-id=<{}.{}@{}>", "pid", "id", "number", "at", at_sender)
    yield _at(mail, 0, 0.0, pl.format("postfix/smtpd[{}]: {}: client={}", "pid", "id", "client"))
    yield _at(mail, 1, 0.002, named)
    yield _at(mail, 2, 0.004, active)
    wait = pl.col("wait")
    busy, later = mail.filter(wait > _PATIENCE), mail.filter(wait > 24 * _PATIENCE)
    yield _at(busy, 3, 1.6, _attempt(pl.lit(1.6), _BUSY))
    yield _at(later, 4, wait * 0.45, active)
    yield _at(later, 5, wait * 0.45 + 0.1, _attempt(wait * 0.45 + 0.1, _BUSY))
    yield _at(busy.filter(pl.col("end") != "deleted"), 6, wait - 0.05, active)
    for end, reply in _ENDS.items():
        yield _at(mail.filter(end=end), 7, wait, _attempt(wait, reply))
    kept, deleted = mail.filter(pl.col("end") != "deleted"), mail.filter(end="deleted")
    yield _at(kept, 8, wait + 0.001, pl.format("postfix/qmgr[812]: {}: removed", "id"))
    yield _at(deleted, 8, wait, pl.format("postfix/postsuper[4711]: {}: removed", "id"))


def _attempt(after: pl.Expr, reply: str) -> pl.Expr:
    delay = (
        pl.when(after < 10).then(after.round(2).cast(pl.String)).otherwise(after.round().cast(pl.Int64).cast(pl.String))
    )
    form = "postfix/lmtp[1400]: {}: to=<{}>, relay={}:24, delay={}, delays={}/0/0.01/0.01, {}"
    return pl.format(form, "id", "to", pl.lit(_STORE), delay, delay, pl.lit(reply))


def _at(mail: pl.DataFrame, place: int, after: float | pl.Expr, text: pl.Expr) -> pl.DataFrame:
    """Return one line per message, so many seconds after its arrival; `place` orders lines of one instant."""
    later = after if isinstance(after, pl.Expr) else pl.lit(after)
    return mail.select("number", at=pl.col("at") + (later * 1e6).cast(pl.Int64), place=pl.lit(place), text=text)


def _hex(value: pl.Expr, width: int) -> pl.Expr:
    """Return digits of a queue id: whole numbers in base 16, capital letters."""
    digits = [(value // 16**power % 16) for power in reversed(range(width))]
    letters = pl.Series("digits", list("0123456789ABCDEF"))
    return pl.concat_str([pl.lit(letters).gather(digit) for digit in digits])
