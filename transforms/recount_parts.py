"""Which lines are worked on together, so that memory stays bounded whatever the length of the logs?

All that is said of one queue file must be seen at once. Most queue files arrive and end within one piece of the log:
where their ids are never used again, they are told from that piece alone. All other lines are dealt into parts by
queue id (`recount_dealer`). A queue file of which other lines turn up elsewhere (a copy of the log, a late line, a
queue listing) is taken back: its lines are read again and dealt like the others.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import polars as pl

from transforms.recount_dealer import Dealer
from transforms.recount_events import ENDS, is_never_reused, places_in_time, read_events, scan_pieces, with_reuse
from transforms.settings import Settings

_EVENTS_IN_PART = 500_000  # some 130 MB while a part is worked on
_AT_ONCE = 2  # parts in hand, as half of what is done with one is done by one core

Made = TypeVar("Made")
Work = Callable[[int, pl.LazyFrame], Made]
Read = Callable[[], pl.DataFrame]


@dataclass(frozen=True)
class Parts(Generic[Made]):
    """What was made of each part, and the keys of the queue files to leave out of the first so many, the pieces."""

    made: list[Made]
    pieces: int
    taken_back: pl.Series


def work_in_parts(event_files: list[Path], settings: Settings, folder: Path, work: Work[Made]) -> Parts[Made]:
    """Call `work` with the number and the events of each part (see `with_reuse`), two parts at a time."""
    places = places_in_time(event_files)
    scanned = scan_pieces(event_files, _EVENTS_IN_PART)
    pieces = [partial(read_events, piece, places, settings) for piece in scanned]
    if len(pieces) == 1:
        return Parts([work(0, with_reuse(pieces[0]()).lazy())], 1, _no_keys())
    seen, dealer, made = _Seen(), Dealer(folder, len(pieces), _EVENTS_IN_PART), []
    for found in _side_by_side(partial(_work_on_whole, work, number, piece) for number, piece in enumerate(pieces)):
        made.append(found.made)
        seen.add(found)
        dealer.take(found.rest)
    taken_back = seen.taken_back()
    if taken_back.len():
        for again in _side_by_side(partial(_again, piece, taken_back) for piece in pieces):
            dealer.take(again)
    dealt = enumerate(dealer.groups(), start=len(pieces))
    made += _side_by_side(partial(work, number, events.lazy()) for number, events in dealt)
    return Parts(made, len(pieces), taken_back)


def _side_by_side(jobs: Iterable[Callable[[], Made]]) -> Iterator[Made]:
    """Yield what the jobs return, in their order, while the next ones are under way."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running: deque[Future[Made]] = deque()
        for job in jobs:
            running.append(pool.submit(job))
            if len(running) == _AT_ONCE:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


@dataclass(frozen=True)
class _Found(Generic[Made]):
    """What was made of the queue files that are whole in a piece, their keys, all hosts, and the other events."""

    made: Made
    keys: pl.Series
    hosts: pl.Series
    rest: pl.DataFrame


def _work_on_whole(work: Work[Made], number: int, read: Read) -> _Found[Made]:
    events = read()
    keys = _whole(events)
    marked = events.with_columns(is_whole=_is_of(keys))
    made = work(number, marked.lazy().filter("is_whole").with_columns(is_reusable=False))
    rest = marked.filter(~pl.col("is_whole")).drop("is_whole")
    return _Found(made, keys, events["host"].unique(), with_reuse(rest))


def _again(read: Read, taken_back: pl.Series) -> pl.DataFrame:
    """Return the events of queue files that are whole in a piece and are taken back."""
    events = read()
    keys = _whole(events)
    return with_reuse(events.filter(_is_of(keys.filter(keys.is_in(taken_back.implode())))))


def _whole(events: pl.DataFrame) -> pl.Series:
    """Return the keys of queue files that arrive and end here, and whose ids are never used again."""
    told = events.select("kind", "key", "queue_id")
    arrived = told.filter(kind="arrived").filter(is_never_reused())["key"]
    ended = told.filter(pl.col("kind").is_in(ENDS))["key"]
    return arrived.filter(arrived.is_in(ended.implode())).unique()


def _is_of(keys: pl.Series) -> pl.Expr:
    return pl.col("key").is_in(keys.implode()) & (pl.col("kind") != "snapshot")


def _no_keys() -> pl.Series:
    return pl.Series(dtype=pl.UInt64)


@dataclass
class _Seen:
    """The keys of queue files that seemed whole, and what other lines speak of."""

    whole: list[pl.Series] = field(default_factory=list)
    others: list[pl.Series] = field(default_factory=list)
    listed: list[pl.Series] = field(default_factory=list)
    hosts: pl.Series = field(default_factory=_no_keys)

    def add(self, found: _Found[Made]) -> None:
        self.whole.append(found.keys)
        is_single_use = ~pl.col("is_reusable") & (pl.col("kind") != "snapshot")
        self.others.append(found.rest.filter(is_single_use)["key"].unique())
        self.listed.append(found.rest.filter(kind="snapshot")["queue"].unique())
        self.hosts = pl.concat([self.hosts, found.hosts]).unique()

    def taken_back(self) -> pl.Series:
        """Return the keys that seemed whole twice, that other lines name too, or whose queue id is listed."""
        keys, listed = pl.concat(self.whole).sort(), pl.concat(self.listed)
        elsewhere = pl.concat([*self.others, *(listed ^ host for host in self.hosts)]).unique()
        is_twice = (keys == keys.shift(1)).fill_null(False)
        return keys.filter(is_twice | keys.is_in(elsewhere.implode())).unique()
