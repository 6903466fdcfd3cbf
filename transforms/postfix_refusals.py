"""Our own refusals at SMTP time (trap 11): a temporary one leaves the wait in the sender's queue, and is an event.

A final one (5xx) was never accepted, and is none.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from transforms.next_leg import REPLY_CHARACTERS
from transforms.postfix_bodies import Bodies, Found

# First letters of `reject: ` and `milter-reject: `.
REFUSALS = ("reje", "milt")
REFUSED = (
    r"^(?:milter-)?reject: [A-Z-]+ from (?<client>[^ ]+?)(?::[0-9]+)?: (?<reply>4[0-9][0-9] .*?);"
    r"(?: from=<(?<sender>.*?)>,?)?(?: to=<(?<recipient>.*?)>,?)?(?: proto=.*)?$"
)


def read_refusals(bodies: Bodies) -> Iterator[Found]:
    """Read bodies whose fact begins like a refusal."""
    groups = bodies.fact.series().str.extract_groups(REFUSED).struct.unnest()
    is_temporary = groups["reply"].is_not_null()
    fields = groups.filter(is_temporary).select(
        pl.lit("refused").alias("kind"),
        pl.col("sender", "recipient").str.to_lowercase(),
        "client",
        pl.col("reply").str.head(REPLY_CHARACTERS),
    )
    yield Found(bodies.take(np.flatnonzero(is_temporary.to_numpy())), fields.to_dict())
