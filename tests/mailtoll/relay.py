"""A mail server in the test's own process: it refuses as often as it is told to, then keeps mail in a real Maildir."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from tests.sources.servers import free_port


class Unwilling(Mailbox):
    """Can't take mail the first `refusals` times that it is asked; then it does."""

    def __init__(self, maildir: Path, refusals: int) -> None:
        super().__init__(maildir)
        self.refusals, self.asked = refusals, 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.asked += 1
        if self.asked <= self.refusals:
            return "451 4.3.0 down"
        await super().handle_DATA(server, session, envelope)
        return "250 taken"


@contextmanager
def unwilling_relay(maildir: Path, refusals: int) -> Iterator[tuple[Unwilling, int]]:
    """Give a running relay and its port."""
    handler, port = Unwilling(maildir, refusals), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()
