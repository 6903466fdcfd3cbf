"""The sentences of both pages, so that analyst and executive read the same thing in the same words."""

import polars as pl

from reports import words
from reports.cells import Cell, cell, headline_cell
from reports.ordinary import range_words
from reports.publication import Publication
from reports.timeline import facts
from transforms.settings import Definition

GAPS = ("log_hole", "loss_mark", "truncated_file")
"""Findings that mean lines are missing."""
FEWEST_WINDOWS = 3
"""Fewer ordinary windows than this say little about how much ordinary weeks differ."""


def definition_sentence(p: Publication) -> str:
    """Return what the headline counts, as the rest of a sentence that begins with the figure and its unit."""
    c = headline_cell(p)
    said = words.definition(p.headline, c.measured if c else 2)
    return said.removeprefix(words.units(p.headline.unit, c.measured if c else 2)).strip() + "."


def headline_sentence(p: Publication, c: Cell) -> str:
    """Return the headline's definition and range, as the rest of a sentence that begins with figure and unit."""
    return f"{definition_sentence(p).rstrip('.')}: {words.bounds(c)}."


def scope_sentences(p: Publication) -> list[str]:
    """Return which mail counts: from when to when, and whether bulk mail is in."""
    window, zone = p.settings.window, p.settings.timezone
    found = "found in the logs" if p.window_source == "detected" else "declared beforehand"
    when = f"from {words.span(window.start, window.end, zone)} ({found})"
    sentences = [f"Counted is mail that first reached the platform {when}."]
    if p.headline.messages == "excluding_bulk":
        none = "No bulk sender was declared, so no mail is left out."
        sentences.append("Mail from bulk senders is left out." if p.settings.bulk_senders else none)
    return sentences


def range_sentence(c: Cell) -> str:
    """Return how far the figure could move."""
    if c.is_exact:
        return "The logs prove this figure; nothing that is still open could change it."
    most = f"It can be up to {words.number(c.upper)} if every doubt falls one way."
    return f"The logs prove at least {words.number(c.lower)}. {most}"


def ordinary_sentence(p: Publication, c: Cell) -> str:
    """Return what an ordinary time of the same length has, by the same definition."""
    if c.baseline is None:
        return "No ordinary time was at hand to compare with, so how many would have been hit anyway isn’t known."
    n = len(p.settings.placebo_windows)
    many = f"{'at least ' if is_ordinary_short(p) else ''}{words.number(c.baseline)}" if c.baseline else "no"
    over = f", the average of {n} such times{range_words(p)}" if c.baseline else f" in any of {n} such times"
    return f"An ordinary time {ordinary_length(p)} has {many} {words.units(c.unit, c.baseline)}{over if n > 1 else ''}."


def is_ordinary_short(p: Publication) -> bool:
    """Say whether the ordinary time is shorter than the window, so that its count is only a lower limit."""
    window = p.settings.window
    return any(o.end - o.start < window.end - window.start for o in p.settings.placebo_windows)


def ordinary_length(p: Publication) -> str:
    """Return how long the ordinary time is, as it follows the words `an ordinary time`."""
    if not is_ordinary_short(p):
        return "of the same length"
    shortest = min(o.end - o.start for o in p.settings.placebo_windows)
    return f"of only {words.duration(shortest.total_seconds())}, shorter than the window,"


def status_sentence(p: Publication) -> str:
    """Return what the status means for a reader."""
    as_of = words.instant(p.settings.as_of, p.settings.timezone)
    if p.status == "final":
        return f"The logs, complete up to {as_of}, cover the longest time that mail can wait."
    if p.status == "preliminary":
        return f"The logs are complete up to {as_of}; mail can wait longer than that, so figures may still move."
    return "A quality check failed, so no figure is published."


def mail_sentence(p: Publication) -> str | None:
    """Return bulk mail's part in the flood in one line; None where nothing was counted by time."""
    known = facts(p)
    if known is None or not known.arrivals_in_window:
        return None
    arrived = f"{words.number(known.arrivals_in_window)} deliveries arrived in that time"
    if not p.settings.bulk_senders:
        return f"{arrived}; no bulk sender was declared."
    said = f"Bulk senders sent {words.percent(known.bulk_in_window, known.arrivals_in_window)} of the mail that arrived"
    if known.peak_backlog and known.peak_at:
        said += f", and {words.percent(known.peak_backlog_bulk, known.peak_backlog)} of the queue at its longest"
        said += f" ({words.number(known.peak_backlog)} waiting, {words.instant(known.peak_at, p.settings.timezone)})"
    return f"{said}."


def joined_sentence(p: Publication) -> str | None:
    """Return how steps were joined for the charts over time; None where each is drawn by itself."""
    known = facts(p)
    if known is None or not known.is_joined or p.minutes is None:
        return None
    steps = f"{words.number(len(p.minutes))} steps of {words.duration(known.step_seconds)} are joined"
    how = "arrivals are added up, the backlog and the 95th percentile are the highest, medians are weighted by arrivals"
    return f"{steps} for the charts, none left out: {how}."


def doubts(p: Publication) -> list[str]:
    """Return what is still unknown, each with its figure, in the words of the glossary."""
    return [*_open_mail(p), *strangers(p), *missing_lines(p), *_few_windows(p)]


def strangers(p: Publication) -> list[str]:
    """Return how many addresses had late mail and are in no customer record, if any."""
    d = p.headline
    unmatched = cell(p, Definition("address", d.threshold_seconds, d.messages, d.count), "unmatched")
    if not unmatched or not unmatched.measured:
        return []
    n = unmatched.measured
    are = "is" if n == 1 else "are"
    return [f"{words.number(n)} {words.units('address', n)} had late mail and {are} in no customer record."]


def missing_lines(p: Publication) -> list[str]:
    """Return which lines could not be read, and which are missing, if any."""
    said = []
    if n := p.lines.get("quarantined"):
        share = words.percent(n, p.lines.get("read"))
        said.append(f"{words.number(n)} log {'line' if n == 1 else 'lines'} ({share}) could not be read; all are kept.")
    gaps = None if p.findings is None else p.findings.filter(pl.col("code").is_in(GAPS))
    if gaps is not None and len(gaps):
        missing = int(gaps["lines"].fill_null(0).sum())
        lost = f"; {words.number(missing)} lines are missing by their own count" if missing else ""
        said.append(f"The logs have {words.number(len(gaps))} {'gap' if len(gaps) == 1 else 'gaps'}{lost}.")
    return said


def _open_mail(p: Publication) -> list[str]:
    pending, unresolved = p.outcomes.get("pending", 0), p.outcomes.get("unresolved", 0)
    said = []
    if pending:
        waited = f"{words.number(pending)} {words.units('delivery', pending)} still waited when the logs end"
        said.append(f"{waited}; how late they came is open.")
    if unresolved:
        have = "has an arrival" if unresolved == 1 else "have an arrival"
        said.append(f"{words.number(unresolved)} {words.units('delivery', unresolved)} {have} in the logs and no end.")
    return said


def _few_windows(p: Publication) -> list[str]:
    n = len(p.settings.placebo_windows)
    if n >= FEWEST_WINDOWS:
        return []
    few = f"Only {n} ordinary {'time' if n == 1 else 'times'}" if n else "No ordinary time"
    return [f"{few} could be compared with, so how much ordinary weeks differ is little known."]
