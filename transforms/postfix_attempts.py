"""Postfix's `to=<…>` lines: who was tried, how it went, and after how long.

Rules
- Most lines have one of the plain `SHAPES`; those with a quoted address (which may imitate the rest of a line), of an
  old Postfix, or otherwise odd, go through one strict regular expression; what that does not match is quarantined.
- `status=sent (forwarded as ID)` is a hand-over; `discard` says `sent` too, and is not a delivery.
- `status=deliverable|undeliverable` are address probes: no mail.
- A reply that was cut off names no next leg: its id may have lost its end.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from transforms.next_leg import MAY_NAME_NEXT_LEG, REPLY_CHARACTERS, next_leg
from transforms.postfix_bodies import QUEUE_ID, Bodies, Found, same
from transforms.spans import ABSENT, Mask, Places, Spans, first_letters
from transforms.template import match

PARTS = ("before_active_seconds", "active_seconds", "connect_seconds", "transmit_seconds")
_SAID = (
    "delay={delay_seconds:number}, delays={before_active_seconds:number}/{active_seconds:number}/"
    "{connect_seconds:number}/{transmit_seconds:number}, dsn={dsn:word}, status={:text}"
)
SHAPES = tuple(
    f"to=<{{recipient:word}}>, {written}relay={{relay:word}}, {used}{_SAID}"
    for written in ("", "orig_to=<{original_recipient:word}>, ")
    for used in ("", "conn_use={:number}, ")
)
_ADDRESS = r'(?:"(?:[^"\\]|\\.)*"|[^">])*'
ATTEMPT = (
    rf"^to=<(?<recipient>{_ADDRESS})>, (?:orig_to=<(?<original_recipient>{_ADDRESS})>, )?relay=(?<relay>.*?)"
    r"(?:, conn_use=[0-9]+)?, delay=(?<delay_seconds>[0-9.]+), (?:delays=(?<parts>[0-9./]+), )?"
    r"(?:dsn=(?<dsn>[0-9.]+), )?status=(?<rest>.*)$"
)
STATUS = {
    "sent": "sent",
    "deferred": "deferred",
    "bounced": "bounced",
    "expired": "expired",
    "SOFTBOUNCE": "deferred",
    "softbounce": "deferred",
}
_PROBES = ("deliverable", "undeliverable")
MEANT = (*dict.fromkeys(STATUS.values()), "forwarded", "discarded")
FORWARDED = "forwarded as "
DISCARD = "/discard$"
_RECIPIENTS = ("recipient", "original_recipient")
_CLOSING = ord(")")
_TORN = "delivery line is cut off or malformed"


def read_attempts(bodies: Bodies) -> Iterator[Found]:
    """Read bodies whose fact begins with `to=<`."""
    bodies, without_id = bodies.split(bodies.queue_ids.str.contains(QUEUE_ID).to_numpy())
    yield Found(without_id, {}, _TORN)
    for shape in SHAPES:
        if len(bodies):
            found = match(bodies.fact, shape)
            yield from _judged(bodies.take(found.rows), found.fields, found.text)
            bodies = bodies.without(found.rows)
    if len(bodies):
        yield from _read_strictly(bodies)


def _read_strictly(bodies: Bodies) -> Iterator[Found]:
    """Read what has none of the plain shapes."""
    groups = bodies.fact.series().str.extract_groups(ATTEMPT).struct.unnest()
    parts = pl.col("parts").str.splitn("/", len(PARTS)).struct
    fields = groups.with_columns(
        pl.col("delay_seconds").cast(pl.Float64, strict=False),
        *(parts.field(f"field_{i}").cast(pl.Float64, strict=False).alias(name) for i, name in enumerate(PARTS)),
    )
    is_whole = (fields["recipient"].is_not_null() & fields["delay_seconds"].is_not_null()).to_numpy()
    whole, torn = bodies.split(is_whole)
    yield Found(torn, {}, _TORN)
    fields = fields.filter(is_whole)
    yield from _judged(whole, fields.drop("rest", "parts").to_dict(), Spans.of(fields["rest"]))


def _judged(bodies: Bodies, fields: Mapping[str, pl.Series], rest: Spans) -> Iterator[Found]:
    """Say how each attempt went, from what stands behind `status=`."""
    blank = rest.find(" (")
    word = rest.cut(rest.start, np.where(blank == ABSENT, rest.end, blank))
    written = _number_of(word, tuple(STATUS))
    unknown = np.flatnonzero(written == ABSENT)
    if len(unknown):
        is_probe = _number_of(word.take(unknown), _PROBES) != ABSENT
        yield Found(bodies.take(unknown[~is_probe]), {}, _TORN)
        known = np.flatnonzero(written != ABSENT)
        bodies, rest, blank, written = bodies.take(known), rest.take(known), blank[known], written[known]
        fields = {name: values.gather(known) for name, values in fields.items()}
    if len(bodies):
        yield Found(bodies, _columns(bodies, fields, rest, blank, written))


def _columns(
    bodies: Bodies, fields: Mapping[str, pl.Series], rest: Spans, blank: Places, written: Places
) -> Mapping[str, pl.Series]:
    reply = rest.cut(np.where(blank == ABSENT, rest.end, blank + 2), rest.end)
    is_sent = written == tuple(STATUS).index("sent")
    status = np.array([MEANT.index(meant) for meant in STATUS.values()])[written]
    status[is_sent & reply.begins_with(FORWARDED.encode())] = MEANT.index("forwarded")
    is_discarded = bodies.is_service(DISCARD) | (is_sent & (fields["relay"] == "none").to_numpy())
    status[is_discarded] = MEANT.index("discarded")
    columns = {
        "kind": same("kind", "attempted", len(bodies)),
        "queue_id": bodies.queue_ids,
        "status": pl.Series(MEANT).gather(status),
        **fields,
        **{name: fields[name].str.to_lowercase() for name in _RECIPIENTS if name in fields},
    }
    if is_sent.any():
        columns["related_queue_id"] = _next_leg(reply, is_sent)
    if not is_sent.all():
        columns["reply"] = reply.series(~is_sent & (blank != ABSENT)).str.head(REPLY_CHARACTERS)
    return columns


def _number_of(word: Spans, words: Sequence[str]) -> Places:
    """Return which of some words each string is, by number; `ABSENT` for none."""
    number, first = np.full(len(word), ABSENT), word.words()
    for place, written in enumerate(words):
        rows = np.flatnonzero(first == first_letters(written))
        number[rows[word.take(rows).equals(written.encode())]] = place
    return number


def _next_leg(reply: Spans, is_sent: Mask) -> pl.Series:
    """Return the queue file that each reply names."""
    legs = pl.Series([None], dtype=pl.String).new_from_index(0, len(reply))
    rows = np.flatnonzero(is_sent & (reply.byte(-1) == _CLOSING))
    texts = reply.take(rows).series()
    may_name = texts.str.contains(MAY_NAME_NEXT_LEG)
    if not may_name.any():
        return legs
    named = pl.select(next_leg(pl.lit(texts.filter(may_name)))).to_series()
    return legs.scatter(rows[may_name.to_numpy()], named)
