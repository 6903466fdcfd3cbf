"""Pull logs that grow and are rotated: each byte once, and none missed.

A file is compared with what was received before: the longest known content that it begins with is not pulled again,
whatever the file is called now. So a file that grew, was renamed, copied or cut off and begun anew is each time pulled
from where it is new. What was received stays an input when its file is gone, named `uri#digest`, unless a file that is
there holds it too, compressed or not.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from fsspec.utils import glob_translate

from sources.addresses import is_remote, listed
from sources.compression import codec_of
from sources.errors import BadInput, SourceAway
from sources.ledger import EDGE, Entry, Ledger, digest, entry_of, is_within
from sources.locate import Found, nothing_matches
from sources.log_spec import LogSpec, refuse_other_options
from sources.pulled import Pulled
from sources.raw_store import Receipt, receive, settle
from sources.resumed import Joined, Vanished, insist, rest_of
from sources.store import Listed, Store, open_store
from sources.store_folder import Folder

# Hosts that are pulled from at the same time; each over one connection, one file after the other.
_AT_ONCE = 4
# A file may be rotated between listing and reading: then it is there under another name when we look again.
_LOOKS = 3


@dataclass(frozen=True)
class Followed:
    """All that was received by now, and the kept bytes that a longer or other copy has made needless."""

    files: list[Pulled]
    needless: list[Receipt]


def pull_followed(specs: Iterable[LogSpec], folder: Path, into: Path) -> Followed:
    """Pull what is new in every place that `specs` name, aside in `folder` and then kept in the run's folder `into`.

    `BadInput`: nothing matches and nothing ever did; a place can't be reached; a file vanished or broke off. Whatever
    else came is kept, and the next pull goes on from there.
    """
    by_place: dict[str, list[LogSpec]] = defaultdict(list)
    for spec in specs:
        by_place[_address(spec.uri)].append(spec)
    ledger = Ledger(into)
    places = [_Place(address, entries, ledger, folder, into) for address, entries in by_place.items()]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pulls = [pool.submit(place.pull) for place in places]
    pulled = [pull.result() for pull in pulls]
    return Followed([f for p in pulled for f in p.files], [r for p in pulled for r in p.needless])


class _Place:
    """One host or bucket, or this machine, and what is known of its files."""

    def __init__(self, address: str, specs: list[LogSpec], ledger: Ledger, folder: Path, into: Path) -> None:
        self._address, self._specs, self._ledger = address, specs, ledger
        self._folder, self._into = folder, into
        self._before = self._known = ledger.of(address)

    def pull(self) -> Followed:
        """Take in what is new; look again where a file vanished, as it may only have been renamed."""
        failures: list[BadInput] = []
        for _ in range(_LOOKS):
            present, failures = self._look()
            if not failures:
                return self._settled(present)
            if not all(isinstance(failure, Vanished) for failure in failures):
                break
        raise failures[0]

    def _look(self) -> tuple[dict[str, tuple[LogSpec, Entry]], list[BadInput]]:
        """List every pattern once and take in what it means; one file's failure does not keep us from the others."""
        present: dict[str, tuple[LogSpec, Entry]] = {}
        failures: list[BadInput] = []
        for spec in self._specs:
            store = _store(spec)
            try:
                for file in insist(store.files, spec.uri, spec.named_in):
                    if file.uri in present:
                        refuse_other_options(present[file.uri][0], spec, file.uri)
                        continue
                    try:
                        present[file.uri] = spec, self._take(store, file, spec)
                    except SourceAway:
                        raise
                    except BadInput as failure:
                        failures.append(failure)
            except BadInput as failure:
                failures.append(failure)
            finally:
                store.close()
        return present, failures

    def _take(self, store: Store, file: Listed, spec: LogSpec) -> Entry:
        """Keep one file as far as it goes; return its entry."""

        def part(start: int, end: int) -> bytes:
            return insist(lambda: _part(store, file, start, end), file.uri, spec.named_in)

        head = part(0, min(EDGE, file.size))
        base = self._longest_known(file, head, part)
        if base and base.size == file.size:
            return self._remember(replace(base, uri=file.uri, seen=file.size), base)

        def is_same() -> bool:
            return part(0, len(head)) == head

        is_still = any(e.uri == file.uri and e.seen == file.size for e in self._before)
        kept = base.receipt(self._into) if base else None
        stream = Joined(
            (self._into / kept.path).open("rb") if kept else None,
            rest_of(store, file, base.size if base else 0, is_same, spec.named_in),
            leaves_line=codec_of(head[:10]) is None and not is_still,
        )
        found = Found(file.uri, posixpath.basename(file.uri), lambda: cast(BinaryIO, stream))
        arrival = receive(found, self._folder, self._into, spec.named_in)
        if not stream.failure and not is_same():
            raise Vanished(f"{spec.named_in}: {file.uri!r} was replaced while it was read; run again.")
        receipt = settle(arrival, self._into)
        seen = receipt.bytes if stream.failure else file.size
        entry = self._remember(entry_of(file.uri, receipt, seen, self._into), base)
        if stream.failure:
            raise stream.failure
        return entry

    def _longest_known(self, file: Listed, head: bytes, part: Callable[[int, int], bytes]) -> Entry | None:
        """Return the longest content received before that the file begins with, told by both its ends."""
        for entry in sorted(self._known, key=lambda e: e.size, reverse=True):
            begins_so = 0 < entry.size <= file.size and digest(head[: entry.size]) == entry.head
            if begins_so and (entry.size <= EDGE or digest(part(entry.size - EDGE, entry.size)) == entry.tail):
                return entry
        return None

    def _remember(self, entry: Entry, base: Entry | None) -> Entry:
        """Write an entry down; what it grew from under the same name is not needed any more."""
        grown = base if base and base.uri == entry.uri else None
        self._known = [*(e for e in self._known if e not in (grown, entry)), entry]
        self._ledger.replace(self._address, self._known)
        return entry

    def _settled(self, present: dict[str, tuple[LogSpec, Entry]]) -> Followed:
        """Return what is there and what was there before, unless something there holds it too."""
        files = [Pulled(spec, uri, self._receipt(entry)) for uri, (spec, entry) in present.items()]
        here = [entry for _, entry in present.values()]
        left = [
            e
            for e in self._known
            if e not in here and e.size and not any(is_within(e, f.receipt, self._into) for f in files)
        ]
        for entry in left:
            spec = next((s for s in self._specs if _means(s.uri, entry.uri)), None)
            if spec:
                files.append(Pulled(spec, f"{entry.uri}#{entry.sha256[:8]}", self._receipt(entry)))
        for spec in self._specs:
            if not any(_means(spec.uri, entry.uri) for entry in (*here, *left)):
                raise nothing_matches(spec.uri, spec.named_in)
        self._ledger.replace(self._address, [*here, *left])
        needed = {e.sha256 for e in (*here, *left)}
        return Followed(files, [self._receipt(e) for e in (*self._before, *self._known) if e.sha256 not in needed])

    def _receipt(self, entry: Entry) -> Receipt:
        receipt = entry.receipt(self._into)
        if receipt is None:
            raise BadInput(f"{self._into}: the kept bytes of {entry.uri!r} are gone; run again to pull them once more.")
        return receipt


def _address(uri: str) -> str:
    parts = urlsplit(listed(uri))
    return f"{parts.scheme}://{parts.netloc}" if is_remote(uri) else "file://"


def _store(spec: LogSpec) -> Store:
    if is_remote(spec.uri):
        return open_store(spec.uri, spec.connection, spec.named_in)
    return Folder(spec.uri, spec.base, spec.named_in)


def _means(pattern: str, uri: str) -> bool:
    return uri == listed(pattern) or bool(re.match(glob_translate(listed(pattern)), uri))


def _part(store: Store, file: Listed, start: int, end: int) -> bytes:
    """Read the bytes [start, end) of a file, fewer only if it is shorter by now."""
    data = b""
    if start < end:
        with closing(store.open(file.path, start, end)) as stream:
            while len(data) < end - start and (piece := stream.read(end - start - len(data))):
                data += piece
    return data
