"""One file behind an HTTP or HTTPS address, read from any byte on by range requests.

Login and password of the connection are sent as basic authentication; its extra holds headers, such as a bearer token.
"""

from typing import BinaryIO, cast
from urllib.parse import urlsplit

from sources.addresses import listed
from sources.connections import Connection
from sources.store import Listed
from transforms.errors import BadInput

_SECONDS = (10, 60)  # to connect, and between two pieces of an answer
_SKIPPED_AT_ONCE = 1 << 20


class HttpFile:
    """The one file of an address. A server that knows no ranges is read from the start, and what is known skipped."""

    def __init__(self, uri: str, connection: Connection, named_in: str) -> None:
        import requests

        self._uri, self._named_in = uri, named_in
        self._session = requests.Session()
        # The bytes as they are: `gzip` between server and client would hide their number.
        self._session.headers.update(
            {"Accept-Encoding": "identity", **{k: str(v) for k, v in connection.extra.items()}}
        )
        if connection.login:
            self._session.auth = (connection.login, connection.password)

    def files(self) -> list[Listed]:
        """Return the file with the size that the server tells; none if it knows no such file."""
        answer = self._session.head(self._uri, allow_redirects=True, timeout=_SECONDS)
        if answer.status_code in (404, 410):
            return []
        self._check(answer.status_code)
        size = answer.headers.get("Content-Length", "")
        if not size.isdigit():
            raise BadInput(
                f"{self._named_in}: {listed(self._uri)!r} does not tell its size; fetch it and name the copy."
            )
        return [Listed(self._uri, listed(self._uri), int(size))]

    def open(self, path: str, offset: int, end: int) -> BinaryIO:
        """Ask for a part of the file."""
        headers = {"Range": f"bytes={offset}-{end - 1}"}
        answer = self._session.get(path, headers=headers, stream=True, timeout=_SECONDS)
        if answer.status_code in (404, 410, 416):
            raise FileNotFoundError(None, "it is not there any more, or shorter than before")
        self._check(answer.status_code)
        stream = cast(BinaryIO, answer.raw)
        if answer.status_code != 206:
            while offset > 0 and (skipped := stream.read(min(offset, _SKIPPED_AT_ONCE))):
                offset -= len(skipped)
        return stream

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _check(self, status: int) -> None:
        if status in (401, 403):
            raise BadInput(
                f"{self._named_in}: {listed(self._uri)!r} is refused to us ({status}); check the credentials."
            )
        if status >= 400:
            raise OSError(None, f"the server answers {status}")


def connect(uri: str, connection: Connection, named_in: str) -> HttpFile:
    """Return the file behind `uri`; nothing is asked of the server yet."""
    if any(sign in urlsplit(uri).path for sign in "*["):
        raise BadInput(f"{named_in}: {listed(uri)!r}: an HTTP server lists nothing; name its files one by one.")
    return HttpFile(uri, connection, named_in)
