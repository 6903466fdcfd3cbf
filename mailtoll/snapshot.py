"""What a run had decided, kept in its folder: its figures can be explained and compared without the incident file.

`warehouse/settings.json` holds the frozen settings, the gates' limits, the status and the fingerprints of the declared
grid and of the code. It is written when the inputs are checked, as soon as *as of* is known, refused or not; and again
before counting, when a window that is to be detected has been.
"""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from mailtoll.code_digest import code_sha256
from mailtoll.run import Run
from mailtoll.warehouse import Warehouse, write_text
from sources.errors import BadInput
from transforms.settings import Definition, Interval, Settings


@dataclass(frozen=True)
class Snapshot:
    """A run's declared choices as read back: `status` is `preliminary` or `final`, whatever the gates said."""

    incident_id: str
    title: str
    status: str
    definition_sha256: str
    code_sha256: str
    gates: dict[str, Any]
    settings: Settings


def keep_snapshot(run: Run) -> None:
    """Write the snapshot of a run in its place."""
    content = {
        "incident_id": run.incident.id,
        "title": run.incident.title,
        "status": run.status,
        "definition_sha256": run.definition_sha256,
        "code_sha256": code_sha256(),
        "gates": asdict(run.incident.gates),
        "settings": settings_as_json(run.settings),
    }
    write_text(json.dumps(content, indent=1) + "\n", _path(run.warehouse), is_restricted=True)


def read_snapshot(warehouse: Warehouse) -> Snapshot:
    """Read the snapshot of a run's folder; `BadInput` if no run has got that far in it."""
    try:
        content = json.loads(_path(warehouse).read_text(encoding="utf-8"))
        return Snapshot(**{**content, "settings": settings_from_json(content["settings"])})
    except FileNotFoundError:
        raise BadInput(
            f"{warehouse.root} holds no run that has read its logs and records; run `mailtoll run INCIDENT.yaml "
            f"--out {warehouse.root}` first."
        ) from None
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(f"{_path(warehouse)} cannot be read ({error}); run the incident again.") from None


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON can hold them: instants as ISO texts, spans and definitions as objects."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=lambda at: at.astimezone(UTC).isoformat()))
    return plain


def settings_from_json(content: dict[str, Any]) -> Settings:
    """Return the settings that `settings_as_json` wrote; a choice that came later than they has its default.

    `KeyError`: a choice without a default is missing.
    """
    values: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name in content or (field.default is MISSING and field.default_factory is MISSING):
            values[field.name] = _read(field.name, content[field.name])
    return Settings(**values)


def _read(name: str, value: Any) -> Any:
    match name:
        case "window":
            return _interval(value)
        case "placebo_windows":
            return tuple(_interval(span) for span in value)
        case "headline":
            return Definition(**value)
        case "as_of":
            return datetime.fromisoformat(value)
        case _:
            return tuple(value) if isinstance(value, list) else value


def _interval(span: dict[str, str]) -> Interval:
    return Interval(datetime.fromisoformat(span["start"]), datetime.fromisoformat(span["end"]))


def _path(warehouse: Warehouse) -> Any:
    return warehouse.folder / "settings.json"
