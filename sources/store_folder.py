"""A folder on this machine whose files grow and are rotated."""

from pathlib import Path
from typing import BinaryIO

from sources.locate import locate_local
from sources.store import Listed


class Folder:
    """A pattern on this machine; a file's listed name is as in `locate`."""

    def __init__(self, pattern: str, base: Path, named_in: str) -> None:
        self._pattern, self._base, self._named_in = pattern, base, named_in

    def files(self) -> list[Listed]:
        """Return the files that the pattern means."""
        found = locate_local(self._pattern, self._base, self._named_in)
        return [Listed(str(f.local_path), f.uri, f.local_path.stat().st_size) for f in found if f.local_path]

    def open(self, path: str, offset: int, end: int) -> BinaryIO:
        """Open a file from `offset` on."""
        stream = open(path, "rb")  # noqa: SIM115  # whoever asked for it closes it
        stream.seek(offset)
        return stream

    def close(self) -> None:
        """Nothing is held."""
