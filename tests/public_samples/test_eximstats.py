"""Messages and deliveries of Exim logs equal those of eximstats, Exim's own log analyser.

It is Debian's `exim4-base`: `apt-get download exim4-base && dpkg -x exim4-base_*.deb DIR`, then put DIR/usr/sbin on
PATH (or install the package). Each difference has a name:

- *long ids*: eximstats knows message ids of 16 characters; those of Exim 4.97 and later (23) are shortened for it.
- *cut-through*: `>>` is no delivery to eximstats.
- *no delivery*: eximstats counts `:blackhole:`, `blackhole (…)`, `discarded` as deliveries.
- *automatic reply*, *system filter*: eximstats counts the new message's address, or the filter's file, as a delivery.
- *short line*: eximstats does not read lines below 38 characters, counted with their line end.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.public_samples.samples import detected, each_sample, lines_of, parsed

EXIMSTATS = shutil.which("eximstats", path=os.environ.get("PATH", "") + ":/usr/sbin")
LONG_ID = re.compile(r"\b([0-9A-Za-z]{6})-[0-9A-Za-z]{5}([0-9A-Za-z]{6})-([0-9A-Za-z]{2})[0-9A-Za-z]{2}(?= )")
STAMP = (
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [-+]\d{4})?(?: \[\d+\])? "
    r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2} "
)
NOT_OURS = {
    "no delivery": re.compile(STAMP + r"=> (?::blackhole:|blackhole [(*]|discarded )"),
    "automatic reply": re.compile(STAMP + r"[=-]> >"),
    "system filter": re.compile(STAMP + r"[=-]> [^>].*<system-filter>"),
}
CUT_THROUGH = re.compile(STAMP + r">> ")
SHORTEST = 38


def eximstats(lines: list[str]) -> tuple[int, int]:
    """Give eximstats' messages received and addresses delivered."""
    assert EXIMSTATS is not None
    run = subprocess.run(
        [EXIMSTATS, "-h0", "-q0", "-t0", "-nr"],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        assert "No valid log lines" in run.stderr
        return 0, 0
    out = run.stdout
    received = re.search(r"^ *Received +\S+ +(\d+) ", out, re.M)
    delivered = re.search(r"^ *Delivered +\S+ +(\d+) +(\d+)", out, re.M)
    return (int(received[1]) if received else 0, int(delivered[2]) if delivered else 0)


@pytest.mark.skipif(EXIMSTATS is None, reason="eximstats is not installed (Debian: exim4-base)")
@each_sample("exim")
def test_messages_and_deliveries_equal_eximstats(path: Path) -> None:
    if "exim" not in detected(path).dialects:
        pytest.skip("no mail in it")
    lines = [LONG_ID.sub(r"\1-\2-\3", line) for line in lines_of(path)]
    short = [line for line in lines if len(line) + 1 < SHORTEST]
    received, delivered = eximstats(lines)
    events = parsed(path).events
    not_ours = sum(bool(pattern.match(line)) for line in lines for pattern in NOT_OURS.values())
    cut_through = sum(bool(CUT_THROUGH.match(line)) for line in lines)
    # A foreign line is none of either; a short one would have to be an Exim line to matter.
    assert not [line for line in short if re.match(STAMP + "(?:<=|[=-]>) ", line)]
    assert events.filter(pl.col("kind") == "arrived").height == received
    ours = events.filter((pl.col("kind") == "attempted") & (pl.col("status") == "sent")).height
    assert ours == delivered - not_ours + cut_through
