"""How the headline figure has changed: each published count, and what made the difference to the one before."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import page_table, words
from reports.page_table import Entry, PageTable
from reports.publication import Publication
from transforms.vintage import Vintage

_CAUSES = {"code": "the code", "definition": "the definition", "records": "the customer records", "logs": "the logs"}


@dataclass(frozen=True)
class HistorySection:
    """What the section says: sentences, then the table of counts and that of the last change by cause."""

    sentences: tuple[str, ...]
    counts: PageTable | None
    causes: PageTable | None


def history_section(p: Publication) -> HistorySection:
    """Return the section; a refused run's says which count stays published, and no figure."""
    zone = p.settings.timezone
    if p.is_refused:
        return HistorySection(() if not p.vintages else (kept_sentence(p.vintages[-1], zone),), None, None)
    if not p.vintages:
        return HistorySection(("No earlier count is kept for this incident.",), None, None)
    counts = _counts(p.vintages, zone)
    if len(p.vintages) == 1:
        return HistorySection(("This is the first count that was published; nothing has changed since.",), counts, None)
    former, now = p.vintages[-2:]
    sentences = [f"The count before this one gave {_told(former, zone)}. {change_sentence(former, now)}"]
    if former.headline != now.headline:
        was, is_now = words.short_definition(former.headline), words.short_definition(now.headline)
        sentences.append(f"The two answer different questions: “{was}” then, “{is_now}” now.")
    joint = [step for step in now.steps if len(step.causes) > 1]
    if joint:
        sentences.append(
            f"{_joined(joint[0].causes)} can’t be told apart: the earlier logs are no longer kept.".capitalize()
        )
    return HistorySection(tuple(sentences), counts, _split(former, now))


def change_sentence(former: Vintage, now: Vintage) -> str:
    """Return the change of the total in a sentence: `This one gives 4 more (the logs: +5; the code: −1).`"""
    if former.measured == now.measured and not any(step.difference() for step in now.steps):
        if former.status != now.status and not now.steps:
            return f"The figure is the same; its status went from {former.status} to {now.status}."
        return "The figure is the same."
    difference = now.measured - former.measured
    amount = (
        "as many" if difference == 0 else f"{words.number(abs(difference))} {'more' if difference > 0 else 'fewer'}"
    )
    shares = "; ".join(f"{_joined(step.causes)}: {_signed(step.difference())}" for step in now.steps)
    return f"This one gives {amount} ({shares})."


def kept_sentence(last: Vintage, zone: str) -> str:
    """Return, for a refused run, which count stays in place; no figure is said."""
    return (
        f"The last published count is untouched: number {last.number}, as of {words.instant(last.as_of, zone)}, "
        f"in {last.folder}."
    )


def change_line(vintages: Sequence[Vintage], zone: str) -> str:
    """Return the last change for a terminal; empty where there is no former count."""
    if len(vintages) < 2:
        return ""
    former, now = vintages[-2:]
    return f"before: {_told(former, zone)}. {change_sentence(former, now)}"


def _told(vintage: Vintage, zone: str) -> str:
    unit = words.units(vintage.headline.unit, vintage.measured)
    return (
        f"{words.number(vintage.measured)} {unit} (number {vintage.number}, as of {words.instant(vintage.as_of, zone)})"
    )


def _counts(vintages: Sequence[Vintage], zone: str) -> PageTable:
    rows: list[tuple[Entry, ...]] = []
    for former, vintage in zip([None, *vintages], vintages, strict=False):
        difference = None if former is None else vintage.measured - former.measured
        rows.append(
            (
                page_table.count(vintage.number),
                page_table.when(vintage.as_of, zone),
                page_table.text(vintage.status),
                page_table.text(words.short_definition(vintage.headline)),
                page_table.count(vintage.measured),
                page_table.count(vintage.lower),
                page_table.count(vintage.upper),
                _difference(difference),
                page_table.text(vintage.code_version or "unknown"),
            )
        )
    heads = ("count", "as of", "status", "definition", "measured", "at least", "up to", "change", "code")
    return PageTable("vintages-table", "Every count that was published", heads, tuple(rows))


def _split(former: Vintage, now: Vintage) -> PageTable | None:
    segments = sorted({*former.figures, *now.figures} - {"all"})
    columns = ["all", *segments]

    def row(name: str, values: Sequence[Entry]) -> tuple[Entry, ...]:
        return (page_table.text(name), *values)

    rows = [row(f"count {former.number}", [page_table.count(former.figures.get(s, 0)) for s in columns])]
    for step in now.steps:
        rows.append(row(_joined(step.causes), [_difference(step.difference(s)) for s in columns]))
    rows.append(row(f"count {now.number}", [page_table.count(now.figures.get(s, 0)) for s in columns]))
    return PageTable("causes-table", "What made the difference", ("step", *columns), tuple(rows)) if now.steps else None


def _difference(value: int | None) -> Entry:
    return Entry("–" if value is None else _signed(value), "" if value is None else str(value), True)


def _signed(value: int) -> str:
    return f"+{words.number(value)}" if value > 0 else words.number(value)


def _joined(causes: Sequence[str]) -> str:
    named = [_CAUSES[cause] for cause in causes]
    return " together with ".join(named) if named else "no cause that is known"
