"""Which files does a path, a glob or a URI of the incident file mean, and under which name are they listed?

A relative path is relative to the incident file and is listed so, whatever machine the run happens on. Secrets in a URI
(password, query) are never listed.
"""

import glob
import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit, urlunsplit

from transforms.errors import BadInput

_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[a-z0-9]+::")
_MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Found:
    """One file: `uri` as it is listed, `basename` for the copy, `open` to read its bytes as they are."""

    uri: str
    basename: str
    open: Callable[[], BinaryIO] = field(compare=False, repr=False)
    local_path: Path | None = None


def locate(pattern: str, base: Path, named_in: str) -> list[Found]:
    """Return the files that `pattern` means, sorted by listed name; `BadInput` where none is there or reachable."""
    found = _remote(pattern, named_in) if is_remote(pattern) else _local(pattern, base, named_in)
    if not found:
        raise BadInput(
            f"{named_in}: no file matches {listed(pattern)!r}; "
            "correct the path (relative paths start at the incident file)."
        )
    return sorted(found, key=lambda f: f.uri)


def is_remote(uri: str) -> bool:
    """Say whether fsspec must open it."""
    return bool(_REMOTE.match(uri)) and not uri.startswith("file://")


def listed(uri: str) -> str:
    """Return `uri` as it may be shown: without password, query and fragment."""
    if not is_remote(uri):
        return uri
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")
    user = host[0].split(":")[0]
    return urlunsplit((parts.scheme, f"{user}@{host[2]}" if user else host[2], parts.path, "", ""))


def _local(pattern: str, base: Path, named_in: str) -> list[Found]:
    plain = pattern.removeprefix("file://")
    anchored = os.path.join(base, os.path.expanduser(plain))
    if os.path.isdir(anchored):
        raise BadInput(f"{named_in}: {pattern!r} is a folder; name the files in it, such as {plain.rstrip('/')}/*.")
    if os.path.lexists(anchored):
        paths = [anchored]
    else:
        paths = glob.glob(os.path.join(glob.escape(str(base)), os.path.expanduser(plain)), recursive=True)
    is_relative = not os.path.isabs(os.path.expanduser(plain))
    return [_local_file(Path(p), base if is_relative else None, named_in) for p in paths if not os.path.isdir(p)]


def _local_file(path: Path, base: Path | None, named_in: str) -> Found:
    uri = os.path.relpath(path, base) if base is not None else str(path)

    def opened() -> BinaryIO:
        try:
            if not path.is_file():  # a pipe or device would never end
                raise FileNotFoundError(None, "not there any more, or no ordinary file")
            return path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable(uri, named_in, error) from None

    return Found(Path(uri).as_posix(), path.name, opened, path)


def unreadable(uri: str, named_in: str, error: Exception) -> BadInput:
    """Return the error for a file that was listed and can't be read."""
    why = getattr(error, "strerror", None) or type(error).__name__
    return BadInput(f"{named_in}: {listed(uri)!r} cannot be read ({why}); make it readable and run again.")


def _remote(pattern: str, named_in: str) -> list[Found]:
    import fsspec  # slow to import, and local files do without

    try:
        system, path = fsspec.core.url_to_fs(pattern)
        paths = [p for p in system.glob(path)] if _MAGIC.search(path) else [path] if system.exists(path) else []
    except ImportError as error:
        raise BadInput(
            f"{named_in}: {listed(pattern)!r} needs a package that is not installed ({error.name or error})."
        ) from None
    except Exception as error:  # each protocol raises its own; the user needs the address and the reason
        raise BadInput(
            f"{named_in}: {listed(pattern)!r} cannot be reached ({_reason(error, pattern)}); "
            "check address and credentials."
        ) from None
    head = pattern.split("://")[0] + "://" if "://" in pattern else ""
    return [_remote_file(system, str(p), listed(_full(head, pattern, str(p), path)), named_in) for p in paths]


def _full(head: str, pattern: str, path: str, pattern_path: str) -> str:
    """Return the URI of one match: the pattern's own address where it is no glob, else scheme and matched path."""
    if path == pattern_path:
        return pattern
    if "://" in path:
        return path
    netloc = urlsplit(pattern).netloc
    bare = path.lstrip("/")
    return head + (bare if not netloc or bare.startswith(netloc.rpartition("@")[2]) else f"{netloc}/{bare}")


def _reason(error: Exception, pattern: str) -> str:
    words = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return words.replace(pattern, listed(pattern))


def _remote_file(system: Any, path: str, uri: str, named_in: str) -> Found:
    def opened() -> BinaryIO:
        try:
            return system.open(path, "rb", block_size=4 * 1024 * 1024)
        except Exception as error:  # as above
            raise unreadable(uri, named_in, error) from None

    return Found(uri, posixpath.basename(urlsplit(path).path if "://" in path else path), opened)
