"""Postfix's `to=<…>` lines: who was tried, how it went, and after how long.

Rules
- Most lines have one of the plain `SHAPES`; those with a quoted address (which may imitate the rest of a line), of an
  old Postfix, or otherwise odd, go through one strict regular expression; what that does not match is quarantined.
- `status=sent (forwarded as ID)` is a hand-over; `discard` says `sent` too, and is not a delivery.
- `status=deliverable|undeliverable` are address probes: no mail.
- A reply that was cut off names no next leg: its id may have lost its end.
"""

import numpy as np
import polars as pl

from transforms.dialect import Reading
from transforms.next_leg import NEXT_LEG, REPLY_CHARACTERS
from transforms.postfix_bodies import QUEUE_ID, Bodies, joined
from transforms.spans import ABSENT, Mask, Spans
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
_MAY_NAME = r"queued as |forwarded as |id=|Message accepted"
_CLOSING = ord(")")


_TORN = "delivery line is cut off or malformed"


def read_attempts(bodies: Bodies) -> Reading:
    """Read bodies whose fact begins with `to=<`."""
    is_id = bodies.queue_id.series().str.contains(QUEUE_ID).to_numpy()
    readings = []
    if not is_id.all():
        readings.append(Reading(pl.DataFrame(), bodies.take(~is_id).set_aside(_TORN)))
        bodies = bodies.take(is_id)
    for shape in SHAPES:
        found = match(bodies.fact, shape)
        if len(found.rows):
            readings.append(_judged(bodies.take(found.rows), pl.DataFrame(found.fields), found.text))
            bodies = bodies.without(found.rows)
        if not len(bodies):
            break
    else:
        readings.append(_strictly(bodies))
    return joined(readings)


def _strictly(bodies: Bodies) -> Reading:
    """Read what has none of the plain shapes."""
    groups = bodies.fact.series().str.extract_groups(ATTEMPT).struct.unnest()
    seconds = groups.select(
        pl.col("delay_seconds").cast(pl.Float64, strict=False),
        *(
            pl.col("parts")
            .str.splitn("/", len(PARTS))
            .struct.field(f"field_{i}")
            .cast(pl.Float64, strict=False)
            .alias(name)
            for i, name in enumerate(PARTS)
        ),
    )
    is_whole = (groups["recipient"].is_not_null() & seconds["delay_seconds"].is_not_null()).to_numpy()
    torn = bodies.take(~is_whole).set_aside(_TORN)
    fields = pl.concat([groups.select("recipient", "original_recipient", "relay", "dsn"), seconds], how="horizontal")
    whole = _judged(bodies.take(is_whole), fields.filter(is_whole), Spans.of(groups["rest"].filter(is_whole)))
    return joined([whole, Reading(pl.DataFrame(), torn)])


def _judged(bodies: Bodies, fields: pl.DataFrame, rest: Spans) -> Reading:
    """Say how each attempt went, from its `status=`."""
    blank = rest.find(" (")
    word = rest.cut(rest.start, np.where(blank == ABSENT, rest.end, blank))
    reply = rest.cut(np.where(blank == ABSENT, rest.end, blank + 2), rest.end)
    status, names = np.zeros(len(bodies), np.int64), [None, *sorted(set(STATUS.values())), "forwarded", "discarded"]
    for written, meant in STATUS.items():
        status[word.equals(written.encode())] = names.index(meant)
    is_sent = status == names.index("sent")
    is_discarded = bodies.is_service("/discard$") | (is_sent & (fields["relay"] == "none").to_numpy())
    status[is_sent & reply.begins_with(b"forwarded as ")] = names.index("forwarded")
    status[(status > 0) & is_discarded] = names.index("discarded")
    events = bodies.head().with_columns(
        pl.lit("attempted").alias("kind"),
        pl.Series("status", names, pl.String).gather(status),
        fields["recipient"].str.to_lowercase(),
        *([fields["original_recipient"].str.to_lowercase()] if "original_recipient" in fields.columns else []),
        *fields.select("relay", "dsn", "delay_seconds", *PARTS),
        reply.series(~is_sent & (blank != ABSENT)).str.head(REPLY_CHARACTERS).alias("reply"),
        _next_leg(reply, is_sent).alias("related_queue_id"),
    )
    is_known = status > 0
    if is_known.all():
        return Reading(events)
    is_probe = np.logical_or.reduce([word.equals(probe.encode()) for probe in _PROBES])
    return Reading(events.filter(is_known), bodies.take(~is_known & ~is_probe).set_aside(_TORN))


def _next_leg(reply: Spans, is_sent: Mask) -> pl.Series:
    """Return the queue file that each reply names."""
    legs = pl.Series([None], dtype=pl.String).new_from_index(0, len(reply))
    rows = np.flatnonzero(is_sent & (reply.byte(-1) == _CLOSING))
    texts = reply.take(rows).series()
    is_hint = texts.str.contains(_MAY_NAME)
    if is_hint.any():
        named = texts.filter(is_hint).str.extract_groups(NEXT_LEG).struct.unnest()
        return legs.scatter(rows[is_hint.to_numpy()], named.select(pl.coalesce("named", "first")).to_series())
    return legs
