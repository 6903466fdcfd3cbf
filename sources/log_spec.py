"""What the incident file says of where logs lie and how to read them."""

from dataclasses import dataclass, field
from pathlib import Path

from sources.errors import BadInput

FORMATS = ("auto", "postfix", "exim", "sendmail", "exchange")


@dataclass(frozen=True)
class LogSpec:
    """One entry of `logs` or `queue_snapshots`.

    `uri` is a path, a glob or a URI; a relative path is relative to `base`; `connection` names credentials for a URI.
    `kind` is `log` or `queue_snapshot`. `timezone` is that of stamps that carry none, `year` that of the first line.
    `named_in` says in messages where the entry was written. `follows`: files grow and are rotated (`follow.py`).
    """

    uri: str
    base: Path = field(default_factory=Path)
    kind: str = "log"
    format: str = "auto"
    timezone: str = "UTC"
    year: int | None = None
    named_in: str = "the incident file"
    connection: str | None = None
    follows: bool = False


def refuse_other_options(one: LogSpec, other: LogSpec, uri: str) -> None:
    """`BadInput` if two entries that name one file would read it in different ways."""
    if (one.format, one.timezone, one.year) != (other.format, other.timezone, other.year):
        raise BadInput(
            f"{other.named_in}: {uri!r} is named by {one.uri!r} and by {other.uri!r} with different options; make the "
            "patterns exclude each other."
        )


@dataclass(frozen=True)
class RecordsSpec:
    """Where the customer records are: either `uri` (CSV or Parquet), or `connection` and `table` of a database.

    `connection` with a `uri` names its credentials. `snapshots` is a folder of daily snapshots, for records that keep
    no days of validity, `corrections` a file of corrections. `timezone` is the incident's, in which days are counted.
    `segments` are all that there are, if they are known.
    """

    uri: str | None = None
    connection: str | None = None
    table: str | None = None
    base: Path = field(default_factory=Path)
    named_in: str = "the incident file"
    snapshots: str | None = None
    corrections: str | None = None
    timezone: str = "UTC"
    segments: tuple[str, ...] = ()
