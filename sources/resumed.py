"""The bytes of a file in a store, resumed where a connection is cut; whole lines of it where the file still grows."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from sources.addresses import listed
from sources.errors import BadInput, SourceAway
from sources.store import Listed, Store

PAUSES = (1.0, 4.0, 15.0)  # seconds before each further try at a server that does not answer
_PIECE = 1 << 20
_LONGEST_LINE = 1 << 25  # what is longer is no line: it is not waited for
_T = TypeVar("_T")


class Vanished(BadInput):
    """A file was there when it was listed, and is gone, shorter or another one when it was read."""


def insist(ask: Callable[[], _T], uri: str, named_in: str) -> _T:
    """Return what a server answers, asked again after a pause where it does not; `SourceAway` if it never does."""
    pauses = iter(PAUSES)
    while True:
        try:
            return ask()
        except BadInput:
            raise
        except FileNotFoundError:
            raise Vanished(f"{named_in}: {listed(uri)!r} vanished while it was read; run again.") from None
        except PermissionError:
            raise BadInput(f"{named_in}: {listed(uri)!r} may not be read by us; give us the right to.") from None
        except Exception as error:  # each protocol raises its own kinds; the user needs the address and the reason
            pause = next(pauses, None)
            if pause is None:
                raise SourceAway(
                    f"{named_in}: {listed(uri)!r} cannot be reached ({_reason(error)}); check address and credentials, "
                    "or run again when it is back."
                ) from None
            time.sleep(pause)


def rest_of(store: Store, file: Listed, offset: int, is_same: Callable[[], bool], named_in: str) -> Iterator[bytes]:
    """Yield the bytes of `file` from `offset` to the size that was listed.

    `is_same` is asked before a cut file is read on: under its name may be another by now. `Vanished`, `SourceAway`.
    """
    with ExitStack() as opened:
        streams: list[BinaryIO] = []

        def piece() -> bytes:
            try:
                if not streams:
                    streams.append(opened.enter_context(closing(store.open(file.path, offset, file.size))))
                return streams[0].read(min(_PIECE, file.size - offset))
            except Exception:
                streams.clear()
                if offset and not is_same():
                    raise FileNotFoundError(None, "another file by now") from None
                raise

        while offset < file.size:
            data = insist(piece, file.uri, named_in)
            if not data:
                raise Vanished(f"{named_in}: {file.uri!r} shrank while it was read; run again.")
            offset += len(data)
            yield data


class Joined:
    """Bytes that were kept before, then the rest, as one stream.

    `leaves_line`: what stands behind the last line end is not given. Where the rest `may_break_off`, that ends the
    stream, and `failure` says why; else it raises.
    """

    def __init__(
        self, kept: BinaryIO | None, rest: Iterator[bytes], *, leaves_line: bool, may_break_off: bool = True
    ) -> None:
        self._kept, self._rest = kept, rest
        self._leaves_line, self._may_break_off = leaves_line, may_break_off
        self._line = b""  # received, and not known to be whole
        self.failure: BadInput | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, of the rest as many as come at once; none at the end."""
        if self._kept and (data := self._kept.read(size)):
            return data
        while data := self._next():
            data = self._line + data
            is_text = self._leaves_line and len(data) < _LONGEST_LINE
            whole = data.rfind(b"\n") + 1 if is_text else len(data)
            self._line = data[whole:]
            if whole:
                return data[:whole]
        return b""

    def _next(self) -> bytes:
        try:
            return next(self._rest, b"")
        except BadInput as error:
            if not self._may_break_off:
                raise
            self.failure = error
            return b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept:
            self._kept.close()


def _reason(error: Exception) -> str:
    """Say in a few words what a library raised; what follows a `?` in an address may be a secret."""
    words = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0] or type(error).__name__
    return re.sub(r"\?\S+", "?…", str(words))[:200]
