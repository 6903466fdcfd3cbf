"""A simulated month of four hosts, one log per host and day, as a provider's log host keeps them."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from tests.simulate import Outage, simulate
from tests.simulate.dialects import write_down
from tests.simulate.incident import incident_of, write_customers
from tests.simulate.outage import instant

DAYS = 30
HOSTS = 4
LOGS = {"uri": "logs/*/mail.log-*", "format": "postfix", "timezone": "UTC"}


def write_month(folder: Path, seed: int = 5, messages: int = 3_000) -> Outage:
    """Write logs/<host>/mail.log-<day>, customers.csv, incident.yaml and standby.yaml; return the outage."""
    outage = simulate(
        seed, messages=messages, days=DAYS, hosts=HOSTS, start="2020-03-01T00:00:00Z", cut_off="2020-03-31T00:00:00Z"
    )
    written = write_down(outage, "postfix-rfc3339", hosts=outage.hosts)
    for host in outage.hosts:
        by_day: dict[str, list[str]] = defaultdict(list)
        for at, text in written.stamped(host):
            by_day[f"{instant(int(at)):%Y-%m-%d}"].append(text)
        for day, lines in by_day.items():
            path = folder / "logs" / host / f"mail.log-{day}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_customers(outage, folder / "customers.csv")
    # A host with a hundred messages a day is silent for hours: no hole by these limits.
    incident = incident_of(outage, [LOGS]) | {"gates": {"silence_minutes": 100_000}}
    _write(folder / "incident.yaml", incident)
    _write(folder / "from-store.yaml", incident | {"standby": "standby/month.yaml", "logs": [LOGS]})
    standby = {key: incident[key] for key in ("timezone", "customers", "local_domains", "bulk_senders")}
    standby |= {
        "id": "month",
        "timezone": "UTC",
        "store": "../store",
        "logs": [LOGS | {"uri": "../logs/*/mail.log-%Y-%m-%d"}],
        "stale_after": "2000d",
        "low_volume": 0,
    }
    (folder / "standby").mkdir(exist_ok=True)
    _write(folder / "standby" / "month.yaml", standby)
    return outage


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
