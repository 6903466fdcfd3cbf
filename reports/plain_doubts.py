"""What is still unknown, in everyday words: for the reader of the summary, who has not met a log."""

from reports import story, words
from reports.publication import Publication


def plain_doubts(p: Publication) -> list[str]:
    """Return each thing that is open, with its figure where there is one."""
    said = []
    if n := p.outcomes.get("pending", 0):
        were = "was" if n == 1 else "were"
        said.append(f"{_messages(n)} {were} still waiting when this was counted; how late they came is open.")
    if n := p.outcomes.get("unresolved", 0):
        said.append(f"{_messages(n)} came in, and the records don’t say what became of {'it' if n == 1 else 'them'}.")
    said += story.strangers(p)
    if story.missing_lines(p):
        said.append("Parts of the servers’ records are missing or unreadable; the full report lists them.")
    if len(p.settings.placebo_windows) < story.FEWEST_WINDOWS:
        said.append("How much ordinary weeks differ from each other: too few were at hand to compare with.")
    return said


def _messages(n: int) -> str:
    return f"{words.number(n)} {words.units('message', n)}"
