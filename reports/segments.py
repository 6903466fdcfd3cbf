"""The headline's count in each segment, beside how many had mail and how many there are."""

from dataclasses import dataclass

from reports import words
from reports.cells import Cell, by_segment, heads_unit
from reports.publication import Counts, Publication


@dataclass(frozen=True)
class SegmentCount:
    """One segment's cell; `exposed` had mail in the window, `provisioned` is all there are (None: not counted)."""

    cell: Cell
    exposed: int | None
    provisioned: int | None

    @property
    def share(self) -> float | None:
        """Percent of those that had mail, at most 100; None where none is known to have had any."""
        return min(100.0, 100 * self.cell.measured / self.exposed) if self.exposed else None

    @property
    def bounds(self) -> str:
        """The count's range in words."""
        return words.bounds(self.cell)


def segment_counts(p: Publication) -> list[SegmentCount]:
    """Return the segments of the records in their order; shares only where the headline counts what records hold."""
    unit = heads_unit(p)
    is_comparable = p.headline.unit == unit

    def of_people(counts: Counts, segment: str) -> int | None:
        return counts.get(segment, {}).get(unit) if is_comparable else None

    cells = by_segment(p, p.headline)
    return [SegmentCount(c, of_people(p.exposed, c.segment), of_people(p.provisioned, c.segment)) for c in cells]
