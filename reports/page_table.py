"""A table as a page shows it: words for people, raw values beside them for programs and for the CSV file."""

from dataclasses import dataclass
from datetime import UTC, datetime

from reports import words
from reports.cells import Cell


@dataclass(frozen=True)
class Entry:
    """One cell of a table: what is read, and in `value` what is saved, in the unit `saved_in` where reading differs.

    `figure` names a figure of impact.json.
    """

    text: str
    value: str
    is_number: bool = False
    figure: tuple[str, str] | None = None
    is_instant: bool = False
    saved_in: str = ""


@dataclass(frozen=True)
class PageTable:
    """A table with a caption, column heads and rows of entries; its first column heads each row."""

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers, which are set flush right."""
        entries = [row[column] for row in self.rows]
        return any(e.is_number for e in entries) and all(e.is_number or e.value == "" for e in entries)

    def saved_head(self, column: int) -> str:
        """Return a column's head as it is saved, with the unit of its values: `median delay (seconds)`."""
        units = {row[column].saved_in for row in self.rows} - {""}
        return f"{self.columns[column]} ({', '.join(sorted(units))})" if units else self.columns[column]


def text(value: object) -> Entry:
    """Return an entry of text; None is an empty one."""
    said = "" if value is None else str(value)
    return Entry(said or "–", said)


def count(value: float | None) -> Entry:
    """Return an entry with a figure."""
    return Entry(
        words.number(value), "" if value is None else f"{value:g}" if value != int(value) else str(int(value)), True
    )


def seconds(value: float | None) -> Entry:
    """Return an entry with a span of time; saved in seconds."""
    return Entry(words.short_duration(value), "" if value is None else f"{value:g}", True, saved_in="seconds")


def share(part: float | None, whole: float | None) -> Entry:
    """Return an entry with a share; saved in percent."""
    value = "" if part is None or not whole else f"{100 * part / whole:.2f}"
    return Entry(words.percent(part, whole), value, True, saved_in="percent")


def when(at: datetime | None, zone: str) -> Entry:
    """Return an entry with an instant in the incident's zone; saved in UTC."""
    value = "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Entry(words.instant(at, zone), value, is_instant=True, saved_in="UTC")


def figure(cell: Cell, field: str) -> Entry:
    """Return an entry with one figure of the grid, named so that it can be held against impact.json."""
    plain = count(getattr(cell, field))
    return Entry(
        plain.text, "" if getattr(cell, field) is None else repr(getattr(cell, field)), True, (cell.key, field)
    )
