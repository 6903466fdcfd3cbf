"""The ladder in words and as a table: who stands on each rung, and which claim is pinned where."""

from reports import page_table, words
from reports.page_table import Entry, PageTable
from reports.publication import ClaimReading, Publication
from transforms.ladder import Pin, pin

WORKING_HOURS = "Monday to Friday, 08:00 to 18:00"
"""As `transforms/sql/80_people.sql` has it, in the incident's time zone."""
_RUNGS = {
    "provisioned": "provisioned",
    "active": "had any mail in the logs",
    "exposed": "had mail in the window",
    "late": "late ≥ {late}",
    "late_in_working_hours": "late ≥ {late}, in working hours",
    "lost": "lost mail",
}


def rung_words(rung: str, threshold_seconds: int | None) -> str:
    """Return a rung as a label: `provisioned`, `late ≥ 1 h, in working hours`."""
    return _RUNGS[rung].format(late=words.short_duration(threshold_seconds))


def ladder_table(p: Publication) -> PageTable | None:
    """Return the whole ladder: every rung for each unit and choice of messages, with the claims that stand there."""
    if p.ladder is None or p.ladder.is_empty():
        return None
    names = p.ladder["segment"].unique(maintain_order=True).to_list()
    order = ["all", *(name for name in names if name != "all")]
    key = ("unit", "messages", "step", "rung", "threshold_seconds")
    counts = {row[:-1]: row[-1] for row in p.ladder.select(*key, "segment", "measured").iter_rows()}
    pinned: dict[tuple[object, ...], list[str]] = {}
    for claim in p.claims:
        if found := claim_pin(p, claim):
            at = (found.unit, found.messages, found.rung, found.threshold_seconds)
            pinned.setdefault(at, []).append(f"{claim.who}: {claim.said}")
    rows = []
    for unit, messages, step, rung, seconds in p.ladder.select(key).unique(maintain_order=True).iter_rows():
        figures = [page_table.count(counts.get((unit, messages, step, rung, seconds, name))) for name in order]
        said = "; ".join(pinned.get((unit, messages, rung, seconds), ()))
        head: tuple[Entry, ...] = tuple(
            page_table.text(text) for text in (rung_words(rung, seconds), words.units(unit), words.messages(messages))
        )
        rows.append((*head, *figures, page_table.text(said)))
    heads = ("rung", "unit", "messages", *(words.sentence(name) for name in order), "claim that stands here")
    return PageTable("whole-ladder-table", "The whole ladder", heads, tuple(rows))


def claim_pin(p: Publication, claim: ClaimReading) -> Pin | None:
    """Return the rung that a claim stands on; None where the ladder does not count the claim's unit."""
    return None if p.ladder is None else pin(claim.low, claim.high, claim.unit, p.ladder, p.headline)


def pin_sentence(p: Publication, claim: ClaimReading) -> str | None:
    """Return where a claim stands on the ladder, as a sentence; None where it stands nowhere."""
    found = claim_pin(p, claim)
    if found is None:
        return None
    many = f"{words.number(found.measured)} {words.units(found.unit, found.measured)}"
    bulk = "" if found.rung == "provisioned" else f", {words.messages(found.messages)}"
    where = f"“{rung_words(found.rung, found.threshold_seconds)}” ({many}{bulk})"
    if found.fitting == 1:
        return f"On the ladder it fits {where} alone."
    if found.fitting:
        fits = f"{words.number(found.fitting)} of {words.number(found.rungs)} rungs"
        return f"On the ladder it fits {fits}; the nearest to the headline is {where}."
    side = "high" if found.gap > 0 else "low"
    return f"The nearest rung of the ladder is {where}; the claim is {words.number(abs(found.gap))} too {side} for it."
