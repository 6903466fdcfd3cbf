"""Objects in S3 or in a store that speaks like it: `s3://bucket/prefix/*.log.gz`.

Key and secret are the connection's login and password, else what the AWS tools would use (environment, files, role);
`endpoint_url` and `region_name` in its extra name a store other than Amazon's.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from sources.connections import Connection
from sources.errors import BadInput
from sources.store import Listed
from sources.store_fsspec import FsspecStore

_CONNECT_SECONDS, _REQUEST_SECONDS = 10, 60
_FINAL = re.compile("NO_SUCH_BUCKET|ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|HTTP status 40[13]")


class S3Objects(FsspecStore):
    """A pattern within a bucket."""

    def __init__(self, system: Any, pattern: str, head: str, named_in: str) -> None:
        super().__init__(system, pattern, head)
        self._named_in = named_in

    def files(self) -> list[Listed]:
        """Return the objects that the pattern means; `BadInput` where the store refuses us."""
        try:
            return super().files()
        except OSError as error:
            if refusal := _FINAL.search(str(error)):
                why = refusal[0].lower().replace("_", " ")
                raise BadInput(
                    f"{self._named_in}: s3://{self._pattern} is refused ({why}); check bucket, key and secret."
                ) from None
            raise


def connect(uri: str, connection: Connection, named_in: str) -> S3Objects:
    """Return the store for `uri`; nothing is asked of it yet."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "request_timeout": _REQUEST_SECONDS}
    if connection.login:
        options |= {"access_key": connection.login, "secret_key": connection.password}
    if token := connection.extra.get("aws_session_token"):
        options["session_token"] = str(token)
    if region := connection.extra.get("region_name"):
        options["region"] = str(region)
    if endpoint := connection.extra.get("endpoint_url"):
        address = urlsplit(str(endpoint))
        options |= {"scheme": address.scheme, "endpoint_override": address.netloc}
    parts = urlsplit(uri)
    system = ArrowFSWrapper(S3FileSystem(**options))
    return S3Objects(system, parts.netloc + parts.path, f"{parts.scheme}://", named_in)
