"""Would these logs be there if an incident began now? Hosts that fell silent, and hosts that write far too little.

Rules: a host whose last line is older than the limit is missed. A host's last whole hour is suspicious when it holds
less than a share of the median of that hour on the days before; a host known for fewer than three days has no habit.
"""

from datetime import datetime, timedelta

import polars as pl

_LEAST_DAYS = 3


def source_warnings(activity: pl.DataFrame, at: datetime, stale_after: timedelta, low_share: float) -> list[str]:
    """Return one sentence per breach by ACTIVITY rows up to the instant `at`, by host; empty: all is well."""
    known = activity.filter(pl.col("minute_at") <= at).group_by("host", "minute_at").agg(pl.col("lines").max())
    if known.is_empty():
        return [f"no source has written a line in the weeks before {at:%Y-%m-%d %H:%M} UTC; check that logs are pulled"]
    last = known.group_by("host").agg(pl.col("minute_at").max()).sort("host")
    stale = dict(last.filter(pl.col("minute_at") < at - stale_after).iter_rows())
    said = [
        f"{host}: its last line is of {seen:%Y-%m-%d %H:%M} UTC, {_hours(at - seen)} ago ({_hours(stale_after)} are "
        "allowed); check that it logs and that its logs are pulled"
        for host, seen in stale.items()
    ]
    for host, lines, usual in _last_hours(known, at).iter_rows():
        if host not in stale and lines < low_share * usual:
            said.append(
                f"{host}: {lines:,} lines in the hour before {at:%Y-%m-%d %H:%M} UTC, where {usual:,.0f} are usual; "
                "check that its logs are whole"
            )
    return said


def _last_hours(known: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Return for each host with a habit: lines of the last hour, and the median of that hour on the days before."""
    ago = (pl.lit(at) - pl.col("minute_at")).dt.total_minutes()
    hourly = (
        known.with_columns(day=ago // 1440, minute=ago % 1440)
        .filter(pl.col("minute") < 60)
        .group_by("host", "day")
        .agg(pl.col("lines").sum())
    )
    days = known.group_by("host").agg(days=(ago // 1440).max())
    every = days.select("host", day=pl.int_ranges(0, pl.col("days"))).explode("day").filter(pl.col("day").is_not_null())
    full = every.join(hourly, on=["host", "day"], how="left", validate="1:1").with_columns(pl.col("lines").fill_null(0))
    usual = full.filter(pl.col("day") > 0).group_by("host").agg(usual=pl.col("lines").median(), of=pl.len())
    now = full.filter(pl.col("day") == 0).select("host", "lines")
    return (
        now.join(usual.filter(pl.col("of") >= _LEAST_DAYS), on="host", validate="1:1")
        .sort("host")
        .select("host", "lines", "usual")
    )


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:,.1f} h"
