"""A publication of a flood that never happened: every figure is made up, and they agree with each other."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from expectations import tables
from reports.publication import Publication
from transforms.settings import Definition, Interval, Settings
from transforms.vintage import Step, Vintage

START = datetime(2030, 10, 31, 0, tzinfo=UTC)
END = datetime(2030, 11, 2, 0, tzinfo=UTC)
AS_OF = datetime(2030, 11, 4, 0, tzinfo=UTC)
THRESHOLDS = (900, 3600, 14400, 86400)
PROVISIONED = {
    "business": {"mailbox": 19_240, "account": 12_025, "customer": 11_063},
    "residential": {"mailbox": 41_360, "account": 37_600, "customer": 36_848},
}
EXPOSED_SHARE = {"business": 0.81, "residential": 0.58}
LATE_SHARE = {"business": (0.66, 0.49, 0.23, 0.041), "residential": (0.51, 0.31, 0.13, 0.022)}
LOST_SHARE = 0.006
HEADLINE = Definition("account", 3600, "excluding_bulk", "late")


@dataclass(frozen=True)
class Claim:
    """A claim as `transforms.claims` reads it."""

    who: str
    said: str
    low: int
    high: int
    unit: str
    consistent_definitions: int
    definitions: int
    nearest: dict[str, Any] | None
    sentence: str | None


def publication(**changes: Any) -> Publication:
    """Return the whole publication; `changes` replaces whole fields."""
    fields: dict[str, Any] = {
        "incident_id": "example-flood-2030",
        "title": "Example Mail delays, November 2030",
        "settings": settings(),
        "status": "preliminary",
        "claims": claims(),
        "outcomes": {
            "total": 4_210_377,
            "delivered": 4_188_164,
            "lost": 6_412,
            "rejected_recipient": 9_830,
            "pending": 5_206,
            "unresolved": 765,
        },
        "lines": {"read": 31_904_118, "parsed": 21_377_204, "ignored": 10_522_851, "quarantined": 4_063},
        "provisioned": PROVISIONED,
        "exposed": exposed(),
        "sql": {
            "deliveries.sql": "SELECT message_key\nFROM legs\nWHERE a < b;\n",
            "cells.sql": "SELECT count(*) FROM deliveries;\n",
        },
        "code_version": "0.1.0+0123abc",
        "definition_sha256": "5d" * 32,
        "inputs": inputs(),
        "gates": gates(),
        "findings": findings(),
        "line_counts": line_counts(),
        "cells": cells(),
        "ladder": ladder(),
        "ordinary": ordinary(),
        "bounds": bounds(),
        "narrower": narrower(),
        "set_aside": set_aside(),
        "minutes": minutes(),
        "delays": delays(),
        "accounts": accounts(),
        "hours": hours(),
        "uptime": uptime(),
        "refusals": refusals(),
        "fault_shares": fault_shares(),
        "scales": scales(),
        "survival": survival(),
        "windows": windows(),
        "vintages": vintages(),
    }
    return Publication(**(fields | changes))


def refused() -> Publication:
    """Return a run that the gates refused before anything was counted."""
    return publication(
        status="refused",
        reasons=(
            "The log of host mx2 has a hole from 31 Oct 2030 09:10 to 14:35: 5 hours 25 minutes without a line.",
            "0.9 % of all lines were not understood; 0.5 % is allowed (default).",
        ),
        cells=None,
        ladder=None,
        ordinary=None,
        bounds=None,
        narrower=None,
        minutes=None,
        delays=None,
        accounts=None,
        hours=None,
        uptime=None,
        scales=None,
        survival=None,
        windows=None,
        vintages=(),
        outcomes={},
        exposed={},
        sql={},
    )


def settings(**changes: Any) -> Settings:
    """Return the declared choices."""
    fields: dict[str, Any] = {
        "timezone": "Pacific/Auckland",
        "window": Interval(START, END),
        "as_of": AS_OF,
        "placebo_windows": (Interval(START - timedelta(days=7), END - timedelta(days=7)),),
        "local_domains": ("mail.example.com",),
        "bulk_senders": ("*@mailhouse.example",),
        "thresholds_seconds": THRESHOLDS,
        "headline": HEADLINE,
    }
    return Settings(**(fields | changes))


def claims() -> tuple[Claim, ...]:
    """Return what two parties said."""
    nearest = {
        "unit": "mailbox",
        "threshold_seconds": 14400,
        "messages": "excluding_bulk",
        "count": "late",
        "measured": 7053,
    }
    return (
        Claim(
            "Example Telecom",
            "several thousand users",
            2000,
            9999,
            "mailbox",
            7,
            16,
            nearest,
            "“Several thousand users” holds for mailboxes delayed 4 hours or more; at 1 hour it is an understatement.",
        ),
        Claim(
            "Radio Example",
            "20,000 users",
            20000,
            20000,
            "mailbox",
            0,
            16,
            None,
            "No declared definition counts 20,000 mailboxes; the nearest counts 20,345: all mail, 15 minutes late.",
        ),
    )


def exposed() -> dict[str, dict[str, int]]:
    """Return what had mail in the window."""
    return {
        segment: {unit: round(n * EXPOSED_SHARE[segment]) for unit, n in counts.items()}
        for segment, counts in PROVISIONED.items()
    }


def cells(segments: tuple[str, ...] = ("business", "residential"), has_baseline: bool = True) -> pl.DataFrame:
    """Return the full grid; `all` is the sum of the segments, and of `unmatched` for what is not of the records."""
    rows = []
    for unit in tables.UNITS:
        for i, seconds in enumerate(THRESHOLDS):
            for messages in tables.MESSAGES:
                for count in tables.COUNTS:
                    each = {s: _measured(unit, s, i, messages, count) for s in segments}
                    if unit not in tables.UNITS_OF_THE_RECORDS:
                        each["unmatched"] = round(0.004 * sum(each.values()))
                    for segment, measured in [("all", sum(each.values())), *each.items()]:
                        rows.append(
                            {
                                "unit": unit,
                                "threshold_seconds": seconds,
                                "messages": messages,
                                "count": count,
                                "segment": segment,
                                "measured": measured,
                                "lower": measured,
                                "upper": measured + round(0.011 * measured) + i,
                                "baseline": round(measured * 0.027 / (i + 1), 1) if has_baseline else None,
                            }
                        )
    return tables.CELLS.conform(pl.DataFrame(rows, schema_overrides={"baseline": pl.Float64}))


def _measured(unit: str, segment: str, i: int, messages: str, count: str) -> int:
    people = {"address": "mailbox", "delivery": "mailbox", "message": "mailbox"}.get(unit, unit)
    heads = PROVISIONED[segment][people] * EXPOSED_SHARE[segment] * LATE_SHARE[segment][i]
    many = {"address": 1.07, "delivery": 6.4, "message": 5.8}.get(unit, 1.0)
    wider = 1.22 if messages == "all" else 1.0
    lost = LOST_SHARE * PROVISIONED[segment][people] if count == "late_or_lost" else 0.0
    return round((heads * wider + lost) * many)


def ladder() -> pl.DataFrame:
    """Return the ladder: active between provisioned and exposed, late as in the grid, most of it in working hours."""
    late = cells().filter(pl.col("count") == "late", pl.col("unit").is_in(tables.UNITS_OF_THE_RECORDS))
    rows = [
        row | {"rung": rung, "step": step + THRESHOLDS.index(row["threshold_seconds"]), "measured": n}
        for row in late.select("unit", "messages", "segment", "threshold_seconds", "measured").iter_rows(named=True)
        for rung, step, n in (
            ("late", 4, row["measured"]),
            ("late_in_working_hours", 8, round(0.7 * row["measured"])),
        )
    ]
    known = exposed()
    for unit in tables.UNITS_OF_THE_RECORDS:
        for messages in tables.MESSAGES:
            for segment in ("all", "business", "residential"):
                parts = [s for s in PROVISIONED if segment in ("all", s)]
                upper = sum(PROVISIONED[s][unit] for s in parts), sum(known[s][unit] for s in parts)
                whole = {1: ("provisioned", upper[0]), 3: ("exposed", upper[1]), 12: ("lost", round(0.01 * upper[1]))}
                whole[2] = ("active", sum(upper) // 2)
                place = {"unit": unit, "messages": messages, "segment": segment, "threshold_seconds": None}
                rows += [place | {"step": at, "rung": rung, "measured": n} for at, (rung, n) in whole.items()]
    return tables.LADDER.conform(pl.DataFrame(rows, infer_schema_length=None)).sort(tables.LADDER.key)


def ordinary() -> pl.DataFrame:
    """Return the one ordinary window, in which the headline's definition counts what `cells` calls its baseline."""
    headline = cells().filter(
        unit=HEADLINE.unit, threshold_seconds=3600, messages=HEADLINE.messages, count=HEADLINE.count
    )
    span = {"start_at": START - timedelta(days=7), "end_at": END - timedelta(days=7)}
    rows = [span | {"segment": s, "measured": round(b)} for s, b in headline.select("segment", "baseline").iter_rows()]
    return tables.ORDINARY.conform(pl.DataFrame(rows))


def minutes(step: timedelta = timedelta(minutes=15), days: int = 8) -> pl.DataFrame:
    """Return arrivals, backlog and delay by time: ordinary days, then a flood, then a queue that drains."""
    rows, backlog, bulk_waiting = [], 0.0, 0.0
    first = END - timedelta(days=days - 2)
    per_step = step / timedelta(minutes=15)
    for i in range(round(timedelta(days=days) / step)):
        at = first + i * step
        hour = ((at - first).total_seconds() / 3600 + 13) % 24
        ordinary = (900 + 700 * math.sin((hour - 7) / 24 * 2 * math.pi)) * per_step * (1 + 0.1 * math.sin(i * 1.7))
        flooding = START + timedelta(hours=3) <= at < START + timedelta(hours=20)
        bulk = 6200 * per_step * (1 + 0.15 * math.sin(i * 0.9)) if flooding else 60 * per_step
        ended = min(backlog + ordinary + bulk, (3400 if START <= at < END else 5200) * per_step)
        share = (bulk_waiting + bulk) / (backlog + ordinary + bulk)
        backlog = backlog + ordinary + bulk - ended
        bulk_waiting = min(backlog, bulk_waiting + bulk - ended * share)
        wait = max(0.4, backlog / (3400 * per_step) * step.total_seconds())
        rows.append(
            {
                "start_at": at,
                "step_seconds": round(step.total_seconds()),
                "arrivals": round(ordinary + bulk),
                "arrivals_bulk": round(bulk),
                "ended": round(ended),
                "backlog": round(backlog),
                "backlog_bulk": round(bulk_waiting),
                "delay_median_seconds": wait,
                "delay_p95_seconds": wait * 3.1 + 2,
            }
        )
    return tables.MINUTES.conform(pl.DataFrame(rows))


def delays() -> pl.DataFrame:
    """Return the distribution of delay; mail that still waits is in the class it has reached."""
    edges: tuple[float | None, ...] = (1, 10, 60, 300, 900, 3600, 14400, 86400, 172800, None)
    delivered = (41_000, 62_000, 38_000, 21_000, 33_000, 94_000, 120_000, 61_000, 18_000, 4_000)
    pending = (0, 0, 0, 0, 0, 0, 0, 0, 1_906, 3_300)
    lost = (0, 12, 40, 66, 120, 410, 900, 1_700, 1_900, 1_264)
    share = {"all": 1.0, "business": 0.42, "residential": 0.576, "unmatched": 0.004}
    rows = [
        {
            "segment": segment,
            "messages": messages,
            "at_most_seconds": edge,
            "delivered": round(d * part * more),
            "pending": round(q * part * more),
            "lost": round(x * part * more),
        }
        for segment, part in share.items()
        for messages, more in (("all", 1.7), ("excluding_bulk", 1.0))
        for edge, d, q, x in zip(edges, delivered, pending, lost, strict=True)
    ]
    return tables.DELAYS.conform(pl.DataFrame(rows, schema_overrides={"at_most_seconds": pl.Float64}))


def accounts(n: int = 800) -> pl.DataFrame:
    """Return a few accounts, enough to draw how many messages each had late."""
    rows = [
        {
            "account_id": f"ACC{i:06d}",
            "customer_id": f"CUS{i:06d}",
            "segment": "business" if i % 3 else "residential",
            "mailboxes": 1 + i % 2,
            "deliveries": 5 + i % 40,
            "late_deliveries": max(0, i * 7 % 45 - 12) % (5 + i % 40),
            "lost_deliveries": int(i % 61 == 0),
            "pending_deliveries": int(i % 97 == 0),
            "longest_delay_seconds": float(i * 131 % 90000),
            "is_affected": max(0, i * 7 % 45 - 12) % (5 + i % 40) > 0,
        }
        for i in range(n)
    ]
    return tables.ACCOUNTS.conform(pl.DataFrame(rows)) if rows else tables.ACCOUNTS.empty()


def inputs() -> pl.DataFrame:
    """Return two logs and the records."""
    rows = [
        {
            "uri": f"logs/mx{i}/mail.log.gz",
            "kind": "log",
            "source_id": f"{i:016x}",
            "path": f"warehouse/raw/{i}/mail.log.gz",
            "sha256": f"{i}a" * 32,
            "bytes": 410_000_000 + i,
            "lines": 15_952_059,
            "is_duplicate": False,
            "format": "postfix",
            "first_at": START - timedelta(days=6),
            "last_at": AS_OF,
        }
        for i in (1, 2)
    ]
    rows.append(
        {
            "uri": "customers.csv",
            "kind": "customer_records",
            "source_id": "c" * 16,
            "path": "warehouse/raw/c/customers.csv",
            "sha256": "c" * 64,
            "bytes": 4_812_000,
            "lines": 61_204,
            "is_duplicate": False,
            "format": None,
            "first_at": None,
            "last_at": None,
        }
    )
    return tables.INPUTS.conform(pl.DataFrame(rows))


def line_counts() -> pl.DataFrame:
    """Return the fate of every line."""
    fates = {"parsed": 10_688_602, "ignored": 5_261_425, "quarantined": 2_032}
    rows = [
        {"source_id": f"{i:016x}", "host": f"mx{i}", "service": "postfix/smtp", "fate": fate, "lines": n}
        for i in (1, 2)
        for fate, n in fates.items()
    ]
    return tables.LINE_COUNTS.conform(pl.DataFrame(rows))


def set_aside() -> pl.DataFrame:
    """Return why lines were set aside."""
    rows = [
        ("mx1/mail.log.gz", "no_stamp", 2_031, 17),
        ("mx1/mail.log.gz", "torn", 1, 88),
        ("mx2/mail.log.gz", "torn", 2_031, 5),
    ]
    return pl.DataFrame(rows, schema=["uri", "reason", "lines", "first_line"], orient="row")


def bounds() -> pl.DataFrame:
    """Return what makes each cell's range wide: pending mail first, the rest recipients nobody knows."""
    grid = cells().with_columns(width=pl.col("upper") - pl.col("measured"))
    parts = [("pending", 1, pl.col("width") * 2 // 3), ("unmatched", 4, pl.col("width") - pl.col("width") * 2 // 3)]
    rows = [
        grid.select(*tables.CELLS.key, place=place, cause=pl.lit(cause), width=width) for cause, place, width in parts
    ]
    return tables.BOUNDS.conform(pl.concat(rows))


def narrower() -> pl.DataFrame:
    """Return the bounds under two assumptions, and under both: one takes a third of what the worst case adds."""
    grid = cells()
    width = pl.col("upper") - pl.col("measured")
    made = [
        ("waiting_like_delivered", "Mail still waiting fares as mail that had waited as long.", width // 3),
        ("strangers_no_customers", "Addresses that no record knows are nobody on the records.", width * 2 // 3),
        ("all_of_these", "All of these.", pl.lit(0, pl.Int64)),
    ]
    rows = [
        grid.select(
            *tables.CELLS.key,
            "lower",
            place=pl.lit(place),
            assumption=pl.lit(name),
            sentence=pl.lit(sentence),
            upper=pl.col("measured") + adds,
        )
        for place, (name, sentence, adds) in enumerate(made, start=1)
    ]
    return tables.NARROWER.conform(pl.concat(rows))


def gates() -> pl.DataFrame:
    """Return three checks: two held, one warns."""
    rows = [
        (
            "quarantined_share",
            "events",
            "fail",
            True,
            "0.013 %",
            "0.5 % (default)",
            "add the dialect's missing line",
            "ExpectColumnValuesToBeBetween(column='share', max_value=0.005)",
            2,
            0,
        ),
        (
            "unmatched_share",
            "deliveries",
            "warn",
            False,
            "1.4 %",
            "1 % (default)",
            "ask for the records of the missing addresses",
            "ExpectColumnPairValuesAToBeGreaterThanB(column_A='maximum', column_B='value', or_equal=True)",
            1,
            1,
        ),
        (
            "accounting_identity",
            "deliveries",
            "fail",
            True,
            "4,210,377 = 4,210,377",
            "equal",
            "report it as a defect",
            None,
            None,
            None,
        ),
    ]
    names = [c.name for c in tables.GATES.columns]
    return tables.GATES.conform(pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]))


def findings() -> pl.DataFrame:
    """Return one loss mark."""
    rows = [
        {
            "code": "loss_mark",
            "host": "mx1",
            "source_id": f"{1:016x}",
            "start_at": START + timedelta(hours=5),
            "end_at": START + timedelta(hours=5, minutes=1),
            "lines": 214,
            "detail": "rsyslog says that it dropped 214 lines",
        }
    ]
    return tables.FINDINGS.conform(pl.DataFrame(rows))


def hours() -> pl.DataFrame:
    """Return time down: 3 hours for each that was late, less for the longer thresholds; one account fewer than late."""
    late = cells().filter(pl.col("unit").is_in(["account", "mailbox"]))
    down = (3 * 3600.0 - pl.col("threshold_seconds") / 8) * pl.col("measured")
    rows = late.select(
        *tables.HOURS.key,
        people=pl.col("measured") - 1,
        measured_seconds=down,
        lower_seconds=down,
        upper_seconds=1.1 * down,
    )
    return tables.HOURS.conform(rows)


def fault_shares() -> pl.DataFrame:
    """Return late mail by fault, of two segments and in all."""
    counts = {"any": 900, "ours": 850, "our_queue": 100, "our_store": 700, "our_policy": 50, "recipient": 50}
    return tables.FAULT_SHARES.conform(
        pl.DataFrame(
            [
                {
                    "segment": s,
                    "direction": d,
                    "fault": f,
                    "deliveries": n // k,
                    "mailboxes": n // k // 2,
                    "accounts": 9,
                }
                for k, s in enumerate(("all", "business", "residential"), start=1)
                for d in ("any", "inbound")
                for f, n in counts.items()
            ]
        )
    )


def refusals() -> pl.DataFrame:
    """Return waits in senders' queues, of two segments and in all."""
    figures = [("all", 40, 33), ("business", 12, 12), ("residential", 28, 21)]
    return tables.REFUSALS.conform(
        pl.DataFrame(
            [
                {
                    "segment": segment,
                    "messages": messages,
                    "waits": waits,
                    "refusals": 2 * waits,
                    "accepted": accepted,
                    "never_accepted": waits - accepted,
                    "median_wait_seconds": 900.0,
                    "longest_wait_seconds": 7260.0,
                    "late_only_with_wait": accepted // 3,
                }
                for segment, waits, accepted in figures
                for messages in tables.MESSAGES
            ]
        )
    )


def uptime() -> pl.DataFrame:
    """Return user-uptime of the whole window and of its worst hour."""
    rows = [
        {
            "segment": segment,
            "window_seconds": seconds,
            "accounts": 9740,
            "worst_start_at": START,
            "down_seconds": down,
            "uptime_share": 1 - down / (9740 * seconds),
        }
        for segment in ("all", "business")
        for seconds, down in ((3600, 14_000_000.0), (172_800, 90_000_000.0))
    ]
    return tables.UPTIME.conform(pl.DataFrame(rows))


def scales() -> pl.DataFrame:
    """Return two scales: one that would be met, one that names no figure."""
    names = ("scale", "criterion", "observed", "threshold", "unit", "is_met", "source", "caveat")
    rows = [
        (
            "Example scale",
            "at least 30 minutes",
            7200.0,
            1800.0,
            "s",
            True,
            "Example Code 1",
            "Not written for e-mail.",
        ),
        ("Other scale", "number of users", 15_072.0, None, "mailboxes", None, "Example Act 2", "It names no figure."),
    ]
    return tables.SCALES.conform(pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]))


def survival() -> pl.DataFrame:
    """Return falling curves; the naive one falls sooner."""
    rows = [
        {
            "segment": segment,
            "messages": messages,
            "delay_seconds": t,
            "at_risk": round(5e5 * share),
            "waiting_share": share,
            "delivered_share": 0.98 * (1 - share),
            "lost_share": 0.02 * (1 - share),
            "naive_waiting_share": max(0.0, share * 0.8 - 0.02),
        }
        for segment, slower in (("all", 1.0), ("business", 1.3), ("residential", 0.8))
        for messages in tables.MESSAGES
        for t in (0.0, 1.0, 10.0, 60.0, 900.0, 3600.0, 14400.0, 86400.0, 172800.0)
        for share in [math.exp(-t / (20_000 * slower))]
    ]
    return tables.SURVIVAL.conform(pl.DataFrame(rows))


def windows() -> pl.DataFrame:
    """Return the declared window and one that change points find."""
    rows = [
        {
            "source": "declared",
            "penalty": None,
            "is_used": True,
            "is_default": False,
            "change_points": None,
            "start_at": START,
            "end_at": END,
        },
        {
            "source": "detected",
            "penalty": 3.0,
            "is_used": False,
            "is_default": True,
            "change_points": 4,
            "start_at": START + timedelta(hours=3),
            "end_at": END - timedelta(hours=8),
        },
    ]
    return tables.WINDOWS.conform(pl.DataFrame(rows, infer_schema_length=None))


def vintages() -> tuple[Vintage, ...]:
    """Return an earlier count and this one: later logs added 40 accounts, corrected records took 7 away."""
    chosen = cells().filter(
        unit=HEADLINE.unit, threshold_seconds=3600, messages=HEADLINE.messages, count=HEADLINE.count
    )
    now = dict(chosen.select("segment", "measured").iter_rows())
    records = now | {"all": now["all"] - 40, "business": now["business"] - 40}
    former = records | {"all": records["all"] + 7, "residential": records["residential"] + 7}
    everything = chosen.filter(segment="all").row(0, named=True)
    steps = (Step(("records",), former, records), Step(("logs",), records, now))
    first = Vintage(
        1,
        "vintages/1",
        AS_OF - timedelta(days=1),
        "preliminary",
        HEADLINE,
        former["all"],
        former["all"],
        former["all"] + 500,
        former,
        "5d" * 32,
        "0.1.0",
    )
    second = Vintage(
        2,
        "vintages/2",
        AS_OF,
        "preliminary",
        HEADLINE,
        now["all"],
        everything["lower"],
        everything["upper"],
        now,
        "5d" * 32,
        "0.1.0+0123abc",
        steps,
    )
    return (first, second)
