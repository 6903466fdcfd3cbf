"""Time our log path and a whole run beside pflogsumm, on the same log, in the same minutes.

    python -m benchmarks.bench [--megabytes 390] [--rounds 3] [--growth]

The *log path* is parse, stitch, attribute and count; the *whole run* is `mailtoll run`, gates and reports included.
Every figure is that of a fresh process: wall seconds, CPU seconds and peak memory as the operating system accounts
them. Rounds alternate between the programs, so that a machine whose speed drifts is unfair to none; the median counts.
`--growth` repeats ours with a log ten times as long. This measures; it judges nothing and is no test.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.biglog import write_big_log

PROJECT = Path(__file__).parents[1]
LOG_PATH = """
import sys
from pathlib import Path
from expectations.tables import FINDINGS
from mailtoll import steps
from mailtoll.warehouse import Warehouse, write_parquet
incident, out = sys.argv[1:]
ids = steps.pull_logs(incident, out)
steps.pull_customer_records(incident, out)
for source_id in ids:
    steps.parse_log(incident, out, source_id)
steps.stitch(incident, out)
write_parquet(FINDINGS.empty(), Warehouse(Path(out)).table("findings"))  # the gates' findings: they are not timed here
steps.count(incident, out)
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: wall and CPU seconds, peak memory in bytes."""

    wall: float
    cpu: float
    peak: int


def main() -> None:
    """Write the log, time the programs in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--megabytes", type=int, default=390)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", action="store_true", help="also with a log ten times as long")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="mailtoll-bench-") as scratch:
        small = measure(Path(scratch) / "small", chosen.megabytes, chosen.rounds, with_peer=True)
        show(f"{chosen.megabytes} MB, median of {chosen.rounds}", small)
        if chosen.growth:
            large = measure(Path(scratch) / "large", 10 * chosen.megabytes, 1, with_peer=False)
            show(f"{10 * chosen.megabytes} MB, one round", large)
            for name, cost in large.items():
                print(f"  {name}: {cost.wall / small[name].wall:.1f} times the time for ten times the log")


def measure(folder: Path, megabytes: int, rounds: int, *, with_peer: bool) -> dict[str, Cost]:
    """Return the median cost of each program on one log."""
    write_big_log(folder, megabytes)
    incident, out = folder / "incident.yaml", folder / "out"
    commands = {
        "log path": [sys.executable, "-c", LOG_PATH, str(incident), str(out)],
        "whole run": [sys.executable, "-m", "mailtoll", "run", str(incident), "--out", str(out)],
    }
    if with_peer and shutil.which("pflogsumm"):
        commands["pflogsumm"] = ["pflogsumm", *map(str, sorted((folder / "logs").rglob("*.log")))]
    taken: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            shutil.rmtree(out, ignore_errors=True)
            taken[name].append(cost_of(command))
    return {name: sorted(costs, key=lambda c: c.wall)[len(costs) // 2] for name, costs in taken.items()}


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end and return what it took; `CalledProcessError` if it failed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def show(title: str, costs: dict[str, Cost]) -> None:
    """Print one table; ratios say how many times faster than pflogsumm."""
    peer = costs.get("pflogsumm")
    print(f"\n{title}\n{'':12}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'ratio':>8}")
    for name, cost in costs.items():
        ratio = f"{peer.wall / cost.wall:7.1f}x" if peer else ""
        print(f"{name:12}{cost.wall:9.1f}{cost.cpu:9.1f}{cost.peak / 1e6:9.0f}{ratio:>8}")


if __name__ == "__main__":
    main()
