"""The incident file: what is disputed, and every choice made before anything is counted.

`load_incident` reads it to the letter of the contract; whatever is wrong in it ends in one sentence that names the
file, the line, the key and the remedy.
"""

import os
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, PrivateAttr, ValidationError

from mailtoll.incident_model import (
    Approval,
    Claim,
    Customers,
    Headline,
    IncidentFile,
    Log,
    Mail,
    QueueListing,
    Span,
)
from mailtoll.yaml_lines import Document, Key, read_yaml
from sources.errors import BadInput
from sources.log_spec import LogSpec, RecordsSpec
from transforms.placebo import placebo_windows
from transforms.settings import Definition, Interval, Settings

# Keys under which a comma inside {…} may belong to the value: people quote figures such as 20,000 there.
_KEYS_WITH_COMMAS = ("claims",)
_MODELS: dict[str, type[BaseModel]] = {
    "logs": Log,
    "queue_snapshots": QueueListing,
    "customers": Customers,
    "window": Span,
    "baseline": Span,
    "headline": Headline,
    "claims": Claim,
    "approval": Approval,
    "mail": Mail,
}
_TAGS = ("span", "detect")  # words that pydantic puts into a place for the two forms of `window`


class Incident(IncidentFile):
    """A loaded incident file, and where it came from."""

    _path: Path = PrivateAttr(default=Path("incident.yaml"))

    def model_post_init(self, context: Any, /) -> None:
        """Keep the path of the file, given as validation context."""
        if isinstance(context, Path):
            self._path = context

    @property
    def path(self) -> Path:
        """The incident file as the user named it; relative paths in it are relative to its folder."""
        return self._path

    def log_specs(self) -> tuple[LogSpec, ...]:
        """Return where logs and queue listings are, in the order of the file."""
        base, named_in = self._path.parent, str(self._path)
        logs = [
            LogSpec(
                log.uri,
                base,
                "log",
                log.format,
                log.timezone,
                log.year,
                named_in,
                connection=log.connection,
                follows=log.follow,
            )
            for log in self.logs
        ]
        listings = [
            LogSpec(listing.uri, base, "queue_snapshot", named_in=named_in, connection=listing.connection)
            for listing in self.queue_snapshots
        ]
        return (*logs, *listings)

    def records_spec(self) -> RecordsSpec:
        """Return where the customer records are."""
        source = self.customers
        return RecordsSpec(
            source.uri,
            source.connection,
            source.table,
            self._path.parent,
            str(self._path),
            source.snapshots,
            source.corrections,
            self.timezone,
            source.segments,
        )

    def connections(self) -> tuple[str, ...]:
        """Return the names of the connections that the file asks for, each once."""
        names = [log.connection for log in self.logs] + [listing.connection for listing in self.queue_snapshots]
        names.append(self.customers.connection)
        return tuple(dict.fromkeys(name for name in names if name))

    def declared_window(self) -> Interval | None:
        """Return the window of the file; None: it is to be detected."""
        return self.window.interval() if isinstance(self.window, Span) else None

    def known_instant(self) -> datetime | None:
        """Return an instant that the logs are near, as far as the file names one."""
        window = self.declared_window()
        return self.as_of or (window.start if window else self.baseline.start if self.baseline else None)

    def redress_policy(self) -> Path | None:
        """Return the file of what-if schemes for redress; None: there is none."""
        return self._path.parent / self.redress if self.redress else None

    def site_folder(self) -> Path | None:
        """Return the folder of the public site: of the file, else of MAILTOLL_SITE; None: there is no site."""
        named = self._path.parent / self.site if self.site else os.environ.get("MAILTOLL_SITE")
        return Path(named).absolute() if named else None

    def settings(self, as_of: datetime, window: Interval) -> Settings:
        """Return the frozen settings of the transforms for a window and an instant up to which the logs are complete.

        The baseline's windows are those of `transforms.placebo`; a detected window that reaches into the declared
        baseline cuts it short, since a flood is no ordinary time.
        """
        baseline = self._ordinary_time(window)
        chosen = self.headline
        return Settings(
            timezone=self.timezone,
            window=window,
            as_of=as_of.astimezone(UTC),
            placebo_windows=placebo_windows(window, baseline, self.timezone),
            local_domains=self.local_domains,
            bulk_senders=self.bulk_senders,
            thresholds_seconds=self.thresholds,
            headline=Definition(chosen.unit, chosen.threshold, chosen.messages, chosen.count),
        )

    def _ordinary_time(self, window: Interval) -> Interval | None:
        if self.baseline is None:
            return None
        start, end = self.baseline.start, self.baseline.end
        if start < window.end and window.start < end:
            if start < window.start:
                end = window.start
            else:
                start = window.end
        return Interval(start, end) if start < end else None


Loaded = TypeVar("Loaded", bound=Incident)


def load_incident(path: Path) -> Incident:
    """Read an incident file; `BadInput` says in one sentence what is wrong, where, and what to do."""
    return load_file(path, Incident)


def load_file(path: Path, model: type[Loaded]) -> Loaded:
    """Read a file of an incident's kind, as `load_incident` does."""
    document = read_yaml(path, joined=_KEYS_WITH_COMMAS)
    if not isinstance(document.values, dict):
        raise BadInput(f"{path}, line 1: an incident file is a list of keys and values, such as `id: my-incident`.")
    optional = {name for name, key in model.model_fields.items() if not key.is_required()}
    given = {name: value for name, value in document.values.items() if value is not None or name not in optional}
    try:
        return model.model_validate(given, context=path)
    except ValidationError as error:
        line, words = _first_complaint(error, document, model)
        raise BadInput(f"{path}, line {line}: {words}.") from None


def _first_complaint(error: ValidationError, document: Document, model: type[BaseModel]) -> tuple[int, str]:
    """Return line and words of the error to mend first: an unknown key (it explains a missing one), else the topmost.

    A list whose entries are all wrong is also called too short; that is no help beside the entry's own error.
    """
    errors = error.errors()
    unknown = [e for e in errors if e["type"] == "extra_forbidden"]
    if not unknown:
        inner = [e for e in errors if e["type"] != "too_short"]
        unknown = inner or errors
    return min((_complaint(e, document, model) for e in unknown), key=lambda c: c[0])


def _complaint(error: Any, document: Document, model: type[BaseModel]) -> tuple[int, str]:
    """Return the line and the words of one of pydantic's errors."""
    place: Key = tuple(part for part in error["loc"] if part not in _TAGS)
    name, value, kind = _spell(place), error["input"], error["type"]
    context = error.get("ctx", {})
    if kind == "value_error" and not place:
        key: Key = tuple(str(context["error"]).split(" ")[0].split("."))
        return document.line_of(key), str(context["error"])
    if kind == "extra_forbidden":
        return document.line_of(place), _unknown(place, model)
    if kind == "missing":
        around = _spell(place[:-1])
        return document.line_of(place[:-1]), f"{around + ' lacks' if around else 'it lacks'} key {place[-1]!r}; add it"
    return document.line_of(place), f"{name}: {_words(kind, value, context)}"


def _words(kind: str, value: object, context: dict[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    if value is None or value == "":
        return "no value is given; write one"
    if kind in ("tuple_type", "too_short"):
        return "a list with at least one entry is wanted, in [ ] or one per line after a dash"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "keys and values are wanted, such as {name: value}"
    if kind == "literal_error":
        return f"{value!r} is not known; write {{start: …, end: …}} or detect"
    if kind.startswith(("int_", "greater_", "less_")):
        return f"{value!r} will not do; write a whole number in digits, without separators, in a sensible range"
    return "one plain text is wanted here"


def _unknown(place: Key, whole: type[BaseModel]) -> str:
    model = _MODELS.get(str(place[0]), whole) if len(place) > 1 else whole
    allowed, name = tuple(key.alias or name for name, key in model.model_fields.items()), str(place[-1])
    close = get_close_matches(name, allowed, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the keys here are {', '.join(allowed)}"
    around = _spell(place[:-1])
    return f"key {name!r} is not known{' in ' + around if around else ''}; {hint}".rstrip("?")


def _spell(place: Key) -> str:
    """Return ('claims', 1, 'unit') as people count: `claims, entry 2, unit`."""
    return ", ".join(f"entry {part + 1}" if isinstance(part, int) else str(part) for part in place)
