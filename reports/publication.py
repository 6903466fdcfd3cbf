"""What a report may say: everything finished, nothing left to count.

The step `publish` builds one `Publication` from the run's tables; every page and `impact.json` is a pure function
of it. A refused run leaves the frames it never reached at None: absent is not zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import polars as pl

from transforms.settings import Definition, Settings
from transforms.vintage import Vintage

Status = Literal["preliminary", "final", "refused"]
WindowSource = Literal["declared", "detected"]
Counts = Mapping[str, Mapping[str, int]]
"""segment → {`mailbox`, `account`, `customer`} → how many."""


class ClaimReading(Protocol):
    """A public claim, read against every declared definition (`transforms.claims` makes them).

    `low` and `high` are the figures that the claim can mean, in `unit`. `consistent_definitions` of `definitions`
    agree with it. `nearest` describes the nearest definition; `sentence` is what may honestly be printed.
    """

    @property
    def who(self) -> str: ...
    @property
    def said(self) -> str: ...
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def consistent_definitions(self) -> int: ...
    @property
    def definitions(self) -> int: ...
    @property
    def nearest(self) -> Mapping[str, Any] | None: ...
    @property
    def sentence(self) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One incident's finished figures.

    Frames have the columns of `expectations.tables`. `sql` maps a file's name to its text as it ran. `provisioned`
    counts what the records valid in the window hold, `exposed` what of it had mail in the window. `reasons` says
    why a run was refused; it is empty otherwise. `outcomes` and `lines` have the keys of `deliveries` and `lines`
    in impact.json; a key that is missing was never counted. `set_aside` has a row per file and reason of lines that
    were not understood: `uri`, `reason`, `lines`, `first_line`; `gone` one per log that retention has removed and this
    count has not read: `uri`, `first_at`, `last_at`, `gone_at`. `cause` is one line, empty while it is not known;
    `next_update` is when the next count is promised. `vintages` are the counts published so far, oldest first;
    this one is the last of them, unless it was refused. A frame that is not given leaves its part of the page out.
    """

    incident_id: str
    title: str
    settings: Settings
    status: Status
    window_source: WindowSource = "declared"
    reasons: tuple[str, ...] = ()
    claims: tuple[ClaimReading, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    provisioned: Counts = field(default_factory=dict)
    exposed: Counts = field(default_factory=dict)
    sql: Mapping[str, str] = field(default_factory=dict)
    cause: str = ""
    next_update: datetime | None = None
    code_version: str = ""
    definition_sha256: str = ""
    inputs: pl.DataFrame | None = None
    gates: pl.DataFrame | None = None
    findings: pl.DataFrame | None = None
    corrections: pl.DataFrame | None = None
    line_counts: pl.DataFrame | None = None
    cells: pl.DataFrame | None = None
    minutes: pl.DataFrame | None = None
    delays: pl.DataFrame | None = None
    accounts: pl.DataFrame | None = None
    activity: pl.DataFrame | None = None
    hours: pl.DataFrame | None = None
    uptime: pl.DataFrame | None = None
    scales: pl.DataFrame | None = None
    survival: pl.DataFrame | None = None
    refusals: pl.DataFrame | None = None
    fault_shares: pl.DataFrame | None = None
    redress: pl.DataFrame | None = None
    currency: str = ""
    windows: pl.DataFrame | None = None
    late_share: pl.DataFrame | None = None
    ladder: pl.DataFrame | None = None
    ordinary: pl.DataFrame | None = None
    bounds: pl.DataFrame | None = None
    narrower: pl.DataFrame | None = None
    set_aside: pl.DataFrame | None = None
    gone: pl.DataFrame | None = None
    vintages: tuple[Vintage, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether a quality gate forbids every headline figure."""
        return self.status == "refused"

    @property
    def headline(self) -> Definition:
        """The definition that was chosen beforehand as the one to print."""
        return self.settings.headline


OUTCOMES = ("total", "delivered", "lost", "rejected_recipient", "pending", "unresolved")
FATES = ("read", "parsed", "ignored", "quarantined")
CELL_KEY = ("unit", "threshold_seconds", "messages", "count", "segment")
CELL_FIELDS = (*CELL_KEY, "measured", "lower", "upper", "baseline")
HEADS = ("account", "mailbox", "customer")
"""Units that stand for people, as the records know them."""
