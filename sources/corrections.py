"""Corrections of customer records, each of which says how many records it must meet.

A correction is written for the records as somebody saw them. If it meets another number of them, the world has changed
since, and it is not for us to guess what it would mean now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from expectations.tables import CORRECTIONS
from sources.errors import BadInput

Value = str | date | None


@dataclass(frozen=True)
class Correction:
    """Records that have `select`ed values are given those of `sets`, or removed where that is None.

    `expect` is how many records that must be; `reason` and `who` are for the report.
    """

    select: Mapping[str, Value]
    sets: Mapping[str, Value] | None
    expect: int
    reason: str
    who: str


def correct(
    records: pl.DataFrame, corrections: Sequence[Correction], written_in: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return CUSTOMER_RECORDS with the corrections made in their order, and the rows of CORRECTIONS that tell of them.

    `BadInput`: one of them meets another number of records than it expects.
    """
    made = []
    for number, correction in enumerate(corrections, start=1):
        is_meant = pl.all_horizontal([pl.col(c).eq_missing(pl.lit(v)) for c, v in correction.select.items()])
        met = records.filter(is_meant).height
        if met != correction.expect:
            raise BadInput(
                f"{written_in}, correction {number} meets {met} records and expects {correction.expect}: the records "
                "have changed since it was written; look at them again, and correct or remove it."
            )
        if correction.sets is None:
            records = records.filter(~is_meant)
        else:
            records = records.with_columns(
                pl.when(is_meant).then(pl.lit(value, records.schema[name])).otherwise(pl.col(name)).alias(name)
                for name, value in correction.sets.items()
            )
        made.append(
            {
                "correction": number,
                "selected_by": ", ".join(correction.select),
                "action": "remove" if correction.sets is None else "set",
                "columns": None if correction.sets is None else ", ".join(correction.sets),
                "records": met,
                "reason": correction.reason,
                "who": correction.who,
            }
        )
    return records.unique(maintain_order=True), CORRECTIONS.conform(pl.DataFrame(made, schema=dict(CORRECTIONS.schema)))
