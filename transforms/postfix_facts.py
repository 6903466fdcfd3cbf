"""Postfix's facts about a queue file: it arrived, got its name and envelope, was held, deleted, removed …

Rules
- `removed` by postsuper is an operator's delete; by qmgr the regular end; by an unnamed daemon (RFC 5424 app-name
  without its `/qmgr`) it is `ended`.
- `postsuper -r` says `requeued`, and the next pickup line names the former file as `orig_id=`.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from transforms.dialect import Reading
from transforms.postfix_bodies import QUEUE_ID, Bodies, joined
from transforms.spans import word
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
FIRST_WORDS = tuple(dict.fromkeys(fact.begins[:4] for fact in FACTS))
_TORN_ID = r"^(?:[0-9A-F]{8,12}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9A-Za-z]+):?$"
_BEGINNINGS = ("to=<", *(fact.begins for fact in FACTS))
_TORN_BEGINNINGS = sorted({begins[:letters] for begins in _BEGINNINGS for letters in range(len(begins))})
_LONGEST_ID, _LONGEST_BEGINNING = 25, max(len(begins) for begins in _BEGINNINGS)


def read_facts(bodies: Bodies) -> Reading:
    """Read bodies whose facts begin alike: the first of `FACTS` that matches is the event."""
    is_id = bodies.queue_id.series().str.contains(QUEUE_ID).to_numpy()
    left = bodies if is_id.all() else bodies.take(is_id)
    readings = []
    first = int(left.fact.words()[0]) if len(left) else 0
    facts = [fact for fact in FACTS if word(fact.begins[:4]) == first]
    for fact in facts:
        if len(left) and fact.shape:
            found = match(left.fact, fact.shape)
            readings.append(Reading(_event(left.take(found.rows), fact, pl.DataFrame(found.fields))))
            left = left.without(found.rows)
        if len(left):
            is_match = left.fact.series().str.contains(fact.pattern).to_numpy()
            readings.append(Reading(_strictly(left.take(is_match), fact)))
            left = left.take(~is_match)
    for begins in dict.fromkeys(fact.begins for fact in facts):
        is_so = left.fact.begins_with(begins.encode())
        readings.append(
            Reading(pl.DataFrame(), left.take(is_so).set_aside(f"line begins `{begins}` and is cut off or malformed"))
        )
        left = left.take(~is_so)
    return joined([*readings, torn(left)])


def torn(bodies: Bodies) -> Reading:
    """Set aside lines that end within or right behind their queue id, or within the first word of a fact."""
    is_short = (bodies.colon - bodies.text.start <= _LONGEST_ID) & (bodies.fact.lengths < _LONGEST_BEGINNING)
    short = bodies.take(is_short)
    is_torn = short.fact.series().is_in(_TORN_BEGINNINGS) & short.queue_id.series().str.contains(_TORN_ID)
    return Reading(pl.DataFrame(), short.take(is_torn.to_numpy()).set_aside("line ends after its queue id"))


def _strictly(bodies: Bodies, fact: Fact) -> pl.DataFrame:
    if "(?<" not in fact.pattern:
        return _event(bodies, fact, pl.DataFrame())
    return _event(bodies, fact, bodies.fact.series().str.extract_groups(fact.pattern).struct.unnest())


def _event(bodies: Bodies, fact: Fact, fields: pl.DataFrame) -> pl.DataFrame:
    events = bodies.head().with_columns(pl.lit(fact.kind).alias("kind"), *fields)
    if fact.kind == "removed":
        who = np.where(bodies.is_service("/postsuper$"), 2, np.where(bodies.is_service("/"), 1, 0))
        events = events.with_columns(pl.Series("kind", ["ended", "removed", "deleted"]).gather(who))
    if "sender" in events.columns:
        events = events.with_columns(pl.col("sender").fill_null("").str.to_lowercase())
    if "recipient_count" in events.columns:
        events = events.with_columns(pl.col("recipient_count").cast(pl.Int64, strict=False))
    return events
