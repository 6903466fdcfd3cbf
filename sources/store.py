"""A place that holds files and can be asked for any part of them: the same three questions for every protocol.

Which files does the pattern mean, and how long is each? What is in one from this byte to that? And: we are done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from sources.connections import Connection, find_connection
from sources.errors import BadInput


@dataclass(frozen=True)
class Listed:
    """One file: `path` as the store knows it, `uri` as it is listed, `size` in bytes when it was listed."""

    path: str
    uri: str
    size: int


class Store(Protocol):
    """Files behind one address.

    `OSError` and what a protocol's library raises mean that trying again may help, but for `FileNotFoundError` and
    `PermissionError`; `BadInput` means that it won't.
    """

    def files(self) -> list[Listed]:
        """Return the files that the pattern means, in any order; none if there is none."""
        ...

    def open(self, path: str, offset: int, end: int) -> BinaryIO:
        """Open a file for reading from byte `offset` on, of which the bytes before `end` are wanted.

        Connects again where the connection is gone.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


# A protocol's module is imported when a source asks for it: none of them is needed to read plain files.
_MODULES: Mapping[str, str] = {
    "sftp": "sources.store_sftp",
    "ssh": "sources.store_sftp",
    "s3": "sources.store_s3",
    "s3a": "sources.store_s3",
    "http": "sources.store_http",
    "https": "sources.store_http",
}


def open_store(uri: str, connection: str | None, named_in: str) -> Store:
    """Return the store for a URI; it connects when it is first asked something.

    `BadInput`: the connection is not there, or is for another host.
    """
    parts = urlsplit(uri)
    known = find_connection(connection, "connection", named_in) if connection else None
    if known and known.host and parts.scheme not in ("s3", "s3a") and known.host.lower() != (parts.hostname or ""):
        raise BadInput(
            f"{named_in}: connection {connection!r} is for another host than {parts.hostname!r}; its credentials go to "
            "no other."
        )
    store: Store = import_module(_MODULES.get(parts.scheme, "sources.store_fsspec")).connect(
        uri, known or Connection(""), named_in
    )
    return store
