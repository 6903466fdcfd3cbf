"""What the incident file says of where logs lie and how to read them."""

from dataclasses import dataclass, field
from pathlib import Path

FORMATS = ("auto", "postfix", "exim", "sendmail", "exchange")


@dataclass(frozen=True)
class LogSpec:
    """One entry of `logs` or `queue_snapshots`.

    `uri` is a path, a glob or a URI that fsspec opens; a relative path is relative to `base`. `kind` is `log` or
    `queue_snapshot`. `timezone` is that of stamps that carry none, `year` that of the first line. `named_in` says in
    messages where the entry was written.
    """

    uri: str
    base: Path = field(default_factory=Path)
    kind: str = "log"
    format: str = "auto"
    timezone: str = "UTC"
    year: int | None = None
    named_in: str = "the incident file"


@dataclass(frozen=True)
class RecordsSpec:
    """Where the customer records are: either `uri` (CSV or Parquet), or `connection` and `table` of a database."""

    uri: str | None = None
    connection: str | None = None
    table: str | None = None
    base: Path = field(default_factory=Path)
    named_in: str = "the incident file"
