"""Postfix's facts about a queue file: it arrived, got its name and envelope, was held, deleted, removed …

Rules
- `removed` by postsuper is an operator's delete; by qmgr the regular end; by an unnamed daemon (RFC 5424 app-name
  without its `/qmgr`) it is `ended`.
- `postsuper -r` says `requeued`, and the next pickup line names the former file as `orig_id=`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from transforms.postfix_bodies import QUEUE_ID, Bodies, Found, same, written_by
from transforms.spans import first_letters
from transforms.template import match


class Fact(NamedTuple):
    """One kind of line: the letters its fact begins with, the event that it gives, its pattern, its plain shape.

    The pattern spells the whole grammar of the line and names the columns of the event; the shape is the quick way for
    the lines that a log is made of.
    """

    begins: str
    kind: str
    pattern: str
    shape: str = ""


_ID = "(?<related_queue_id>[0-9A-Za-z]+)"
# The order matters where two begin alike.
FACTS = (
    Fact("client=", "arrived", rf"^client=(?<client>[^ ,]+)(?:, .*?\borig_queue_id={_ID})?", "client={client:word}"),
    Fact("uid=", "arrived", rf"^uid=[0-9]+ from=<?(?<sender>.*?)>?(?: orig_id={_ID})?$"),
    Fact("message-id=", "named", r"^message-id=<?(?<message_id>.*?)>?$", "message-id=<{message_id:address}>"),
    Fact("resent-message-id=", "named", r"^resent-message-id=<?(?<message_id>.*?)>?$"),
    Fact(
        "from=<",
        "queued",
        r"^from=<(?<sender>.*)>, size=[0-9]+, nrcpt=(?<recipient_count>[0-9]+) \(queue ",
        "from=<{sender:address}>, size={:number}, nrcpt={recipient_count:number} (queue active)",
    ),
    Fact("from=<", "expired", r"^from=<(?<sender>.*)>, status=(?:force-)?expired, "),
    Fact("removed", "removed", r"^removed$", "removed"),
    Fact("requeued", "requeued", r"^requeued$"),
    Fact("placed on hold", "held", r"^placed on hold$"),
    Fact("hold: ", "held", r"^hold: "),
    Fact("released from hold", "released", r"^released from hold$"),
    Fact("discard: ", "deleted", r"^discard: "),
    Fact("sender non-delivery notification", "notified", rf"^sender non-delivery notification: {_ID}$"),
    Fact("sender delivery status notification", "notified", rf"^sender delivery status notification: {_ID}$"),
    Fact("sender delay notification", "notified", rf"^sender delay notification: {_ID}$"),
    Fact("postmaster ", "notified", rf"^postmaster [a-z -]+ notification: {_ID}$"),
)
FIRST_LETTERS = tuple(dict.fromkeys(fact.begins[:4] for fact in FACTS))
_TORN_ID = r"^(?:[0-9A-F]{8,12}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9A-Za-z]+):?$"
_BEGINNINGS = ("to=<", *(fact.begins for fact in FACTS))
_TORN_BEGINNINGS = sorted({begins[:letters] for begins in _BEGINNINGS for letters in range(len(begins))})
LONGEST_ID, LONGEST_BEGINNING = 25, max(len(begins) for begins in _BEGINNINGS)


def read_facts(bodies: Bodies) -> Iterator[Found]:
    """Read bodies whose facts share their first four letters: the first of `FACTS` that matches is the event."""
    left = bodies.take(np.flatnonzero(bodies.queue_ids.str.contains(QUEUE_ID).to_numpy()))
    if not len(left):
        return
    letters = left.fact.words()[0]
    facts = [fact for fact in FACTS if first_letters(fact.begins) == letters]
    for fact in facts:
        if len(left) and fact.shape:
            found = match(left.fact, fact.shape)
            yield Found(left.take(found.rows), _columns(left.take(found.rows), fact, found.fields))
            left = left.without(found.rows)
        if len(left):
            text = left.fact.series()
            whole, rest = left.split(text.str.contains(fact.pattern).to_numpy())
            if len(whole):
                yield Found(whole, _columns(whole, fact, _groups(whole, fact.pattern)))
            left = rest
    for begins in dict.fromkeys(fact.begins for fact in facts):
        if len(left):
            malformed, left = left.split(left.fact.begins_with(begins.encode()))
            yield Found(malformed, {}, f"line begins `{begins}` and is cut off or malformed")
    yield from torn(left)


def torn(bodies: Bodies) -> Iterator[Found]:
    """Set aside lines that end within or right behind their queue id, or within the first word of a fact."""
    is_short = (bodies.colon - bodies.text.start <= LONGEST_ID) & (bodies.fact.lengths < LONGEST_BEGINNING)
    short = bodies.take(np.flatnonzero(is_short))
    if len(short):
        is_torn = short.fact.series().is_in(_TORN_BEGINNINGS) & short.queue_ids.str.contains(_TORN_ID)
        yield Found(short.take(np.flatnonzero(is_torn.to_numpy())), {}, "line ends after its queue id")


def end_kinds(services: pl.Series) -> pl.Series:
    """Return the kind of event that `removed` is, by the service that says so."""
    who = np.where(written_by(services, "/postsuper$"), 2, written_by(services, "/").astype(np.int64))
    return pl.Series(["ended", "removed", "deleted"]).gather(who)


def _groups(bodies: Bodies, pattern: str) -> Mapping[str, pl.Series]:
    if "(?<" not in pattern:
        return {}
    return bodies.fact.series().str.extract_groups(pattern).struct.unnest().to_dict()


def _columns(bodies: Bodies, fact: Fact, fields: Mapping[str, pl.Series]) -> Mapping[str, pl.Series]:
    columns = {"kind": same("kind", fact.kind, len(bodies)), "queue_id": bodies.queue_ids, **fields}
    if fact.kind == "removed":
        columns["kind"] = end_kinds(bodies.lines["service"][bodies.rows])
    if "sender" in fields:
        columns["sender"] = fields["sender"].fill_null("").str.to_lowercase()
    if "recipient_count" in fields:
        columns["recipient_count"] = fields["recipient_count"].cast(pl.Int64, strict=False)
    return columns
