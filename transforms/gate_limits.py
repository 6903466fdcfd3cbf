"""What the quality gates tolerate: name, default and meaning of every limit that an incident file may change."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


def _limit(default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class GateLimits:
    """Limits of the gates. Shares lie in 0..1; a value equal to its limit still passes, except `silence_minutes`."""

    quarantined_share: float = _limit(0.005, "largest share of all log lines that may be set aside as not understood")
    quarantined_share_of_a_file: float = _limit(0.05, "largest share of any one file's lines that may be set aside")
    unmatched_share: float = _limit(
        0.05, "largest share of the deliveries in local domains whose recipient no customer record knows"
    )
    unmatched_share_warn: float = _limit(0.01, "the same share above which the report warns")
    incomplete_records: int = _limit(0, "customer records that may lack an account, a segment, a mailbox or an address")
    ambiguous_addresses: int = _limit(0, "addresses that may lead to two mailboxes on one day")
    silence_minutes: float = _limit(
        15, "shortest silence of a host, in minutes, that can be a hole in the logs when it is far beyond its habit"
    )
    clock_step_seconds: float = _limit(
        60, "longest jump back of a host's clock, in seconds, from the window on: delays across it are off by as much"
    )
    final_after_days: float = _limit(
        5,
        "days after the window that the logs must cover before a preliminary figure is final (longest queue lifetime)",
    )

    def changed(self) -> tuple[str, ...]:
        """Return the names of the limits that are not at their default, in declared order."""
        standard = asdict(GateLimits())
        return tuple(name for name, value in asdict(self).items() if value != standard[name])


def meaning_of(name: str) -> str:
    """Return in words what a limit says; `KeyError` for a name that is none."""
    return {f.name: str(f.metadata["meaning"]) for f in fields(GateLimits)}[name]
