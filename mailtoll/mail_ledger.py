"""What became of a count's mail, recipient by recipient: `DIR/mail/<count>.json`, restricted.

It is written before a relay is asked (that it was asked) and after it answered (whom it took, whom it refused), each
time at once, and locked while somebody sends. Whom a relay took is never written to again for that count. Only where a
relay broke off while it took the mail does nobody know; then the same mail, with the same Message-ID, is sent once
more.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailtoll.warehouse import write_text


@dataclass
class MailLedger:
    """One count's mail. `first_at` is when it was first tried; `doubtful` are relays that may have taken it."""

    path: Path
    first_at: datetime
    accepted: dict[str, dict[str, str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)

    def left(self, recipients: Sequence[str]) -> list[str]:
        """Return those whom no relay has taken the mail for."""
        return [recipient for recipient in recipients if recipient not in self.accepted]

    def asked(self, relay: str) -> None:
        """Note, before the relay is asked, that it may have the mail."""
        self.doubtful.append(relay)
        self._write()

    def answered(self, relay: str, accepted: Sequence[str], refused: Mapping[str, str], at: datetime) -> None:
        """Note the relay's answer."""
        self.doubtful.remove(relay)
        stamp = at.astimezone(UTC).isoformat(timespec="seconds")
        self.accepted |= {recipient: {"relay": relay, "at": stamp} for recipient in accepted}
        self.refused = {r: why for r, why in (self.refused | dict(refused)).items() if r not in self.accepted}
        self._write()

    def _write(self) -> None:
        content: dict[str, Any] = {
            "first_at": self.first_at.isoformat(),
            "accepted": self.accepted,
            "refused": self.refused,
            "doubtful": self.doubtful,
        }
        write_text(json.dumps(content, indent=1) + "\n", self.path, is_restricted=True)


@contextmanager
def open_ledger(folder: Path, count: str, now: datetime) -> Iterator[MailLedger]:
    """Give the ledger of a count, to nobody else at the same time; `now` becomes its date if it is new."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{count}.json"
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        first_at = datetime.fromisoformat(kept.pop("first_at")) if kept else now
        yield MailLedger(path, first_at, **kept)
    finally:
        os.close(handle)
