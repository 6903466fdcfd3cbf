"""On which rung does a claim stand?

The ladder leads from everybody on the records down to those who lost mail (`sql/80_people.sql`). A claim stands on the
rung, in its own unit and over all segments, whose count is nearest to what it can mean: the smallest gap to its range.
Of several, the one with the headline's choice of messages, then the nearest to where the headline itself stands (late
at its threshold), then the upper one.
"""

from dataclasses import dataclass

import polars as pl

from transforms.settings import Definition


@dataclass(frozen=True)
class Pin:
    """The rung that a claim stands on.

    `gap` is 0 where the claim fits, negative where it is too low by that many, positive where too high.
    `threshold_seconds` is None on rungs that know no delay. `fitting` of `rungs` fit the claim; each choice of messages
    has rungs of its own.
    """

    unit: str
    rung: str
    threshold_seconds: int | None
    messages: str
    measured: int
    gap: int
    fitting: int
    rungs: int


def pin(low: int, high: int, unit: str, ladder: pl.DataFrame, headline: Definition) -> Pin | None:
    """Return the rung of LADDER that `low` to `high`, both inclusive, in `unit` stands on.

    None where the ladder does not count that unit: deliveries, messages and addresses are no people.
    """
    too_high, too_low = pl.lit(low) - pl.col("measured"), pl.lit(high) - pl.col("measured")
    gap = pl.when(too_high > 0).then(too_high).when(too_low < 0).then(too_low).otherwise(0)
    of_unit = ladder.filter(unit=unit, segment="all").with_columns(gap=gap)
    if of_unit.is_empty():
        return None
    own = of_unit.filter(rung="late", threshold_seconds=headline.threshold_seconds)["step"]
    ranked = of_unit.sort(
        pl.col("gap").abs(),
        pl.col("messages") != headline.messages,
        (pl.col("step") - (own[0] if len(own) else 0)).abs(),
        "step",
    )
    row = ranked.select("unit", "rung", "threshold_seconds", "messages", "measured", "gap").row(0, named=True)
    return Pin(**row, fitting=ranked.filter(gap=0).height, rungs=ranked.height)
