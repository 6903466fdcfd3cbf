"""How would regulators' scales judge this? Illustrations: e-mail may be out of the scope of each.

The scales stand in `regulator_scales.yaml`, each with its source and why it may not apply. They are held against time
down by the headline's definition: users are mailboxes, customers are accounts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from expectations.tables import SCALES
from transforms.uptime import Steps, steps_of, union

POLICY = Path(__file__).parent / "regulator_scales.yaml"


@dataclass(frozen=True)
class _Downtime:
    """What the measures are taken from. `provisioned` is how many of each unit the records hold."""

    users: pl.DataFrame
    user_steps: Steps
    customer_steps: Steps
    provisioned: Mapping[str, int]

    @property
    def user_seconds(self) -> float:
        """Time down, added up over users."""
        return float((self.users["end_at"] - self.users["start_at"]).dt.total_microseconds().sum()) / 1e6

    @property
    def user_count(self) -> int:
        """Users that were down for some time."""
        return self.users["entity_id"].n_unique()


def measure_scales(spans: pl.DataFrame, provisioned: Mapping[str, int]) -> pl.DataFrame:
    """Return SCALES from DOWNTIME; `provisioned` counts the records' mailboxes and accounts."""
    users = spans.filter(unit="mailbox")
    customers = spans.filter(unit="account")
    downtime = _Downtime(union(users), steps_of(users), steps_of(customers), provisioned)
    rows = []
    for scale in _policy():
        for criterion in scale["criteria"]:
            observed = _MEASURES[criterion["measure"]](downtime, criterion)
            least = criterion.get("at_least")
            is_met = None if least is None or observed is None else observed >= least
            rows.append(
                {
                    "scale": scale["scale"],
                    "criterion": criterion["criterion"],
                    "observed": observed,
                    "threshold": None if least is None else float(least),
                    "unit": criterion["unit"],
                    "is_met": is_met,
                    "source": scale["source"],
                    "caveat": scale["caveat"],
                }
            )
    return SCALES.conform(pl.DataFrame(rows, schema=dict(SCALES.schema)))


def _longest(downtime: _Downtime, criterion: dict[str, Any]) -> float:
    """Time without a break in which enough were down at once: one user, or as many customers as are asked for."""
    if "people" not in criterion:
        return downtime.user_steps.longest(1)
    least = min(criterion["people"], criterion["share"] * downtime.provisioned["account"])
    return downtime.customer_steps.longest(least)


def _most_at_once(steps: Steps) -> float:
    return float(steps.down.max()) if len(steps.down) else 0.0


def _share_at_once(downtime: _Downtime, criterion: dict[str, Any]) -> float | None:
    provisioned = downtime.provisioned["mailbox"]
    return _most_at_once(downtime.user_steps) / provisioned if provisioned else None


_MEASURES: dict[str, Callable[[_Downtime, dict[str, Any]], float | None]] = {
    "longest_seconds": _longest,
    "user_minutes": lambda downtime, _: downtime.user_seconds / 60,
    "product_minutes": lambda downtime, _: downtime.user_count * downtime.user_steps.longest(1) / 60,
    "users": lambda downtime, _: downtime.user_count,
    "most_at_once": lambda downtime, _: _most_at_once(downtime.customer_steps),
    "share_at_once": _share_at_once,
    "unknown": lambda downtime, _: None,
}


@cache
def _policy() -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load(POLICY.read_text(encoding="utf-8")))
