"""What would redress cost? What-if schemes over the accounts that were harmed; none of them is a promise.

A scheme pays by one measure: `late` and `lost` messages; `hours` that the account was down, and `days`, which are the
same time in days begun; `longest`, the hours that its longest delivery took. It pays either the amount of the highest
cut that is reached, or an amount for each unit begun, up to a limit. Accounts that narrowly miss a cut are told apart:
they are the ones who will ask. One lacks little if it is a tenth of the cut or less, or a single message or day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from expectations.tables import REDRESS

_HOUR, _DAY = 3600, 86400
_MEASURES = {
    "late": pl.col("late_deliveries").cast(pl.Float64),
    "lost": pl.col("lost_deliveries").cast(pl.Float64),
    "hours": pl.col("down_seconds") / _HOUR,
    "days": (pl.col("down_seconds") / _DAY).ceil(),
    "longest": pl.col("longest_delay_seconds") / _HOUR,
}
_WHOLE = ("late", "lost", "days")
_NEAR = 0.9


@dataclass(frozen=True)
class Cut:
    """From this much of the measure, each account is paid that: once, or for each unit begun, up to `most`."""

    start: float
    pay: float
    is_each: bool = False
    most: float = float("inf")


@dataclass(frozen=True)
class Scheme:
    """A way to pay: cuts of one measure, rising; only to accounts of some `segments`, if any are named."""

    name: str
    measure: str
    cuts: tuple[Cut, ...]
    segments: tuple[str, ...] = ()


def redress(harmed: pl.DataFrame, schemes: Sequence[Scheme]) -> pl.DataFrame:
    """Return REDRESS of the accounts of `harmed_accounts`, in the order of the policy; `all` stands first."""
    return REDRESS.conform(pl.concat([REDRESS.empty(), *(_of_scheme(harmed, scheme) for scheme in schemes)]))


def _of_scheme(harmed: pl.DataFrame, scheme: Scheme) -> pl.DataFrame:
    entitled = harmed.select(_MEASURES[scheme.measure].alias("measured"), "segments")
    if scheme.segments:
        entitled = entitled.filter(pl.col("segments").list.set_intersection(list(scheme.segments)).list.len() > 0)
    by_segment = {"all": entitled}
    for segment in scheme.segments or sorted(harmed["segments"].explode().drop_nulls().unique()):
        by_segment[segment] = entitled.filter(pl.col("segments").list.contains(segment))
    ends = [*(cut.start for cut in scheme.cuts[1:]), float("inf")]
    rows = [
        _of_cut(accounts["measured"], cut, end, scheme, segment)
        for segment, accounts in by_segment.items()
        for cut, end in zip(scheme.cuts, ends, strict=True)
    ]
    return pl.DataFrame(rows, schema=dict(REDRESS.schema))


def _of_cut(measured: pl.Series, cut: Cut, end: float, scheme: Scheme, segment: str) -> dict[str, object]:
    paid = measured.filter((measured >= cut.start) & (measured < end) & (measured > 0))
    pays = (paid.ceil() * cut.pay).clip(upper_bound=cut.most).sum() if cut.is_each else len(paid) * cut.pay
    near = cut.start - 1 if scheme.measure in _WHOLE else _NEAR * cut.start
    return {
        "scheme": scheme.name,
        "segment": segment,
        "measure": scheme.measure,
        "cut": cut.start,
        "pay": cut.pay,
        "is_each": cut.is_each,
        "accounts": len(paid),
        "cost": round(float(pays), 2),
        "just_under": int(((measured >= near) & (measured < cut.start) & (measured > 0)).sum()),
    }
