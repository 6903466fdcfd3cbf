"""What pulling gives: a file, the entry of the incident file that names it, and what was kept of it."""

from dataclasses import dataclass

from sources.log_spec import LogSpec
from sources.raw_store import Receipt


@dataclass(frozen=True)
class Pulled:
    """One pulled file by its listed name `uri`."""

    spec: LogSpec
    uri: str
    receipt: Receipt
