"""Write an outage down as a provider would hold it: logs, customer records and the incident file, ready for a run."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.simulate.dialects import Damage, Written, write_down
from tests.simulate.files import rotate, write_rotated
from tests.simulate.outage import Outage, instant
from tests.simulate.postfix_queue import PostfixOptions


def write_incident(
    outage: Outage,
    folder: Path,
    dialect: str | Mapping[str, str] = "postfix-rfc3164",
    *,
    one_file: bool = False,
    log_timezone: str = "UTC",
    pieces: int = 3,
    suffixes: Sequence[str] = (".gz", ".xz", ".bz2", ".zst", ""),
    log_format: str = "auto",
    long_ids: bool = False,
    with_noise: bool = True,
    with_queue: bool = False,
    postfix: PostfixOptions | None = None,
    damage: Sequence[Damage] = (),
    **changes: Any,
) -> Path:
    """Write logs/<host>/…, customers.csv and incident.yaml below `folder`; return the incident file's path.

    `dialect` is one of DIALECTS, or one for each host. `one_file`: all hosts write to one log, logs/all/…, as on a
    loghost; then they must share an envelope, as two kinds of syslog do. Each log is rotated into `pieces` files,
    compressed as `suffixes` say in turn (the newest is plain). `log_timezone` is the zone of stamps that carry none.
    `with_queue` adds what `postqueue -j` lists where the logs end. `damage` spoils the lines (see `damage.py`);
    `changes` replace or add keys of the incident file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_host: dict[str, Written] = {}
    for name, hosts in _hosts_by_dialect(outage, dialect).items():
        written = write_down(
            outage,
            name,
            hosts=hosts,
            zone=log_timezone,
            long_ids=long_ids,
            with_noise=with_noise,
            postfix=postfix,
            damage=damage,
        )
        by_host |= dict.fromkeys(hosts, written)
    sources: list[dict[str, Any]] = []
    for place, sharing in ({"all": outage.hosts} if one_file else {host: (host,) for host in outage.hosts}).items():
        written = by_host[sharing[0]]
        said = [(at, text) for host in sharing for at, text in by_host[host].stamped(host)]
        said.sort(key=lambda pair: pair[0])
        slices = rotate([at for at, _ in said], pieces)
        firsts = [said[piece.start][0] for piece in slices]
        headers = [written.header(place, at) for at in firsts] if written.header else []
        texts = [text for _, text in said]
        where = folder / "logs" / place
        paths = write_rotated(where, written.name, texts, slices, suffixes, newline=written.newline, headers=headers)
        is_yearless = any(by_host[host].is_yearless for host in sharing)
        sources += _log_entries(folder, paths, firsts, log_format, log_timezone, is_yearless)
    incident = incident_of(outage, sources)
    if with_queue:
        incident["queue_snapshots"] = [_write_queue(folder, host, by_host[host].waiting[host]) for host in outage.hosts]
    write_customers(outage, folder / "customers.csv")
    path = folder / "incident.yaml"
    path.write_text(yaml.safe_dump({**incident, **changes}, sort_keys=False), encoding="utf-8")
    return path


def incident_of(outage: Outage, logs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the incident file's content for an outage whose logs are described by `logs`."""
    return {
        "id": f"simulated-{outage.seed}",
        "title": "A simulated outage",
        "timezone": outage.timezone,
        "logs": logs,
        "customers": {"uri": "customers.csv"},
        "window": {"start": _iso(outage.window[0]), "end": _iso(outage.window[1])},
        "as_of": _iso(outage.log_end),
        "baseline": {"start": _iso(outage.baseline[0]), "end": _iso(outage.baseline[1])},
        "local_domains": list(outage.local_domains),
        "bulk_senders": list(outage.bulk_senders),
        "thresholds": [f"{t // 60}m" if t % 60 == 0 else f"{t}s" for t in outage.thresholds],
        "headline": {"unit": "account", "threshold": "1h", "messages": "excluding_bulk", "count": "late"},
        "claims": [
            {"who": "Provider", "said": "several hundred accounts", "low": 200, "high": 999, "unit": "account"},
            {"who": "Press", "said": "2,000 users", "low": 2000, "high": 2000, "unit": "mailbox"},
        ],
    }


def write_customers(outage: Outage, path: Path) -> None:
    """Write the customer records as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["account_id", "customer_id", "segment", "mailbox", "address", "valid_from", "valid_to"])
        for r in outage.records:
            until = r.valid_to.isoformat() if r.valid_to else ""
            rows.writerow(
                [r.account_id, r.customer_id, r.segment, r.mailbox, r.address, r.valid_from.isoformat(), until]
            )


def _hosts_by_dialect(outage: Outage, dialect: str | Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    if isinstance(dialect, str):
        return {dialect: outage.hosts}
    return {name: tuple(h for h in outage.hosts if dialect[h] == name) for name in dict.fromkeys(dialect.values())}


def _iso(seconds: int) -> str:
    return instant(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _log_entries(
    folder: Path, paths: list[Path], firsts: list[float], log_format: str, zone: str, is_yearless: bool
) -> list[dict[str, Any]]:
    """One entry with a glob where one year will do; else one per file, each with the year of its first line."""
    if not paths:
        return []
    years = [instant(int(first)).astimezone(ZoneInfo(zone)).year for first in firsts]
    common = {"format": log_format, "timezone": zone}
    if not is_yearless or len(set(years)) == 1:
        glob = f"{paths[-1].parent.relative_to(folder)}/{paths[-1].name}*"
        return [{"uri": glob, **common, **({"year": years[0]} if is_yearless else {})}]
    return [
        {"uri": str(path.relative_to(folder)), **common, "year": year} for path, year in zip(paths, years, strict=True)
    ]


def _write_queue(folder: Path, host: str, waiting: list[dict[str, object]]) -> str:
    name = f"queue-{host}.json"
    (folder / name).write_text("".join(f"{json.dumps(entry)}\n" for entry in waiting), encoding="utf-8")
    return name
