"""Reading the finished grid: one cell, or one cell per segment or threshold. Nothing is counted here."""

from dataclasses import dataclass
from typing import Any

from expectations.tables import UNITS_OF_THE_RECORDS
from reports.publication import CELL_KEY, Publication
from transforms.settings import Definition


@dataclass(frozen=True)
class Cell:
    """One figure of the grid, with its bounds and the mean of ordinary windows (None: no ordinary window)."""

    unit: str
    threshold_seconds: int
    messages: str
    count: str
    segment: str
    measured: int
    lower: int
    upper: int
    baseline: float | None

    @property
    def key(self) -> str:
        """The cell's name in the page: its key columns, joined by `|`."""
        return "|".join(str(getattr(self, name)) for name in CELL_KEY)

    @property
    def is_exact(self) -> bool:
        """Whether nothing that the logs can't show could move the figure."""
        return self.lower == self.measured == self.upper

    @property
    def excess(self) -> float | None:
        """Measured less an ordinary window's count."""
        return None if self.baseline is None else self.measured - self.baseline


def headline_cell(p: Publication) -> Cell | None:
    """Return the one cell that the report leads with, or None where the run was refused."""
    return None if p.is_refused else cell(p, p.headline)


def cell(p: Publication, definition: Definition, segment: str = "all") -> Cell | None:
    """Return the cell of `definition` for `segment`, or None where the grid has none."""
    found = _where(p, unit=definition.unit, threshold_seconds=definition.threshold_seconds)
    rows = [c for c in found if (c.messages, c.count, c.segment) == (definition.messages, definition.count, segment)]
    return rows[0] if rows else None


def by_segment(p: Publication, definition: Definition) -> list[Cell]:
    """Return the definition's cell for each segment of the records, in the order of `segments`."""
    cells = [cell(p, definition, segment) for segment in segments(p)]
    return [c for c in cells if c is not None]


def by_threshold(p: Publication, definition: Definition, segment: str = "all") -> list[Cell]:
    """Return the definition at every declared threshold, shortest first."""
    cells = [
        cell(p, Definition(definition.unit, seconds, definition.messages, definition.count), segment)
        for seconds in sorted(p.settings.thresholds_seconds)
    ]
    return [c for c in cells if c is not None]


def all_cells(p: Publication, segment: str | None = None) -> list[Cell]:
    """Return the whole grid in its own order, or one segment of it."""
    return _where(p) if segment is None else _where(p, segment=segment)


def segments(p: Publication) -> list[str]:
    """Return the segments that the records name: business and residential first, then the rest by name."""
    named: set[str] = set(p.provisioned) | set(p.exposed)
    if p.cells is not None:
        named |= set(p.cells["segment"].unique().to_list())
    named -= {"all", "unmatched"}
    first = [name for name in ("business", "residential") if name in named]
    return first + sorted(named - set(first))


def heads_unit(p: Publication) -> str:
    """Return the unit in which people are counted beside the headline: its own, or accounts."""
    return p.headline.unit if p.headline.unit in UNITS_OF_THE_RECORDS else "account"


def _where(p: Publication, **wanted: Any) -> list[Cell]:
    if p.cells is None:
        return []
    rows = p.cells.filter(**wanted) if wanted else p.cells
    return [
        Cell(**row) for row in rows.select(*CELL_KEY, "measured", "lower", "upper", "baseline").iter_rows(named=True)
    ]
