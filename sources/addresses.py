"""How the address of a file is shown: without secrets, and on one line whatever its name holds."""

import re
from urllib.parse import urlsplit, urlunsplit

MAGIC = re.compile(r"[*?[]")  # what makes a path a pattern
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[a-z0-9]+::")


def is_remote(uri: str) -> bool:
    """Say whether it is more than a path on this machine."""
    return bool(_REMOTE.match(uri)) and not uri.startswith("file://")


def listed(uri: str) -> str:
    """Return `uri` as it may be shown: without password, query and fragment, line breaks and the like escaped."""
    if not is_remote(uri):
        return one_line(uri)
    parts = urlsplit(one_line(uri))
    host = parts.netloc.rpartition("@")
    user = host[0].split(":")[0]
    return urlunsplit((parts.scheme, f"{user}@{host[2]}" if user else host[2], parts.path, "", ""))


def one_line(name: str) -> str:
    """Return a file's name with what does not print as `\\n`, `\\x1b` and so on; it cannot imitate another line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in name)
