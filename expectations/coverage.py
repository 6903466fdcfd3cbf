"""Do the logs cover the window? Gates on holes, on logs that lie beside the window, and on what was found in them."""

from datetime import timedelta

import polars as pl

from expectations.completeness import find_holes, shortest_hole_minutes
from expectations.gx import Count, run_counts
from expectations.wording import allowed, counted, listed, minutes, moment, number, span
from transforms.gate_limits import GateLimits
from transforms.settings import Settings

_FILES = "Add the missing log files to `logs:` and run again"
_SILENT = "if the host truly wrote nothing, set `gates: {silence_minutes: …}` above the silence in the incident file"
# What a finding of each code means for the figures; all but `log_hole` and a large `clock_set_back` only warn, and
# `joined_pieces`, which are read as what they are, only inform.
_MEANING = {
    "loss_mark": "the logging says that it dropped or folded lines: mail in them is unresolved or unseen",
    "truncated_file": "a file is cut off: what it held further on is unseen",
    "clock_step": "time falls back: if a clock jumped there, delays across the jump are off by as much",
    "clock_set_back": "a clock was set back: delays across the jump are off by as much",
    "wrong_zone": "stamps do not fit the clocks in the queue ids: mail may be counted in the wrong window",
    "wrong_year": "stamps lie in another year than the queue ids' clocks: mail may be counted in the wrong window",
    "edited_stamp": "single stamps do not fit the clocks in their own ids: somebody or something wrote them anew",
    "mixed_file": "a file holds the lines of several servers",
    "empty_file": "a file is empty",
}


def gates_on_coverage(
    activity: pl.DataFrame, found: pl.DataFrame, settings: Settings, limits: GateLimits
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return GATES rows and FINDINGS (those in `found`, and the holes) on ACTIVITY, the lines per host and minute."""
    holes = find_holes(activity, settings.window, settings.as_of, limits, settings.timezone)
    refused, rest = _set_back(found, settings, limits)
    counts = [_reaches_the_window(activity, settings), *_holes(activity, holes, settings, limits), *refused]
    for code, meaning in _MEANING.items():
        if rows := rest.filter(pl.col("code") == code).height:
            counts.append(
                Count(
                    gate=code,
                    subject="findings",
                    severity="warn",
                    value=rows,
                    maximum=0,
                    observed=f"{counted(rows, 'finding')}: {meaning}",
                    limit="none (fixed)",
                    remedy="Read the findings in the report; take the lines from another copy of the logs.",
                )
            )
    return run_counts(counts), pl.concat([found.select(holes.columns), holes])


def _set_back(found: pl.DataFrame, settings: Settings, limits: GateLimits) -> tuple[list[Count], pl.DataFrame]:
    """Return the gate on clocks that were set back too far from the window on, and the other findings."""
    is_large = (
        (pl.col("code") == "clock_set_back")
        & (pl.col("end_at") - pl.col("start_at") > timedelta(seconds=limits.clock_step_seconds))
        & (pl.col("end_at") >= settings.window.start)
    ).fill_null(False)
    large = found.filter(is_large)
    if large.is_empty():
        return [], found
    jumps = [
        f"{host or 'the log'} by {minutes((before - after).total_seconds() / 60)} at"
        f" {moment(before, settings.timezone)}"
        for host, after, before in large.select("host", "start_at", "end_at").iter_rows()
    ]
    gate = Count(
        gate="clock_set_back",
        subject="findings",
        severity="fail",
        value=large.height,
        maximum=0,
        observed=f"the clock was set back: {listed(jumps)}; delays across the jump are off by as much",
        limit=allowed(f"none of more than {number(limits.clock_step_seconds)} s", limits, "clock_step_seconds"),
        remedy="Take these lines from another copy of the logs whose clock was right; if no delay that matters crosses"
        " the jump, set `gates: {clock_step_seconds: …}` above it in the incident file.",
    )
    return [gate], found.filter(~is_large)


def _reaches_the_window(activity: pl.DataFrame, settings: Settings) -> Count:
    """A wrong year or zone puts the whole log beside the window: nobody would be found affected."""
    window, zone = settings.window, settings.timezone
    start, end = activity["minute_at"].min(), activity["minute_at"].max()
    seen = span(start, end, zone) if start is not None and end is not None else ""  # type: ignore[arg-type]
    is_beside = not seen or end < window.start.replace(second=0, microsecond=0) or start > window.end  # type: ignore[operator]
    return Count(
        gate="logs_reach_the_window",
        subject="activity",
        severity="fail",
        value=int(is_beside),
        maximum=0,
        observed=f"the logs run {seen}; the window {span(window.start, window.end, zone)}",
        limit="the logs and the window overlap (fixed)",
        remedy=f"{_FILES}, or correct the window, or the logs' `year:` and `timezone:`.",
        nothing="" if seen else "no log line has a stamp: nothing to compare with the window",
    )


def _holes(activity: pl.DataFrame, holes: pl.DataFrame, settings: Settings, limits: GateLimits) -> list[Count]:
    """Return one failed gate per host with holes, or one that passed for all hosts."""
    least = minutes(shortest_hole_minutes(settings.window, limits))
    rule = f"no silence of {least} or more in the window that is far beyond the host's habit"
    limit = allowed(rule, limits, "silence_minutes")
    if holes.is_empty():
        hosts = activity["host"].n_unique()
        start = moment(settings.window.start, settings.timezone)
        seen = f"{counted(hosts, 'host')}, no hole in the window from {start} on"
        nothing = "" if hosts else "no log line has a stamp: nothing to compare"
        return [Count("log_hole", "activity", "fail", 0, 0, seen, limit, f"{_FILES}; {_SILENT}.", nothing)]
    counts = []
    for (host,), rows in holes.group_by("host", maintain_order=True):
        silences = [
            f"{span(start, end, settings.timezone)} ({minutes((end - start).total_seconds() / 60)})"
            for start, end in rows.select("start_at", "end_at").iter_rows()
        ]
        why = str(rows["detail"][0]).partition(", although ")[2]
        counts.append(
            Count(
                gate="log_hole",
                subject=f"activity of {host or 'the log'}",
                severity="fail",
                value=rows.height,
                maximum=0,
                observed=f"{host or 'the log'} has {counted(rows.height, 'hole')} in the window: {listed(silences)},"
                f" although {why}",
                limit=limit,
                remedy=f"{_FILES}; {_SILENT}.",
            )
        )
    return counts
