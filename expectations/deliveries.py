"""The books must balance before anything is counted: every delivery has one outcome, and its times agree.

Source of the identities: the rules for mail logs, "must hold, per host and in all".
"""

from pathlib import Path

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Check, Count, run_checks, run_counts
from expectations.tables import DELIVERIES, OUTCOMES
from expectations.wording import allowed, counted, number, share
from transforms.gate_limits import GateLimits
from transforms.settings import Settings

CLOCK_SLACK_SECONDS = 2  # stamps hold whole seconds; arrival and end are each off by up to one
_ROUNDING_SECONDS = 1e-3  # `delay=` is printed to a hundredth or better, and added up in binary
_OPEN = ("pending", "unresolved")
_REMEDY = "Find the deliveries in deliveries.parquet, look at their lines with `mailtoll explain`, and report a bug."
_CLOCK = "Look for a clock that jumped or a wrong `timezone:` among the findings; correct it in the incident file."


def gates_on_deliveries(deliveries: pl.DataFrame | Path, settings: Settings, limits: GateLimits) -> pl.DataFrame:
    """Return GATES rows on DELIVERIES, given as a frame or as a Parquet file that may be larger than memory."""
    if not has_declared_types(deliveries, DELIVERIES):
        return check_declared(deliveries, DELIVERIES, _REMEDY)
    hosts = measure_hosts(deliveries, settings)
    if hosts.is_empty():
        return run_counts([_NO_LOCAL_MAIL])
    declared = check_declared(deliveries, DELIVERIES, _REMEDY)
    books = hosts.select("host", "total", *OUTCOMES, *_BREACHES, balance=pl.sum_horizontal(OUTCOMES))
    total = books.select(pl.lit("all hosts").alias("host"), pl.exclude("host").sum())
    counts = [*(_breach(books, *rule) for rule in _BREACH_RULES), *_shares(hosts, limits)]
    return pl.concat([declared, run_checks(pl.concat([books, total]), [_balance(total)]), run_counts(counts)])


def measure_hosts(deliveries: pl.DataFrame | Path, settings: Settings) -> pl.DataFrame:
    """Return one row per host of first arrival: total, each outcome, unmatched, in the window, counts of breaches."""
    source = deliveries.lazy() if isinstance(deliveries, pl.DataFrame) else pl.scan_parquet(deliveries)
    outcome, ended, arrived = pl.col("outcome"), pl.col("ended_at"), pl.col("arrived_at")
    elapsed = (ended - arrived).dt.total_microseconds() / 1e6
    is_unmatched = pl.col("segment") == "unmatched"
    wrong = {
        "ends_before_arrival": elapsed < -CLOCK_SLACK_SECONDS,
        "delay_off": (elapsed - pl.col("delay_seconds")).abs() > CLOCK_SLACK_SECONDS + _ROUNDING_SECONDS,
        "proven_above_delay": pl.col("proven_delay_seconds") > pl.col("delay_seconds") + _ROUNDING_SECONDS,
        "open_and_ended": outcome.is_in(_OPEN) & ended.is_not_null(),
        "closed_without_end": ~outcome.is_in(_OPEN) & ended.is_null(),
    }
    is_inside = (arrived >= settings.window.start) & (arrived < settings.window.end)
    return (
        source.group_by(pl.col("host").fill_null("").replace("", "(none named)"))
        .agg(
            pl.len().alias("total"),
            *((outcome == name).sum().alias(name) for name in OUTCOMES),
            is_unmatched.sum().alias("unmatched"),
            (is_unmatched & (outcome == "rejected_recipient")).sum().alias("unmatched_rejected"),
            is_inside.sum().alias("in_the_window"),
            *(breach.fill_null(False).sum().alias(name) for name, breach in wrong.items()),
        )
        .with_columns(pl.exclude("host").cast(pl.Int64))
        .sort("host")
        .collect(engine="streaming")
    )


_BREACH_RULES = (
    (
        "nothing_ends_before_it_arrived",
        "ends_before_arrival",
        "delivery",
        "ended before arrival",
        f"none, within {CLOCK_SLACK_SECONDS} s (fixed)",
        _CLOCK,
    ),
    (
        "delay_is_end_minus_arrival",
        "delay_off",
        "delivery",
        "with a delay that is not end minus arrival",
        f"none, within {CLOCK_SLACK_SECONDS} s (fixed)",
        _CLOCK,
    ),
    (
        "proven_delay_within_delay",
        "proven_above_delay",
        "delivery",
        "with more delay proven than there is",
        "none (fixed)",
        _REMEDY,
    ),
    ("open_deliveries_have_no_end", "open_and_ended", "open delivery", "with an end", "none (fixed)", _REMEDY),
    (
        "closed_deliveries_have_an_end",
        "closed_without_end",
        "closed delivery",
        "without an end",
        "none (fixed)",
        _REMEDY,
    ),
)
_BREACHES = tuple(rule[1] for rule in _BREACH_RULES)


_NO_LOCAL_MAIL = Count(
    gate="mail_for_a_local_domain",
    subject="deliveries",
    severity="fail",
    value=1,
    maximum=0,
    observed="no mail in the logs is for one of `local_domains:`",
    limit="at least one delivery (fixed)",
    remedy="Compare `local_domains:` with the recipients that the logs name, or check which files `logs:` names.",
)


def _balance(total: pl.DataFrame) -> Check:
    sums = total.row(0, named=True)
    parts = ", ".join(f"{number(sums[name])} {name.replace('_', ' ')}" for name in OUTCOMES)
    return Check(
        gate="deliveries_add_up",
        subject="deliveries",
        severity="fail",
        expectation="ExpectColumnPairValuesToBeEqual",
        arguments={"column_A": "total", "column_B": "balance"},
        observed=f"{counted(sums['total'], 'delivery')}: {parts}",
        limit="total = sum of the outcomes, per host and in all (fixed)",
        remedy=_REMEDY,
        shown_by="host",
    )


def _breach(books: pl.DataFrame, gate: str, column: str, noun: str, rest: str, limit: str, remedy: str) -> Count:
    total, breaches = int(books["total"].sum()), int(books[column].sum())
    return Count(
        gate=gate,
        subject="deliveries",
        severity="fail",
        value=dict(books.select("host", column).iter_rows()),
        maximum=0,
        observed=f"{counted(breaches, noun, rest)} of {number(total)}",
        limit=limit,
        remedy=remedy,
    )


def _shares(hosts: pl.DataFrame, limits: GateLimits) -> list[Count]:
    total, unmatched, rejected, inside = (
        int(hosts[name].sum()) for name in ("total", "unmatched", "unmatched_rejected", "in_the_window")
    )
    part = unmatched / max(total, 1)
    seen = (
        f"{number(unmatched)} of {counted(total, 'local delivery')} are for recipients that no customer record knows"
        f" ({share(part)}); {number(rejected)} of them were refused as unknown mailboxes"
    )
    remedy = "Add the missing addresses to the customer records, with their dates, or correct `local_domains:`."
    fail = allowed(f"at most {share(limits.unmatched_share)}", limits, "unmatched_share")
    warn = allowed(f"at most {share(limits.unmatched_share_warn)}", limits, "unmatched_share_warn")
    return [
        Count("unmatched_share", "deliveries", "fail", part, limits.unmatched_share, seen, fail, remedy),
        Count("unmatched_share_warn", "deliveries", "warn", part, limits.unmatched_share_warn, seen, warn, remedy),
        Count(
            gate="mail_in_the_window",
            subject="deliveries",
            severity="warn",
            value=0 if inside else 1,
            maximum=0,
            observed=f"{counted(inside, 'delivery')} of {number(total)} arrived in the window",
            limit="at least 1 (fixed)",
            remedy="Compare the window with the logs' first and last stamps, their `year:` and `timezone:`.",
        ),
    ]
