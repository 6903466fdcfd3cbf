"""Why there is no figure, in everyday words: for the reader of the summary, who has not met a log."""

import polars as pl

from reports.evidence import reasons
from reports.publication import Publication

_WORDS = {
    "log_hole": "Part of the mail servers’ records of that time is missing.",
    "logs_reach_the_window": "Part of the mail servers’ records of that time is missing.",
    "logs_hold_mail": "The mail servers’ records tell of no mail.",
    "clock_set_back": "The clock of a mail server was set back, so its times cannot be trusted.",
    "quarantined": "Too many lines of the mail servers’ records could not be read.",
    "lines_add_up": "Lines of the mail servers’ records went astray while they were read.",
    "incomplete_records": "The customer records have gaps: some name no account, group or mailbox.",
    "ambiguous_addresses": "The customer records contradict themselves: one address leads to two mailboxes.",
    "unmatched": "Too much of the mail went to addresses that are in no customer record.",
    "counted_twice": "Everything was counted twice, by two separate programs, and the two counts differ.",
}
"""The beginning of a check's name → what its breach means."""
_OTHER = "A check of the figures against each other failed."


def plain_reasons(p: Publication) -> list[str]:
    """Return why the run was refused, each thing once; the reasons themselves where no check is on record."""
    if p.gates is None:
        return reasons(p)
    breached = p.gates.filter(~pl.col("is_passed") & (pl.col("severity") == "fail"))["gate"].to_list()
    said = [next((text for name, text in _WORDS.items() if gate.startswith(name)), _OTHER) for gate in breached]
    return list(dict.fromkeys(said)) or reasons(p)
