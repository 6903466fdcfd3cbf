"""The policy file of what-if schemes for redress (YAML), which an incident file names as `redress`.

currency: NZD
schemes:
  - {name: Flat, measure: late, tiers: [{from: 1, pay: 10}]}
  - {name: By the day, measure: days, each: 5, most: 50}
  - {name: By hours down, measure: hours, segments: [business], tiers: [{from: 1, pay: 5}, {from: 8, pay: 20}]}
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from expectations.tables import MEASURES
from mailtoll.incident_model import Part, Text, one_of
from mailtoll.policy_file import read_policy_file
from transforms.redress import Cut, Scheme

Amount = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]


class Tier(Part):
    """From this much of the measure, that is paid."""

    start: Annotated[float, Field(alias="from", gt=0, le=1e9, allow_inf_nan=False)]
    pay: Amount


class SchemeEntry(Part):
    """One scheme: `tiers`, or an amount for `each` unit begun, up to `most`."""

    name: Text
    measure: Annotated[str, one_of(*MEASURES)]
    tiers: tuple[Tier, ...] = ()
    each: Amount | None = None
    most: Amount | None = None
    segments: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _pays_in_one_way(self) -> "SchemeEntry":
        if (self.each is None) == (not self.tiers):
            raise ValueError("give either tiers or each")
        if self.most is not None and self.each is None:
            raise ValueError("most limits each; the highest tier is its own limit")
        starts = [tier.start for tier in self.tiers]
        if starts != sorted(set(starts)):
            raise ValueError("tiers must rise, each from more than the one before")
        return self

    def scheme(self) -> Scheme:
        """Return the scheme as the transforms take it."""
        if self.each is not None:
            most = {} if self.most is None else {"most": self.most}
            return Scheme(self.name, self.measure, (Cut(0.0, self.each, is_each=True, **most),), self.segments)
        cuts = tuple(Cut(tier.start, tier.pay) for tier in self.tiers)
        return Scheme(self.name, self.measure, cuts, self.segments)


class RedressPolicy(Part):
    """What schemes to try, and in which currency the amounts are."""

    currency: Annotated[str, Field(min_length=1, max_length=8)]
    schemes: Annotated[tuple[SchemeEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_one_of_each_name(self) -> "RedressPolicy":
        names = [entry.name for entry in self.schemes]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two schemes are called {twice[0]!r}; name each differently")
        return self


def read_redress_policy(path: Path) -> RedressPolicy:
    """Return the policy of a file; `BadInput` names the line and the key that will not do."""
    return read_policy_file(path, RedressPolicy)
