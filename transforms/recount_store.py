"""How does the second count keep its memory bounded, whatever the length of the logs?

All that is said of one queue file lies in one part of the events (`recount_parts`), and each part becomes legs and
recipients' rows, on disk. Only what links queue files to one another is held for all at once. Whole messages are then
dealt into shares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from transforms.recount_legs import read_legs
from transforms.recount_lifetimes import tell_lifetimes
from transforms.recount_parts import Parts, work_in_parts
from transforms.recount_recipients import read_recipients
from transforms.settings import Settings

_MESSAGES_IN_SHARE = 200_000
_LINKS = (
    "queue", "host", "arrival", "first_line", "named", "former", "is_foreign", "has_client", "end_kind", "is_bulk",
)  # fmt: skip
_OF_LEGS = (
    "has_host", "last_at", "ended_at", "end_kind", "expired_at", "recipient_count", "announced_count", "is_accepted",
    "is_listed",
)  # fmt: skip


@dataclass(frozen=True)
class Store:
    """The parts on disk, and what is held of all: `links`, one row per leg in order of arrival, `number` its place.

    `notices` has what was said of non-delivery notices (host, at, queue), `listed_at` the stamp of the queue listing.
    """

    folder: Path
    parts: int
    links: pl.DataFrame
    numbers: tuple[pl.Series, ...]  # of each part's legs, in the order in which they are stored; null: left out
    first_rows: tuple[int, ...]  # the number of each part's first row
    notices: pl.DataFrame
    listed_at: int | None

    def legs(self, part: int) -> pl.DataFrame:
        """Return the legs of a part, with their numbers."""
        legs = pl.read_ipc(self.folder / f"legs-{part}.arrow")
        return legs.with_columns(number=self.numbers[part]).drop_nulls("number")

    def rows(self, part: int, *columns: str) -> pl.DataFrame:
        """Return the recipients' rows of a part, or these columns, with the numbers of their legs.

        `row` is unique over all parts.
        """
        read = pl.read_ipc(self.folder / f"rows-{part}.arrow", columns=[*columns, "place"] if columns else None)
        rows = read.with_row_index("row", offset=self.first_rows[part])
        return rows.with_columns(number=self.numbers[part].gather(rows["place"])).drop("place").drop_nulls("number")

    def legs_of(self, numbers: pl.DataFrame) -> pl.DataFrame:
        """Return the legs with these numbers."""
        places = self.links.join(numbers, on="number", how="semi")["part"].unique()
        found = [self.legs(part).join(numbers, on="number", how="semi") for part in places]
        return pl.concat(found) if found else self.legs(0).clear()


@contextmanager
def store(event_files: list[Path], settings: Settings) -> Iterator[Store]:
    """Read the events into a `Store`, which is gone when the block ends."""
    with TemporaryDirectory(prefix="mailtoll-recount-") as name:
        folder = Path(name)
        work = partial(_kept, folder)
        parts = work_in_parts(event_files, settings, folder, work)
        times = [part.listed_at for part in parts.made if part.listed_at is not None]
        notices = pl.concat([part.notices for part in parts.made])
        first_rows = tuple(accumulate((part.rows for part in parts.made), initial=0))
        links, numbers = _numbered(parts)
        yield Store(folder, len(numbers), links, numbers, first_rows, notices, max(times, default=None))


@dataclass
class _Part:
    """What is held of a part: its legs' links in the order in which they are stored; see `Store`."""

    links: pl.DataFrame
    rows: int
    notices: pl.DataFrame
    listed_at: int | None


def _kept(folder: Path, part: int, events: pl.LazyFrame) -> _Part:
    """Write the legs and the recipients' rows of a part; return what is held of it."""
    told = tell_lifetimes(events)
    legs = read_legs(told)
    rows = read_recipients(told, legs)
    known = pl.Series(np.bincount(rows["place"].to_numpy(), minlength=legs.height), dtype=pl.Int32)
    rows.write_ipc(folder / f"rows-{part}.arrow")  # codes, which nothing makes smaller
    legs.select(*_OF_LEGS, known=known).write_ipc(folder / f"legs-{part}.arrow")
    stamps = told.filter(pl.col("kind") == "snapshot").select("at").collect().to_series()
    listed_at = stamps.max()
    return _Part(
        legs.select("leg", *_LINKS, part=pl.lit(part, pl.UInt16)),
        rows.height,
        _notices(told),
        listed_at if isinstance(listed_at, int) else None,
    )


def _notices(events: pl.LazyFrame) -> pl.DataFrame:
    told = events.filter(pl.col("kind") == "notified", pl.col("related").is_not_null())
    return told.select("host", "at", queue="related").unique().collect()


def _numbered(parts: Parts[_Part]) -> tuple[pl.DataFrame, tuple[pl.Series, ...]]:
    """Return the links of all legs in order of arrival, and each part's numbers; a leg that is taken back has none.

    The parts' own links are let go, and columns put in order one by one, as they are long.
    """
    held, places, offset = [], [], 0
    for number, part in enumerate(parts.made):
        is_out = pl.col("leg").is_in(parts.taken_back.implode()) if number < parts.pieces else pl.lit(False)
        links = part.links.with_columns(is_kept=~is_out)
        place = pl.when("is_kept").then(pl.col("is_kept").cum_sum().cast(pl.UInt32) + (offset - 1))
        places.append(links.select(place).to_series())
        held.append(links.filter("is_kept").drop("leg", "is_kept"))
        offset += held[-1].height
    parts.made.clear()
    whole = pl.concat(held)
    held.clear()
    order = _in_order(whole)
    kept = [name for name in whole.columns if name != "first_line"]
    ordered = pl.DataFrame([whole.drop_in_place(name).rechunk().gather(order) for name in kept])
    numbers = np.empty(order.len(), np.uint32)
    numbers[order.to_numpy()] = np.arange(order.len(), dtype=np.uint32)
    return ordered.with_row_index("number"), tuple(pl.Series(numbers).gather(place) for place in places)


def _in_order(links: pl.DataFrame) -> pl.Series:
    """Return the rows' places in order of arrival, then of the first line; those without a line first, by queue id.

    NumPy's sort gains from the parts, which are nearly in order; that of Polars takes ten times the work.
    """
    logged = pl.col("first_line") + pl.lit(2**63, pl.UInt64)
    line = links.select(pl.coalesce(logged, pl.col("queue") // 2)).to_series()
    return pl.Series(np.lexsort((line.to_numpy(), links["arrival"].to_numpy()))).cast(pl.UInt32)


def shares(stored: Store, members: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the legs and rows of whole messages: those that lie in one part, part by part, then the others.

    `members` has number, root, depth, message_arrival, in any order; legs that are not in it are left out.
    """
    part_of = stored.links["part"]
    placed = members.with_columns(part=part_of.gather(members["number"]))
    later = placed.filter(pl.col("depth") > 0)
    scattered = later.filter(later["part"] != part_of.gather(later["root"]))["root"].unique()
    placed = placed.with_columns(is_whole=~pl.col("root").is_in(scattered.implode()))
    for part in placed.filter("is_whole")["part"].unique().sort():
        yield from _of_parts(stored, placed.filter("is_whole", part=part))
    yield from _of_parts(stored, placed.filter(~pl.col("is_whole")))


def _of_parts(stored: Store, members: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the legs and rows of these messages, at most `_MESSAGES_IN_SHARE` messages at a time; at least once."""
    parts = members["part"].unique().sort().to_list() or [0]
    if members.height <= _MESSAGES_IN_SHARE:
        own = members.drop("part", "is_whole")
        legs = [stored.legs(part).join(own, on="number", validate="1:1") for part in parts]
        yield pl.concat(legs), pl.concat([stored.rows(part).join(own, on="number", validate="m:1") for part in parts])
        return
    dealt = members.select(
        pl.exclude("part", "is_whole"), share=((pl.col("root").rank("dense") - 1) // _MESSAGES_IN_SHARE).cast(pl.UInt16)
    )
    with TemporaryDirectory(dir=stored.folder) as name:
        empty, folder = {}, Path(name)
        for part in parts:
            for what, frame in (("legs", stored.legs(part)), ("rows", stored.rows(part))):
                joined = frame.join(dealt, on="number", validate="m:1")
                empty[what] = joined.drop("share").clear()
                for (share,), some in joined.partition_by("share", as_dict=True, include_key=False).items():
                    some.write_ipc(folder / f"{what}-of-{share}-{part}.arrow")
        for share in range(dealt.select(pl.col("share").max()).item() + 1):
            of_legs, of_rows = (
                pl.concat([none, *map(pl.read_ipc, sorted(folder.glob(f"{what}-of-{share}-*.arrow")))])
                for what, none in empty.items()
            )
            yield of_legs, of_rows
