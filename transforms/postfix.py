"""The Postfix grammar: what each kind of line states about a queue file or one of its recipients.

Rules (Postfix's own sources; traps 1-7, 11 of the log guide)
- A fact line is `QUEUE_ID: <fact>`; the first letters of the fact say which. A line that begins like a fact and does
  not end like one is quarantined; any other line of Postfix carries no delivery fact.
- `to=<…>` lines are read in `postfix_attempts.py`, all others in `postfix_facts.py`.
- What stands before a message of Postfix about itself (`warning: …`, `fatal: …`), or about a client that has no queue
  file yet (`NOQUEUE: …`), is no queue id: such a line may quote a client, and only a refusal is read from it.
"""

import numpy as np
import polars as pl

from transforms.dialect import Reading
from transforms.postfix_attempts import read_attempts
from transforms.postfix_bodies import Bodies, joined
from transforms.postfix_facts import FIRST_WORDS, read_facts, torn
from transforms.postfix_refusals import REFUSALS, read_refusals
from transforms.spans import word

_DAEMON = (
    r"/(?:anvil|bounce|cleanup|defer|discard|dnsblog|error|flush|lmtp|local|master|nqmgr|oqmgr|pickup|pipe|postdrop"
    r"|postlogd?|postqueue|postscreen|postsuper|proxymap|qmgr|qmqpd|relay|retry|scache|sendmail|showq|smtpd?"
    r"|submissions?|smtps|tlsmgr|tlsproxy|trace|trivial-rewrite|uid|virtual|verify)$"
)
# First letters of what stands where a queue id would, and is none.
_NO_QUEUE_ID = ("warn", "erro", "fata", "pani", "NOQU")
_READERS = {"to=<": read_attempts, **dict.fromkeys(FIRST_WORDS, read_facts)}


class PostfixGrammar:
    """Reads the lines of every Postfix service, whatever its syslog name."""

    def owns(self, services: pl.Series) -> pl.Series:
        """Say which services are Postfix: named so, or `<any name>/<a Postfix daemon>`."""
        return services.str.contains("postfix", literal=True) | services.str.contains(_DAEMON)

    def read(self, lines: pl.DataFrame) -> Reading:
        """Read opened lines (columns of OPENED) of Postfix services."""
        bodies = Bodies.of(lines)
        first, before = bodies.fact.words(), bodies.text.words()
        is_claimed = bodies.fact.lengths < len("to=<")
        readings = []
        for refusal in REFUSALS:
            rows = np.flatnonzero((first == word(refusal)) & ~is_claimed)
            readings.append(read_refusals(bodies.take(rows)))
        has_id = ~np.logical_or.reduce([before == word(name) for name in _NO_QUEUE_ID])
        is_left = has_id.copy()
        for begins, read in _READERS.items():
            is_so = has_id & (first == word(begins)) & ~is_claimed
            rows = np.flatnonzero(is_so)
            if len(rows):
                readings.append(read(bodies.take(rows).dense()))
                is_left[rows] = False
        readings.append(torn(bodies.take(is_left)))
        return joined(readings)
