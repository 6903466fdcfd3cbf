"""Logging in to a host by SSH. A host whose key is not known is not talked to, whatever the connection says.

The connection's extra may hold `key_file`, or `private_key`, with `private_key_passphrase`; and `host_key` (as in
known_hosts, without the name) or `known_hosts` (a file), else ~/.ssh/known_hosts must know the host. Without a password
or key, the agent and the keys in ~/.ssh are tried.
"""

import base64
import io
import logging
import os

import paramiko
from paramiko.pkey import UnknownKeyType

from sources.connections import Connection
from sources.errors import BadInput

SECONDS = 20  # to connect, and between two pieces of an answer
# What goes wrong is raised; paramiko would also print it, with a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


def log_in(host: str, known: Connection, named_in: str) -> paramiko.SSHClient:
    """Return a client that is logged in to `host` at the port and with the credentials of `known`.

    `BadInput`: the host's key is unknown or another, or it does not let us in; what trying again may mend is raised as
    `OSError` or `paramiko.SSHException`.
    """
    where, extra = f"{named_in}: {host}", known.extra
    client = paramiko.SSHClient()  # its policy for hosts that it doesn't know is to refuse them
    port = known.port or 22
    _trust(client, host if port == 22 else f"[{host}]:{port}", known, where)
    key, key_file = _key(known, where), _key_file(known, where)
    has_own = bool(known.password or key or key_file)
    try:
        client.connect(
            host,
            port,
            known.login or None,
            known.password or None,
            key,
            key_file,
            timeout=SECONDS,
            banner_timeout=SECONDS,
            auth_timeout=SECONDS,
            passphrase=extra.get("private_key_passphrase"),
            allow_agent=not has_own,
            look_for_keys=not has_own,
        )
    except paramiko.BadHostKeyException:
        raise BadInput(f"{where} shows another key than the known one; find out why before anything else.") from None
    except (paramiko.AuthenticationException, paramiko.PasswordRequiredException):
        raise BadInput(f"{where} does not let us in; check login, password or key of the connection.") from None
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            raise BadInput(
                f"{where} shows a key that is not known; add it to known_hosts, or as host_key to the connection, "
                "once you have compared it with the host's own."
            ) from None
        raise
    return client


def _trust(client: paramiko.SSHClient, name: str, known: Connection, where: str) -> None:
    """Load the keys by which the host is known."""
    extra = known.extra
    if str(extra.get("no_host_key_check", "")).lower() == "true":
        raise BadInput(f"{where} must show its key: take no_host_key_check out of the connection, and give host_key.")
    if host_key := str(extra.get("host_key", "")).split():
        try:
            key = paramiko.PKey.from_type_string(host_key[0], base64.b64decode(host_key[1]))
        except (ValueError, IndexError, paramiko.SSHException, UnknownKeyType):
            raise BadInput(f"{where}: host_key of the connection is none; write it like `ssh-ed25519 AAAA…`.") from None
        client.get_host_keys().add(name, host_key[0], key)
        return
    path = os.path.expanduser(str(extra.get("known_hosts", "~/.ssh/known_hosts")))
    if os.path.isfile(path):
        client.load_host_keys(path)
    elif "known_hosts" in extra:
        raise BadInput(f"{where}: known_hosts of the connection is not there; correct the path.")


def _key_file(known: Connection, where: str) -> str | None:
    path = known.extra.get("key_file")
    if path and not os.access(os.path.expanduser(str(path)), os.R_OK):
        raise BadInput(f"{where}: key_file of the connection cannot be read; correct the path or its rights.")
    return os.path.expanduser(str(path)) if path else None


def _key(known: Connection, where: str) -> paramiko.PKey | None:
    text, phrase = known.extra.get("private_key"), known.extra.get("private_key_passphrase")
    if not text:
        return None
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(str(text)), phrase)
        except (paramiko.SSHException, ValueError):
            continue
    raise BadInput(f"{where}: private_key of the connection is no OpenSSH key, or has another passphrase.")
