"""Where do events wait for others of their queue ids, when memory can't hold them all?"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl


class Dealer:
    """Takes events in any order and gives them back by queue id: all lines about one id together, on whatever host.

    They are dealt by the id's hash into `parts` parts on disk, in heaps of about `size` events, as many small files
    cost more than they hold.
    """

    def __init__(self, folder: Path, parts: int, size: int) -> None:
        self._folder, self._parts, self._size = folder, parts, size
        self._heap: list[pl.DataFrame] = []
        self._files: list[list[Path]] = [[] for _ in range(parts)]
        self._rows = [0] * parts

    def take(self, events: pl.DataFrame) -> None:
        """Take events, all of the same columns, `queue` among them; there may be none."""
        self._heap.append(events)
        if sum(some.height for some in self._heap) >= self._size:
            self._deal()

    def groups(self) -> Iterator[pl.DataFrame]:
        """Yield all that was taken, parts of up to `size` events together; what was read is gone."""
        self._deal()
        files: list[Path] = []
        rows = 0
        for part in range(self._parts):
            if files and rows + self._rows[part] > self._size:
                yield _read(files)
                files, rows = [], 0
            files, rows = files + self._files[part], rows + self._rows[part]
        if files:
            yield _read(files)

    def _deal(self) -> None:
        if not self._heap:
            return
        heap, self._heap = pl.concat(self._heap), []
        by_part = heap.with_columns(part=pl.col("queue") % self._parts)
        for (part,), events in by_part.partition_by("part", as_dict=True, include_key=False).items():
            files = self._files[int(part)]
            file = self._folder / f"dealt-{part}-{len(files)}.arrow"
            events.write_ipc(file)  # compressing would take a tenth of the whole count
            files.append(file)
            self._rows[int(part)] += events.height


def _read(files: list[Path]) -> pl.DataFrame:
    events = pl.concat([pl.read_ipc(file) for file in files])
    for file in files:
        file.unlink()
    return events
