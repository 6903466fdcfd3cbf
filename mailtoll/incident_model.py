"""The shape of an incident file: every key of the contract, its type and its limits.

Values arrive as the text that was written (`yaml_lines.py`); each type here turns it into what it means. A `ValueError`
says what is wrong and what to write instead; `incident.py` puts file, line and key before it.
"""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from expectations.tables import COUNTS, MESSAGES, UNITS
from mailtoll.durations import parse_duration, spell_duration
from sources.domains import ascii_domain
from sources.log_spec import FORMATS
from transforms.gate_limits import GateLimits
from transforms.settings import Interval

LONGEST_LINE = 240
"""Characters of a line that stands in the summary, which is one page."""


def one_of(*allowed: str) -> BeforeValidator:
    """Return a validator that lets only the `allowed` words through."""

    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"{value!r} is not known; write one of {', '.join(allowed)}")
        return value

    return BeforeValidator(check)


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        stamp = value
    else:
        try:
            stamp = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(f"{value!r} is not a time; write it like 2030-01-31T00:00:00Z") from None
    if stamp.tzinfo is None:
        raise ValueError(f"{value!r} has no zone; end it with Z for UTC or with an offset such as +13:00")
    return stamp.astimezone(UTC)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"{value!r} is not a time zone; write an IANA name such as UTC or Pacific/Auckland") from None
    return value


def _line(value: str) -> str:
    if len(value) > LONGEST_LINE or "\n" in value.strip():
        raise ValueError(f"it has {len(value)} characters; say it in one line of at most {LONGEST_LINE}")
    return value.strip()


def _id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value):
        raise ValueError(f"{value!r} cannot name a folder; use up to 100 letters, digits, '.', '-' and '_'")
    return value


def _domain(value: str) -> str:
    domain = ascii_domain(value.removeprefix("@"))
    if not re.fullmatch(r"[^\s@*?]+", domain):
        raise ValueError(f"{value!r} is not a domain; write the part after the @, such as example.com")
    return domain


def _yes_or_no(value: object) -> object:
    words = {"true": True, "false": False}
    if not isinstance(value, bool) and str(value).lower() not in words:
        raise ValueError(f"{value!r} will not do; write true or false")
    return value if isinstance(value, bool) else words[str(value).lower()]


def _listing(value: object) -> object:
    return {"uri": value} if isinstance(value, str) else value


def _mailbox(value: str) -> str:
    parsed = getaddresses([value])
    if len(parsed) != 1 or not re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", parsed[0][1]) or not value.isprintable():
        raise ValueError(f"{value!r} is not one mail address; write it like Ann Lee <ann@example.com>")
    return value


def _limits(value: object) -> GateLimits:
    if not isinstance(value, dict):
        raise ValueError("this must be a list of names and limits, such as {unmatched_share: 0.1}")
    standard = asdict(GateLimits())
    read: dict[str, Any] = {}
    for name, text in value.items():
        if name not in standard:
            raise ValueError(f"there is no gate {name!r}; the gates are {', '.join(standard)}")
        is_whole = isinstance(standard[name], int) and name in ("incomplete_records", "ambiguous_addresses")
        top = 1.0 if "_share" in name else 1e9
        try:
            number = int(str(text)) if is_whole else float(str(text))
        except ValueError:
            number = -1
        if not 0 <= number <= top:
            kind = "a whole number from 0" if is_whole else "a share from 0 to 1" if top == 1 else "a number from 0"
            raise ValueError(f"limit {name} is {text!r}; write {kind}")
        read[name] = number
    return GateLimits(**read)


Text = Annotated[str, Field(min_length=1)]
Line = Annotated[str, AfterValidator(_line)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Seconds = Annotated[int, BeforeValidator(parse_duration)]
Zone = Annotated[str, AfterValidator(_zone)]
Mailbox = Annotated[str, Field(min_length=3), AfterValidator(_mailbox)]
YesOrNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Limits = Annotated[GateLimits, BeforeValidator(_limits)]


class Part(BaseModel):
    """A part of the incident file: frozen, and every key must be known."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Log(Part):
    """Log files to read: a path, a glob or a URI with the name of its credentials, and how to read their stamps.

    `follow`: a path's files grow and are rotated; those behind a URI always may.
    """

    uri: Text
    connection: Text | None = None
    follow: Annotated[bool, BeforeValidator(_yes_or_no)] = False
    format: Annotated[str, one_of(*FORMATS)] = "auto"
    timezone: Zone = "UTC"
    year: Annotated[int, Field(ge=1980, le=2200)] | None = None


class QueueListing(Part):
    """A queue listing to read; where it is only a path, the path alone may stand."""

    uri: Text
    connection: Text | None = None


class Customers(Part):
    """Customer records: a file, behind an address with the name of its credentials, or a table of a database.

    `snapshots`: a folder of daily snapshots, for records that keep no days of validity; `corrections`: a file of them;
    `segments`: all that there are, where no other may occur.
    """

    uri: Text | None = None
    connection: Text | None = None
    table: Text | None = None
    snapshots: Text | None = None
    corrections: Text | None = None
    segments: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _is_one_source(self) -> "Customers":
        if (self.uri is None) == (self.table is None) or (self.table is not None and self.connection is None):
            raise ValueError("give either {uri: customers.csv} or {connection: NAME, table: mailboxes}")
        return self


class Span(Part):
    """A span of time [start, end), UTC."""

    start: Instant
    end: Instant

    @model_validator(mode="after")
    def _has_length(self) -> "Span":
        if self.end <= self.start:
            raise ValueError(
                f"it ends ({self.end:%Y-%m-%dT%H:%M:%SZ}) before it starts or as it starts; set end after start"
            )
        return self

    def interval(self) -> Interval:
        """Return the same span as the transforms take it."""
        return Interval(self.start, self.end)


class Headline(Part):
    """The definition behind the headline figure: one row of the grid."""

    unit: Annotated[str, one_of(*UNITS)]
    threshold: Seconds
    messages: Annotated[str, one_of(*MESSAGES)]
    count: Annotated[str, one_of(*COUNTS)]


class Claim(Part):
    """What somebody said, and its numeric reading: low to high, both inclusive."""

    who: Text
    said: Text
    low: Annotated[int, Field(ge=0)]
    high: Annotated[int, Field(ge=0)]
    unit: Annotated[str, one_of(*UNITS)]

    @model_validator(mode="after")
    def _is_range(self) -> "Claim":
        if self.high < self.low:
            raise ValueError(f"low ({self.low}) is above high ({self.high}); swap them")
        return self


class Approval(Part):
    """Who may let a count go out: names of Airflow users, one of whom must say yes."""

    by: Annotated[tuple[Text, ...], Field(min_length=1)]


class Mail(Part):
    """To whom the summary goes, and by which of Airflow's connections: the alternates take what the first can't."""

    connection: Text = "smtp_default"
    alternates: tuple[Text, ...] = ()
    sender: Annotated[Mailbox, Field(alias="from")]
    to: Annotated[tuple[Mailbox, ...], Field(min_length=1)]


def _window_kind(value: object) -> str:
    return "span" if isinstance(value, dict | Span) else "detect"


Window = Annotated[
    Annotated[Span, Tag("span")] | Annotated[Literal["detect"], Tag("detect")], Discriminator(_window_kind)
]


class IncidentFile(Part):
    """Everything that an incident file may say."""

    id: Annotated[str, AfterValidator(_id)]
    title: Text
    timezone: Zone
    logs: Annotated[tuple[Log, ...], Field(min_length=1)]
    queue_snapshots: tuple[Annotated[QueueListing, BeforeValidator(_listing)], ...] = ()
    customers: Customers
    window: Window
    as_of: Instant | None = None
    baseline: Span | None = None
    local_domains: Annotated[tuple[Annotated[str, AfterValidator(_domain)], ...], Field(min_length=1)]
    bulk_senders: tuple[Annotated[str, AfterValidator(str.lower)], ...] = ()
    thresholds: Annotated[tuple[Seconds, ...], Field(min_length=1), AfterValidator(lambda t: tuple(sorted(set(t))))]
    headline: Headline
    claims: tuple[Claim, ...] = ()
    cause: Line = ""
    next_update: Instant | None = None
    standby: Text | None = None
    redress: Text | None = None
    annexes: YesOrNo = False
    site: Text | None = None
    approval: Approval | None = None
    mail: Mail | None = None
    gates: Limits = GateLimits()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "IncidentFile":
        if self.headline.threshold not in self.thresholds:
            listed = ", ".join(spell_duration(t) for t in self.thresholds)
            named = spell_duration(self.headline.threshold)
            raise ValueError(f"headline.threshold is {named}, which is not among thresholds ({listed}); add it there")
        if isinstance(self.window, Span):
            if self.as_of and self.as_of <= self.window.start:
                raise ValueError("as_of is not after the start of window; nothing could be known of the window yet")
            if self.baseline and self.baseline.start < self.window.end and self.window.start < self.baseline.end:
                raise ValueError("baseline overlaps window; end it where window starts")
        return self
