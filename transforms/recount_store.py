"""How does the second count keep its memory bounded, whatever the length of the logs?

Coded events are dealt into parts by queue id, on disk: all that is said of one queue file lies in one part, and one
part at a time becomes legs and recipients' rows. Only what links queue files to one another is held for all at once.
Whole messages are then dealt into shares in the same way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from transforms.recount_events import places_in_time, read_bulk_senders, read_events, scan_pieces
from transforms.recount_legs import read_legs
from transforms.recount_lifetimes import tell_lifetimes
from transforms.recount_recipients import read_recipients
from transforms.settings import Settings

_EVENTS_IN_PART = 1_000_000  # some 200 MB while a part is worked on
_MESSAGES_IN_SHARE = 200_000
_LINKS = (
    "leg", "queue", "host", "arrival", "file", "line", "named", "former", "is_foreign", "has_client",
    "end_kind", "is_bulk",
)  # fmt: skip


@dataclass(frozen=True)
class Store:
    """The parts on disk, and what is held of all: `links`, one row per leg in order of arrival, `number` its place.

    `notices` has what was said of non-delivery notices (host, at, queue), `listed_at` the stamp of the queue listing.
    """

    folder: Path
    parts: int
    links: pl.DataFrame
    numbers: tuple[pl.Series, ...]  # of each part's legs, in the order in which they are stored
    notices: pl.DataFrame
    listed_at: int | None

    def legs(self, part: int) -> pl.DataFrame:
        """Return the legs of a part, with their numbers."""
        return pl.read_parquet(self.folder / f"legs-{part}.parquet").with_columns(number=self.numbers[part]).drop("leg")

    def rows(self, part: int) -> pl.DataFrame:
        """Return the recipients' rows of a part, with the numbers of their legs; `row` is unique over all parts."""
        rows = pl.read_parquet(self.folder / f"rows-{part}.parquet")
        return rows.with_columns(number=self.numbers[part].gather(rows["place"])).drop("place")

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
        bulk = read_bulk_senders(event_files, settings)
        links, notices, listed, rows = [], [], [], 0
        for part, events in enumerate(_dealt(event_files, settings, folder)):
            told = tell_lifetimes(events)
            legs = read_legs(told, bulk).with_row_index("place")
            recipients = read_recipients(told, legs).with_row_index("row", offset=rows)
            rows += recipients.height
            known = recipients.group_by("leg").agg(known=pl.len().cast(pl.Int32))
            placed = recipients.join(legs.select("leg", "place"), on="leg", validate="m:1").drop("leg")
            placed.write_parquet(folder / f"rows-{part}.parquet", compression="lz4", statistics=False)
            counted = legs.join(known, on="leg", how="left", validate="1:1", maintain_order="left")
            counted.with_columns(pl.col("known").fill_null(0)).drop("place").write_parquet(
                folder / f"legs-{part}.parquet", compression="lz4", statistics=False
            )
            links.append(legs.select(*_LINKS, "place", part=pl.lit(part, pl.UInt16)))
            notices.append(_notices(told))
            listed.append(told.filter(pl.col("kind") == "snapshot")["at"].max())
        times = [at for at in listed if isinstance(at, int)]
        ordered = pl.concat(links).sort("arrival", "file", "line", "leg").with_row_index("number")
        numbers = tuple(ordered.filter(part=part).sort("place")["number"] for part in range(len(links)))
        ordered = ordered.drop("file", "line", "leg", "place")
        yield Store(folder, len(links), ordered, numbers, pl.concat(notices), max(times, default=None))


def _dealt(event_files: list[Path], settings: Settings, folder: Path) -> Iterator[pl.DataFrame]:
    """Yield the events part by part; where one part is enough, nothing is written."""
    places = places_in_time(event_files)
    pieces = list(scan_pieces(event_files, _EVENTS_IN_PART))
    count = pl.scan_parquet(event_files).select(pl.len()).collect().item() if event_files else 0
    parts = -(-count // _EVENTS_IN_PART) or 1
    coded = (read_events(piece, places, settings).collect(engine="streaming") for piece in pieces)
    if parts == 1:
        yield pl.concat(coded)
        return
    for number, events in enumerate(coded):
        some = events.with_columns(part=pl.col("queue") % parts).partition_by("part", as_dict=True, include_key=False)
        for (part,), told in some.items():
            to = folder / f"events-{part}-{number}.parquet"
            told.write_parquet(to, compression="lz4", statistics=False)
    for part in range(parts):
        files = sorted(folder.glob(f"events-{part}-*.parquet"))
        yield pl.read_parquet(files) if files else read_events(pieces[0], places, settings).clear().collect()
        for file in files:
            file.unlink()


def _notices(events: pl.DataFrame) -> pl.DataFrame:
    told = events.filter(pl.col("kind") == "notified", pl.col("related").is_not_null())
    return told.select("host", "at", queue="related").unique()


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
