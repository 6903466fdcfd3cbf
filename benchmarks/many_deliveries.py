"""Time the counting of many deliveries, without parsing: events are made up, counted, and counted again.

    python benchmarks/many_deliveries.py FOLDER --deliveries 10000000

Writes FOLDER/events/*.parquet (one file per day of a ten-day log, two hosts) and FOLDER/records.parquet, unless they
are there; then runs stitch, count and recount, each in a process of its own, and prints wall seconds, CPU seconds and
peak memory, and of the SQL files those that cost most. Every queue file has its arrival, name, sender, attempts and
end; on the sixth day the store is slow and mail is deferred. The same arguments give the same events.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.memory import PeakMemory
from expectations.tables import CELLS, CUSTOMER_RECORDS, EVENTS, LADDER
from transforms import impact
from transforms.recount import differences, recount
from transforms.settings import Definition, Interval, Settings

START = datetime(2030, 3, 4, tzinfo=UTC)
DAYS, SLOW_DAY, MAILBOXES = 10, 5, 60_000
STEPS = ("stitch", "count", "recount")
SETTINGS = Settings(
    timezone="Pacific/Auckland",
    window=Interval(START + timedelta(days=SLOW_DAY), START + timedelta(days=SLOW_DAY + 1)),
    as_of=START + timedelta(days=DAYS),
    placebo_windows=tuple(
        Interval(START + timedelta(days=day), START + timedelta(days=day + 1)) for day in range(SLOW_DAY - 1)
    ),
    local_domains=("example.com",),
    bulk_senders=("*@mailhouse.example",),
    thresholds_seconds=(900, 3600, 14400, 86400),
    headline=Definition("account", 3600, "excluding_bulk", "late"),
)


def main() -> None:
    """Make what is missing, run the steps, print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deliveries", type=int, default=10_000_000)
    parser.add_argument("--legs", type=int, choices=(1, 2), default=1, help="2: all mail passes a content filter")
    parser.add_argument("--short-ids", action="store_true", help="Postfix' short queue ids, which are used again")
    parser.add_argument("--step", choices=STEPS, help="run this step alone, in this process")
    options = parser.parse_args()
    if options.step:
        print(json.dumps(_measured(options.step, options.folder)))
        return
    if not (options.folder / "records.parquet").exists():
        begun = time.perf_counter()
        rows = write_events(options.folder, options.deliveries, options.legs, options.short_ids)
        print(f"{rows:,} events of {options.deliveries:,} deliveries written in {time.perf_counter() - begun:.1f} s")
    total = {"wall": 0.0, "cpu": 0.0, "peak": 0.0}
    for step in STEPS:
        command = [sys.executable, __file__, str(options.folder), "--step", step]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"{step:8} {found['wall']:6.1f} s wall {found['cpu']:6.1f} s CPU {found['peak']:7,.0f} MB  {found['said']}"
        )
        for name, seconds in sorted(found["parts"].items(), key=lambda part: -part[1])[:4]:
            print(f"           {name:18} {seconds:6.1f} s")
        total = {k: max(v, found[k]) if k == "peak" else v + found[k] for k, v in total.items()}
    print(f"{'all':8} {total['wall']:6.1f} s wall {total['cpu']:6.1f} s CPU {total['peak']:7,.0f} MB at most")


def write_events(folder: Path, deliveries: int, legs: int, has_short_ids: bool) -> int:
    """Write events and records into `folder`; return how many events. A tenth of the messages has two recipients."""
    (folder / "events").mkdir(parents=True, exist_ok=True)
    per_day, rows = round(deliveries / DAYS / 1.1), 0
    for day in range(DAYS):
        mail = _day(np.random.default_rng([1, day]), day, per_day, has_short_ids)
        events = _events(mail, legs).with_columns(source_id=pl.format("day{}-{}", pl.lit(day), "host"))
        events = events.sort("logged_at", maintain_order=True).with_row_index("line_number", offset=1)
        EVENTS.conform(events).write_parquet(
            folder / "events" / f"{day:02d}.parquet", compression="zstd", compression_level=1
        )
        rows += events.height
    _records().write_parquet(folder / "records.parquet")
    return rows


def _day(rng: np.random.Generator, day: int, count: int, has_short_ids: bool) -> pl.DataFrame:
    """Return one row per message of a day: who sent it to whom, and its arrival and end in microseconds."""
    at = int((START + timedelta(days=day)).timestamp()) + np.sort(rng.integers(0, 86_400, count))
    usual, slow = rng.exponential(20, count), np.exp(rng.normal(np.log(2400), 1.5, count))
    wait = np.where(rng.random(count) < (0.7 if day == SLOW_DAY else 0.01), slow, usual).astype(np.int64)
    number = pl.Series(np.arange(count) + (0 if has_short_ids else day * count))
    id_format = "A{}" if has_short_ids else "4Z{}zPq"
    popular = np.minimum(rng.pareto(1.2, (2, count)) * MAILBOXES / 40, MAILBOXES * 1.003).astype(np.int64)
    who, is_bulk = rng.integers(0, 50_000, count), rng.random(count) < 0.4
    fate = rng.choice(["sent", "bounced", "unknown", "waits"], count, p=[0.985, 0.005, 0.008, 0.002])
    frame = pl.DataFrame(
        {
            "number": number,
            "at": at * 1_000_000,
            "end": (at + wait) * 1_000_000,
            "first": popular[0],
            "second": np.where(rng.random(count) < 0.1, (popular[1] + popular[0] + 1) % MAILBOXES, -1),
            "who": who,
            "is_bulk": is_bulk,
            "fate": fate,
        }
    )
    return frame.with_row_index("queue_file").select(
        "queue_file",
        "at",
        "end",
        "fate",
        queue_id=pl.format(id_format, pl.col("number") + 10_000_000),
        host=pl.when(pl.col("number") % 2 == 0).then(pl.lit("mx1")).otherwise(pl.lit("mx2")),
        sender=pl.when("is_bulk")
        .then(pl.lit("promo@mailhouse.example"))
        .otherwise(pl.format("u{}@example.org", "who")),
        message_id=pl.format(f"{day}.{{}}@example.org", "number"),
        first=pl.format("user{}@example.com", "first"),
        second=pl.when(pl.col("second") >= 0).then(pl.format("user{}@example.com", "second")),
    )


def _events(mail: pl.DataFrame, legs: int) -> pl.DataFrame:
    """Return the events of a day's messages; with a filter the first queue file is over within a second."""
    if legs == 1:
        return _leg(mail)
    next_id = pl.col("queue_id") + "F"
    handed = mail.with_columns(end=pl.col("at") + 1_000_000, fate=pl.lit("sent"), next=next_id)
    later = mail.with_columns(
        at=pl.col("at") + 1_000_000, queue_id=next_id, queue_file=pl.col("queue_file") + mail.height
    )
    return pl.concat([_leg(handed), _leg(later)], how="diagonal")


def _leg(mail: pl.DataFrame) -> pl.DataFrame:
    has_next = "next" in mail.columns
    both = [mail.with_columns(recipient=pl.col(name)) for name in ("first", "second")]
    named = pl.concat(both).filter(pl.col("recipient").is_not_null())
    late = named.filter(pl.col("end") - pl.col("at") >= 300_000_000)
    ended = named.filter(pl.col("fate") != "waits")
    recipients = pl.when(pl.col("second").is_null()).then(1).otherwise(2).cast(pl.Int64)
    is_unknown, is_sent = pl.col("fate") == "unknown", pl.col("fate") == "sent"
    parts = [
        _kind(mail, "arrived", "at", client=pl.lit("mail.example.org[192.0.2.7]")),
        _kind(mail, "named", "at", message_id=pl.col("message_id")),
        _kind(mail, "queued", "at", sender=pl.col("sender"), recipient_count=recipients),
        *(
            _kind(
                late.with_columns(tried=pl.col("at") + minutes * 60_000_000).filter(pl.col("tried") < pl.col("end")),
                "attempted",
                "tried",
                recipient=pl.col("recipient"),
                status=pl.lit("deferred"),
                dsn=pl.lit("4.4.1"),
                reply=pl.lit("connect to store: Connection refused"),
                delay_seconds=(pl.col("tried") - pl.col("at")) / 1e6,
            )
            for minutes in (5, 15, 35, 75)
        ),
        _kind(
            ended,
            "attempted",
            "end",
            recipient=pl.col("recipient"),
            status=pl.when(is_sent).then(pl.lit("sent")).otherwise(pl.lit("bounced")),
            dsn=pl.when(is_sent)
            .then(pl.lit("2.0.0"))
            .when(is_unknown)
            .then(pl.lit("5.1.1"))
            .otherwise(pl.lit("5.2.2")),
            relay=pl.lit("127.0.0.1[127.0.0.1]:10024" if has_next else "store[198.51.100.3]:24"),
            delay_seconds=(pl.col("end") - pl.col("at")) / 1e6,
            related_queue_id=pl.col("next") if has_next else pl.lit(None, pl.String),
        ),
        _kind(mail.filter(pl.col("fate") != "waits"), "removed", "end"),
    ]
    return pl.concat(parts, how="diagonal")


def _kind(mail: pl.DataFrame, kind: str, at: str, **values: pl.Expr) -> pl.DataFrame:
    stamp = pl.col(at).cast(pl.Datetime("us", "UTC"))
    return mail.select("host", "queue_id", "queue_file", kind=pl.lit(kind), logged_at=stamp, **values)


def _records() -> pl.DataFrame:
    """Return one row per mailbox: three accounts for four mailboxes, a quarter of them business."""
    number = pl.int_range(MAILBOXES, eager=True).alias("number").to_frame()
    name = pl.format("user{}@example.com", "number")
    account = pl.col("number") * 3 // 4
    rows = number.select(
        account_id=pl.format("A{}", account),
        customer_id=pl.format("C{}", account * 9 // 10),
        segment=pl.when(account % 4 == 0).then(pl.lit("business")).otherwise(pl.lit("residential")),
        mailbox=name,
        address=name,
    )
    return CUSTOMER_RECORDS.conform(rows)


def _measured(step: str, folder: Path) -> dict[str, Any]:
    """Run one step; return wall and CPU seconds, peak memory in MB, seconds by SQL file, and a word on its result."""
    files = sorted((folder / "events").glob("*.parquet"))
    records = pl.read_parquet(folder / "records.parquet")
    parts: dict[str, float] = {}
    _time_files(parts)
    begun, memory = time.perf_counter(), PeakMemory(os.getpid())
    said = {"stitch": _stitch, "count": _count, "recount": _recount}[step](folder, files, records)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": memory.stop() / 1e6,
        "parts": parts,
        "said": said,
    }


def _time_files(parts: dict[str, float]) -> None:
    run_files = impact.run_files

    def timed(db: Any, names: Any) -> None:
        for name in names:
            begun = time.perf_counter()
            run_files(db, (name,))
            parts[name] = parts.get(name, 0.0) + time.perf_counter() - begun

    impact.run_files = timed


def _stitch(folder: Path, files: list[Path], records: pl.DataFrame) -> str:
    with impact.workspace() as db:
        impact.stitch(db, files, records, SETTINGS)
        deliveries = impact.deliveries_in_order(db)
        deliveries.sink_parquet(folder / "deliveries.parquet", compression="zstd", compression_level=1)
        ((rows,),) = db.sql("SELECT count(*) FROM deliveries").fetchall()
    return f"{rows:,} deliveries"


def _count(folder: Path, files: list[Path], records: pl.DataFrame) -> str:
    with impact.workspace() as db:
        db.read_parquet(str(folder / "deliveries.parquet")).create_view("deliveries")
        impact.count(db, records, SETTINGS)
        cells, ladder = impact.table(db, "cells", CELLS), impact.table(db, "ladder", LADDER)
    cells.write_parquet(folder / "cells.parquet")
    return f"{cells.height:,} cells, {ladder.height:,} rungs"


def _recount(folder: Path, files: list[Path], records: pl.DataFrame) -> str:
    cells = pl.read_parquet(folder / "cells.parquet")
    found = differences(cells, recount(files, records, SETTINGS))
    return f"{found.height:,} of {cells.height:,} cells differ"


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    main()
