"""Deliveries and deferrals per leg of Postfix logs equal those of pflogsumm, the Postfix log summarizer.

One difference, *syslog name* (trap 8 of the log guide): pflogsumm knows services by the name that it is told, and one
instance may log under several. It is told all that occur in the samples; then the figures are equal, without exception.
"""

import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.public_samples.samples import each_sample, parsed

PFLOGSUMM = shutil.which("pflogsumm", path="/usr/sbin:/usr/bin:/usr/local/bin")
NAMES = r"postfix[^/\[ ]*(?:/(?:dkimmilter|amavisd))?"
FIGURES = ("delivered", "forwarded", "deferrals", "bounced")


def pflogsumm(path: Path) -> dict[str, int]:
    """Give pflogsumm's grand totals."""
    assert PFLOGSUMM is not None
    command = [PFLOGSUMM, "--detail", "0", f"--syslog-name={NAMES}", str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, errors="replace").stdout
    totals = {name: re.search(rf"^ +(\d+) +{name}\b", out, re.M) for name in FIGURES}
    totals["deferrals"] = re.search(r"deferred +\((\d+) +deferrals\)", out)
    return {name: int(found[1]) if found else 0 for name, found in totals.items()}


def ours(path: Path) -> dict[str, int]:
    """Give the same figures of our events: one leg is one queue file, one line one recipient."""
    events = parsed(path).events
    attempts = events.filter(pl.col("kind") == "attempted").group_by("status").len()
    by_status = dict(attempts.iter_rows())
    return {
        "delivered": by_status.get("sent", 0),
        "forwarded": by_status.get("forwarded", 0),
        "deferrals": by_status.get("deferred", 0),
        "bounced": by_status.get("bounced", 0),
    }


@pytest.mark.skipif(PFLOGSUMM is None, reason="pflogsumm is not installed (Debian: pflogsumm)")
@each_sample("postfix")
def test_deliveries_and_deferrals_per_leg_equal_pflogsumm(path: Path) -> None:
    assert ours(path) == pflogsumm(path)
