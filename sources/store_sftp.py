"""Files on a host that speaks SFTP: `sftp://host/var/log/mail.log*`.

Login, password and port are the connection's, else those in the URI. In a pattern `*`, `?` and `[…]` stay within one
part of the path, and a hidden name is matched only by a part that begins with a dot, as in a shell.
"""

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from stat import S_ISREG
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import paramiko

from sources.addresses import MAGIC, one_line
from sources.connections import Connection
from sources.errors import BadInput
from sources.ssh_login import SECONDS, log_in
from sources.store import Listed

_REQUESTS_AT_ONCE = 128  # of 32 KiB each: enough to fill a line, few enough to hold in memory


class SftpFiles:
    """A pattern on one host, over one connection that is opened when needed."""

    def __init__(self, uri: str, known: Connection, named_in: str) -> None:
        parts = urlsplit(uri)
        user = f"{parts.username}@" if parts.username else ""
        port = f":{parts.port}" if parts.port else ""
        self._host, self._pattern, self._named_in = parts.hostname or "", unquote(parts.path), named_in
        self._head = f"{parts.scheme}://{user}{self._host}{port}"
        self._known = replace(
            known,
            port=parts.port or known.port,
            login=known.login or unquote(parts.username or ""),
            password=known.password or unquote(parts.password or ""),
        )
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def files(self) -> list[Listed]:
        """Return the files that the pattern means; `BadInput` where a link leads out of the folder that it names."""
        found = []
        for path in self._matches("", self._pattern.split("/")[1:]):
            try:
                facts = self._connected().stat(path)
            except FileNotFoundError:
                if MAGIC.search(self._pattern):  # it was listed a moment ago
                    raise
                continue
            if S_ISREG(facts.st_mode or 0):
                self._refuse_stray(path)
                found.append(Listed(path, one_line(f"{self._head}{path}"), facts.st_size or 0))
        return found

    def open(self, path: str, offset: int, end: int) -> BinaryIO:
        """Open a file from `offset` on, many pieces of it asked for at once."""
        stream = self._connected().open(path, "rb")
        stream.seek(offset)
        if (upto := min(end, stream.stat().st_size or 0)) > offset:
            _ask_quietly(stream)
            stream.prefetch(upto, _REQUESTS_AT_ONCE)
        return cast(BinaryIO, stream)

    def close(self) -> None:
        """Hang up."""
        if self._client:
            self._client.close()
        self._client = self._sftp = None

    def _matches(self, folder: str, parts: Sequence[str]) -> Iterator[str]:
        """Yield the paths below `folder` that the parts of the pattern may mean."""
        part, rest = parts[0], parts[1:]
        for name in self._names(folder or "/", part) if MAGIC.search(part) else [part]:
            path = f"{folder}/{name}"
            if rest:
                yield from self._matches(path, rest)
            else:
                yield path

    def _names(self, folder: str, part: str) -> list[str]:
        try:
            names = self._connected().listdir(folder)
        except FileNotFoundError:  # or no folder
            return []
        return [n for n in sorted(names) if fnmatchcase(n, part) and n.startswith(".") <= part.startswith(".")]

    def _refuse_stray(self, path: str) -> None:
        if path == self._pattern:  # whoever names a link means it
            return
        fixed = posixpath.dirname(self._pattern[: MAGIC.search(self._pattern).start()])  # type: ignore[union-attr]
        real, folder = (self._connected().normalize(p) for p in (path, fixed))
        if posixpath.commonpath([real, folder]) != folder:
            raise BadInput(
                f"{self._named_in}: {one_line(self._head + path)} is a link that leads out of {one_line(fixed)}; name "
                "what it leads to, or make the pattern exclude it."
            )

    def _connected(self) -> paramiko.SFTPClient:
        transport = self._client.get_transport() if self._client else None
        if self._sftp is None or transport is None or not transport.is_active():
            self.close()
            self._client = log_in(self._host, self._known, self._named_in)
            self._sftp = self._client.open_sftp()
            if channel := self._sftp.get_channel():
                channel.settimeout(SECONDS)
        return self._sftp


def _ask_quietly(stream: paramiko.SFTPFile) -> None:
    """Let the thread that asks ahead end without a word when the connection is cut: whoever reads meets it too."""
    asking = stream._prefetch_thread  # type: ignore[attr-defined]  # paramiko lets the thread's error reach the terminal

    def ask(*arguments: Any) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            asking(*arguments)

    stream._prefetch_thread = ask  # type: ignore[attr-defined]


def connect(uri: str, connection: Connection, named_in: str) -> SftpFiles:
    """Return the store for `uri`; it connects when it is first asked something."""
    return SftpFiles(uri, connection, named_in)
