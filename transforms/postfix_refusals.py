"""Our own refusals at SMTP time (trap 11): a temporary one leaves the wait in the sender's queue, and is an event.

A final one (5xx) was never accepted, and is none.
"""

import polars as pl

from transforms.dialect import Reading
from transforms.next_leg import REPLY_CHARACTERS
from transforms.postfix_bodies import HEAD, Bodies

# First letters of `reject: ` and `milter-reject: `.
REFUSALS = ("reje", "milt")
REFUSED = (
    r"^(?:milter-)?reject: [A-Z-]+ from (?<client>[^ ]+?)(?::[0-9]+)?: (?<reply>4[0-9][0-9] .*?);"
    r"(?: from=<(?<sender>.*?)>,?)?(?: to=<(?<recipient>.*?)>,?)?(?: proto=.*)?$"
)


def read_refusals(bodies: Bodies) -> Reading:
    """Read bodies whose fact begins like a refusal."""
    groups = bodies.fact.series().str.extract_groups(REFUSED).struct.unnest()
    events = bodies.lines.select(HEAD)[bodies.rows].with_columns(
        pl.lit("refused").alias("kind"),
        groups["sender"].str.to_lowercase(),
        groups["recipient"].str.to_lowercase(),
        groups["client"],
        groups["reply"].str.head(REPLY_CHARACTERS),
    )
    return Reading(events.drop_nulls("reply"))
