"""What was declared before anything was counted: the grid of definitions, written down and hashed by the first step.

`warehouse/definition.json` holds `declared`, every choice that can move a count; `grid`, every definition that follows
from it; and `definition_sha256`, the SHA-256 of `declared` as JSON with sorted keys and no spaces. Whoever has the file
can take the hash again: docs/decisions/0010-what-the-definition-hash-covers.md. Counting refuses to begin when the
incident file no longer says what was hashed.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from expectations.tables import COUNTS, MESSAGES, UNITS
from mailtoll.incident import Incident
from mailtoll.warehouse import Warehouse, write_text
from sources.errors import BadInput
from transforms.window import PENALTY

# What an incident file says that can move a count. Claims are held against the counts, gates judge them, logs and
# records are fingerprinted by themselves.
_DECIDES = ("thresholds", "headline", "window", "baseline", "as_of", "timezone", "local_domains", "bulk_senders")
FILE = "definition.json"


def declared_choices(incident: Incident) -> dict[str, Any]:
    """Return every choice that can move a count, as JSON can hold it; what has no order is sorted."""
    chosen: dict[str, Any] = incident.model_dump(mode="json", include=set(_DECIDES))
    for name in ("local_domains", "bulk_senders"):
        chosen[name] = sorted(set(chosen[name]))
    if incident.declared_window() is None:
        chosen["window"] = {"detect": {"penalty": PENALTY}}
    return chosen | {"units": list(UNITS), "messages": list(MESSAGES), "counts": list(COUNTS)}


def declared_grid(incident: Incident) -> list[dict[str, Any]]:
    """Return every declared definition; each is counted for all segments, for each of the records', and `unmatched`."""
    return [
        {"unit": unit, "threshold_seconds": seconds, "messages": messages, "count": count}
        for unit in UNITS
        for seconds in incident.thresholds
        for messages in MESSAGES
        for count in COUNTS
    ]


def definition_sha256(incident: Incident) -> str:
    """Return the fingerprint of the declared choices, 64 hexadecimal digits."""
    text = json.dumps(declared_choices(incident), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode("ascii")).hexdigest()


def write_definition(incident: Incident, warehouse: Warehouse) -> Path:
    """Write what is declared, and its hash, into the run's folder; return the path."""
    content = {
        "definition_sha256": definition_sha256(incident),
        "declared": declared_choices(incident),
        "grid": declared_grid(incident),
    }
    return write_text(json.dumps(content, indent=1) + "\n", warehouse.folder / FILE, is_restricted=True)


def require_definition(incident: Incident, warehouse: Warehouse) -> None:
    """Raise `BadInput` unless the folder holds the hash of what the incident file declares now."""
    path = warehouse.folder / FILE
    try:
        written = json.loads(path.read_text(encoding="utf-8"))["definition_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BadInput(f"{path} is missing or unreadable; run the step pull_logs, which writes it.") from None
    if written != definition_sha256(incident):
        raise BadInput(
            f"{incident.path} declares other definitions than {path}, which was written before the logs were read;"
            " run the incident again from its first step."
        )
