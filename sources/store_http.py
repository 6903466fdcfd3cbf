"""One file behind an HTTP or HTTPS address, read from any byte on by range requests.

Login and password of the connection are sent as basic authentication; its extra holds headers, such as a bearer token,
and in `verify` the file of the authorities that may have signed the server's certificate, where those of the machine do
not hold. Certificates are checked always. What the connection holds is not sent on where a server leads to another.
"""

from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import requests

from sources.addresses import listed
from sources.connections import Connection
from sources.errors import BadInput
from sources.store import Listed

_SECONDS = (10, 60)  # to connect, and between two pieces of an answer
_SKIPPED_AT_ONCE = 1 << 20


class HttpFile:
    """The one file of an address. A server that knows no ranges is read from the start, and what is known skipped."""

    def __init__(self, uri: str, connection: Connection, named_in: str) -> None:
        self._uri, self._named_in = uri, named_in
        own = {name: str(value) for name, value in connection.extra.items() if name != "verify"}
        self._session = _Session(own)
        authorities = connection.extra.get("verify")
        self._verify = str(authorities) if authorities else None  # None: those of the machine
        if connection.login:
            self._session.auth = (connection.login, connection.password)

    def files(self) -> list[Listed]:
        """Return the file with the size that the server tells; none if it knows no such file."""
        answer = self._ask("HEAD", self._uri)
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
        answer = self._ask("GET", path, headers=headers, stream=True)
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

    def _ask(self, method: str, uri: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(
                method, uri, allow_redirects=True, timeout=_SECONDS, verify=self._verify, **options
            )
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise
            raise BadInput(
                f"{self._named_in}: {listed(self._uri)!r} shows a certificate that we do not trust; name the file of "
                "the authority that signed it as `verify` in the connection's extra, or mend the server's."
            ) from None

    def _check(self, status: int) -> None:
        if status in (401, 403):
            raise BadInput(
                f"{self._named_in}: {listed(self._uri)!r} is refused to us ({status}); check the credentials."
            )
        if status >= 400:
            raise OSError(None, f"the server answers {status}")


class _Session(requests.Session):
    """Sends headers of its own to the host that it was made for, and to no other."""

    def __init__(self, own: dict[str, str]) -> None:
        super().__init__()
        self._own = own
        # The bytes as they are: `gzip` between server and client would hide their number.
        self.headers.update({"Accept-Encoding": "identity", **own})

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called when a server leads elsewhere: leave out what is for that server alone."""
        super().rebuild_auth(prepared_request, response)
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            for name in self._own:
                prepared_request.headers.pop(name, None)


def connect(uri: str, connection: Connection, named_in: str) -> HttpFile:
    """Return the file behind `uri`; nothing is asked of the server yet. `BadInput`: its connection asks too much."""
    if connection.extra.get("verify", "") in (False, "false", "False"):
        raise BadInput(
            f"{named_in}: connection {connection.name!r} asks not to check certificates; name the file of the "
            "authority that signed the server's as `verify` instead."
        )
    if any(sign in urlsplit(uri).path for sign in "*["):
        raise BadInput(f"{named_in}: {listed(uri)!r}: an HTTP server lists nothing; name its files one by one.")
    return HttpFile(uri, connection, named_in)
