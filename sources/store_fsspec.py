"""Files behind any other URI that fsspec opens."""

from typing import Any, BinaryIO
from urllib.parse import urlsplit

from sources.addresses import MAGIC, one_line
from sources.connections import Connection
from sources.errors import BadInput
from sources.store import Listed


class FsspecStore:
    """A pattern within an fsspec file system; `head` is what stands before a path in its URI."""

    def __init__(self, system: Any, pattern: str, head: str) -> None:
        self._system, self._pattern, self._head = system, pattern, head

    def files(self) -> list[Listed]:
        """Return the files that the pattern means."""
        try:  # asked to raise: it would take a lost connection for an empty folder
            found = (
                self._system.glob(self._pattern, detail=True, on_error="raise").values()
                if MAGIC.search(self._pattern)
                else [self._system.info(self._pattern)]
            )
        except FileNotFoundError:
            return []
        return [
            Listed(one["name"], one_line(self._head + str(one["name"]).lstrip("/")), int(one["size"] or 0))
            for one in found
            if one["type"] == "file"
        ]

    def open(self, path: str, offset: int, end: int) -> BinaryIO:
        """Open a file from `offset` on."""
        stream: BinaryIO = self._system.open(path, "rb")
        stream.seek(offset)
        return stream

    def close(self) -> None:
        """Nothing is held."""


def connect(uri: str, connection: Connection, named_in: str) -> FsspecStore:
    """Open the file system that fsspec knows for the URI; `BadInput` if it knows none or lacks a package for it."""
    import fsspec  # slow to import, and local files do without

    scheme = urlsplit(uri).scheme or uri.partition("::")[0]
    if connection.name:
        raise BadInput(f"{named_in}: a connection is for sftp, s3, http and https, not for {scheme!r}; remove it.")
    try:
        system, path = fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise BadInput(
            f"{named_in}: {scheme}:// cannot be reached ({str(error).splitlines()[0]}); name a path, or an sftp, s3, "
            "http or https address."
        ) from None
    head = "" if "::" in uri else uri[: uri.index("://") + 3]
    return FsspecStore(system, path, head)
