"""The Postfix grammar: what each kind of line states about a queue file or one of its recipients.

Rules (Postfix's own sources; traps 1-7, 11 of the log guide)
- A fact line is `QUEUE_ID: <fact>`; the first letters of the fact say which. A line that begins like a fact and does
  not end like one is quarantined; any other line of Postfix carries no delivery fact.
- `to=<…>` lines are read in `postfix_attempts.py`, all others in `postfix_facts.py`.
- What stands before a message of Postfix about itself (`warning: …`, `fatal: …`), or about a client that has no queue
  file yet (`NOQUEUE: …`), is no queue id: such a line may quote a client, and only a refusal is read from it.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from transforms.compiled import kernels
from transforms.dialect import Reading
from transforms.postfix_attempts import read_attempts
from transforms.postfix_bodies import Bodies, Found, as_reading
from transforms.postfix_facts import FIRST_LETTERS, read_facts, torn
from transforms.postfix_plain import NO_QUEUE_ID, read_plain
from transforms.postfix_refusals import REFUSALS, read_refusals
from transforms.spans import first_letters

_DAEMON = (
    r"/(?:anvil|bounce|cleanup|defer|discard|dnsblog|error|flush|lmtp|local|master|nqmgr|oqmgr|pickup|pipe|postdrop"
    r"|postlogd?|postqueue|postscreen|postsuper|proxymap|qmgr|qmqpd|relay|retry|scache|sendmail|showq|smtpd?"
    r"|submissions?|smtps|tlsmgr|tlsproxy|trace|trivial-rewrite|uid|virtual|verify)$"
)
_LETTERS = 4
# First letters of a fact, who reads it, and whether that needs a queue id.
_READERS = (
    ("to=<", read_attempts, True),
    *((letters, read_facts, True) for letters in FIRST_LETTERS),
    *((letters, read_refusals, False) for letters in REFUSALS),
)


class PostfixGrammar:
    """Reads the lines of every Postfix service, whatever its syslog name."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Postfix: named so, or `<any name>/<a Postfix daemon>`."""
        return services.str.contains("postfix", literal=True) | services.str.contains(_DAEMON)

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Postfix services."""
        loops = kernels()
        if loops is None:
            return as_reading(lines, list(_found(Bodies.of(lines))))
        plain, left = read_plain(lines, loops)
        odd = lines[left]
        reading = as_reading(odd, list(_found(Bodies.of(odd))))
        return Reading(reading.events, reading.aside, plain)


def _found(bodies: Bodies) -> Iterator[Found]:
    before = bodies.text.words()
    has_id = np.logical_and.reduce([before != first_letters(name) for name in NO_QUEUE_ID])
    is_left = has_id.copy()
    left = np.flatnonzero(bodies.fact.lengths >= _LETTERS)
    letters = bodies.fact.words()[left]
    for begins, read, needs_id in _READERS:
        is_so = letters == first_letters(begins)
        rows = left[is_so]
        if len(rows):
            left, letters = left[~is_so], letters[~is_so]
            rows = rows[has_id[rows]] if needs_id else rows
            is_left[rows] = False
            yield from read(bodies.take(rows).dense())
    yield from torn(bodies.take(np.flatnonzero(is_left)))
