"""A connection by its name: host and credentials, in the environment as Airflow spells them.

`AIRFLOW_CONN_<NAME>` (the name in capitals) holds a URI or JSON. On the command line the operator sets it; a DAG's task
sets it for itself, from wherever its Airflow keeps connections. Nothing of it is listed, kept or written to a message.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sources.errors import BadInput

_SAME_KIND = {"postgresql": "postgres", "ssh": "sftp", "https": "http", "s3": "aws"}


@dataclass(frozen=True)
class Connection:
    """Where a source is and how to be let in; what is not given is empty, `port` None. `kind` is Airflow's type."""

    name: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def variable_of(name: str) -> str:
    """Return the environment variable that holds the connection `name`."""
    return f"AIRFLOW_CONN_{name.upper()}"


def find_connection(name: str, key: str, named_in: str) -> Connection:
    """Return the connection `name`, which `key` of the incident file asks for.

    `BadInput`: the variable is not set, or holds neither a URI nor JSON; its value is never shown.
    """
    variable = variable_of(name)
    text = os.environ.get(variable, "").strip()
    if not text:
        raise BadInput(
            f"{named_in}: {key} {name!r} needs the environment variable {variable}; set it to an Airflow connection, "
            "as a URI or as JSON."
        )
    try:
        return _from_json(name, text) if text.startswith("{") else _from_uri(name, text)
    except (ValueError, TypeError, AttributeError):
        raise BadInput(
            f"{named_in}: {variable} is not an Airflow connection; write it like "
            "TYPE://LOGIN:PASSWORD@HOST:PORT/SCHEMA, special characters percent-encoded, or as JSON."
        ) from None


def _from_json(name: str, text: str) -> Connection:
    given = json.loads(text)
    extra = given.get("extra") or {}
    return Connection(
        name,
        _kind(str(given.get("conn_type", ""))),
        str(given.get("host") or ""),
        int(given["port"]) if given.get("port") else None,
        str(given.get("login") or ""),
        str(given.get("password") or ""),
        str(given.get("schema") or ""),
        json.loads(extra) if isinstance(extra, str) else dict(extra),
    )


def _from_uri(name: str, text: str) -> Connection:
    parts = urlsplit(text)
    if not parts.scheme or "://" not in text:
        raise ValueError
    # Not `parts.hostname`, which would put it in lower case: it may be the path of a socket or of a file.
    place = parts.netloc.rpartition("@")[2]
    host = place if place.endswith("]") or ":" not in place else place.rpartition(":")[0]
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Connection(
        name,
        _kind(parts.scheme),
        unquote(host.strip("[]")),
        parts.port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        unquote(parts.path[1:]),
        json.loads(extra["__extra__"]) if "__extra__" in extra else extra,
    )


def _kind(word: str) -> str:
    kind = word.lower().replace("-", "_")
    return _SAME_KIND.get(kind, kind)
