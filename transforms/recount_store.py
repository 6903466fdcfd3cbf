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

import polars as pl

from transforms.recount_events import read_bulk_senders
from transforms.recount_legs import read_legs
from transforms.recount_lifetimes import tell_lifetimes
from transforms.recount_parts import Parts, work_in_parts
from transforms.recount_recipients import read_recipients
from transforms.settings import Settings

_MESSAGES_IN_SHARE = 200_000
_LINKS = (
    "queue", "host", "arrival", "file", "line", "named", "former", "is_foreign", "has_client", "end_kind", "is_bulk",
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
        legs = pl.read_ipc(self.folder / f"legs-{part}.arrow").drop("leg")
        return legs.with_columns(number=self.numbers[part]).drop_nulls("number")

    def rows(self, part: int) -> pl.DataFrame:
        """Return the recipients' rows of a part, with the numbers of their legs; `row` is unique over all parts."""
        rows = pl.read_ipc(self.folder / f"rows-{part}.arrow").with_row_index("row", offset=self.first_rows[part])
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
        work = partial(_kept, folder, read_bulk_senders(event_files, settings))
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


def _kept(folder: Path, bulk: pl.DataFrame, part: int, events: pl.DataFrame) -> _Part:
    """Write the legs and the recipients' rows of a part; return what is held of it."""
    told = tell_lifetimes(events)
    legs = read_legs(told, bulk).with_row_index("place")
    recipients = read_recipients(told, legs)
    known = recipients.group_by("leg").agg(known=pl.len().cast(pl.Int32))
    placed = recipients.join(legs.select("leg", "place"), on="leg", validate="m:1").drop("leg")
    placed.write_ipc(folder / f"rows-{part}.arrow", compression="lz4")
    counted = legs.join(known, on="leg", how="left", validate="1:1", maintain_order="left")
    counted.with_columns(pl.col("known").fill_null(0)).drop("place").write_ipc(
        folder / f"legs-{part}.arrow", compression="lz4"
    )
    listed_at = told.filter(pl.col("kind") == "snapshot")["at"].max()
    return _Part(
        legs.select("leg", *_LINKS, part=pl.lit(part, pl.UInt16)),
        recipients.height,
        _notices(told),
        listed_at if isinstance(listed_at, int) else None,
    )


def _notices(events: pl.DataFrame) -> pl.DataFrame:
    told = events.filter(pl.col("kind") == "notified", pl.col("related").is_not_null())
    return told.select("host", "at", queue="related").unique()


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
    order = whole.select(pl.arg_sort_by("arrival", "file", "line", "queue")).to_series()
    kept = [name for name in whole.columns if name not in ("file", "line")]
    ordered = pl.DataFrame([whole.drop_in_place(name).gather(order) for name in kept]).with_row_index("number")
    numbers = order.arg_sort()
    return ordered, tuple(numbers.gather(place) for place in places)


def shares(stored: Store, members: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the legs and rows of whole messages, some hundred thousand messages at a time.

    `members` has number, root, depth, message_arrival, in any order; legs that are not in it are left out.
    """
    roots = members.select("root").unique().sort("root").with_row_index("place")
    count = -(-roots.height // _MESSAGES_IN_SHARE) or 1
    placed = members.join(roots, on="root", validate="m:1").with_columns(
        share=(pl.col("place") // _MESSAGES_IN_SHARE).cast(pl.UInt16)
    )
    placed = placed.drop("place")
    if stored.parts == 1 or count == 1:
        legs = [stored.legs(p).join(placed, on="number", validate="1:1") for p in range(stored.parts)]
        rows = [stored.rows(p).join(placed, on="number", validate="m:1") for p in range(stored.parts)]
        yield from _split(pl.concat(legs), pl.concat(rows), count)
        return
    empty = {}
    for part in range(stored.parts):
        for what, frame in (("legs", stored.legs(part)), ("rows", stored.rows(part))):
            joined = frame.join(placed, on="number", validate="m:1")
            empty[what] = joined.clear()
            for (share,), some in joined.partition_by("share", as_dict=True).items():
                to = stored.folder / f"{what}-of-{share}-{part}.parquet"
                some.write_parquet(to, compression="lz4", statistics=False)
    for share in range(count):
        of_legs, of_rows = (
            pl.concat([none, *map(pl.read_parquet, sorted(stored.folder.glob(f"{what}-of-{share}-*.parquet")))])
            for what, none in empty.items()
        )
        yield of_legs.drop("share"), of_rows.drop("share")


def _split(legs: pl.DataFrame, rows: pl.DataFrame, count: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    for share in range(count):
        yield legs.filter(share=share).drop("share"), rows.filter(share=share).drop("share")
