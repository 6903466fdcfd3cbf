"""Time in a run: the step `count` adds hours, uptime, scales and the curves of delay to the counted heads."""

import polars as pl

from mailtoll.run import Run
from mailtoll.warehouse import write_parquet
from transforms.hours import measure_hours
from transforms.scales import measure_scales
from transforms.survival import measure_survival
from transforms.uptime import measure_uptime

FIGURES = ("hours", "uptime", "scales", "survival")


def measure_time(run: Run) -> None:
    """Write HOURS, DOWNTIME, UPTIME, SCALES and SURVIVAL, from the deliveries and from who is who in `people`."""
    deliveries = pl.scan_parquet(run.warehouse.table("deliveries"))
    people = pl.read_parquet(run.warehouse.table("people"))
    segments = run.records["segment"].drop_nulls().unique().sort().to_list()
    found = measure_hours(deliveries, segments, run.settings)
    exposed = {name: 0 for name in ("all", *segments)} | _counted(people, "exposed", "segment", "account")
    provisioned = people.filter(rung="provisioned", segment="all")
    heads = {unit: int(provisioned[unit].sum()) for unit in ("account", "mailbox")}
    tables = {
        "hours": found.hours,
        "downtime": found.spans.sort(found.spans.columns),  # the same bytes in every run
        "uptime": measure_uptime(found.spans, exposed, run.settings),
        "scales": measure_scales(found.spans, heads),
        "survival": measure_survival(deliveries, segments, run.settings),
    }
    for name, frame in tables.items():
        write_parquet(frame, run.warehouse.table(name))


def _counted(people: pl.DataFrame, rung: str, key: str, unit: str) -> dict[str, int]:
    return dict(people.filter(rung=rung).select(key, unit).iter_rows())
