"""Time our log path and a whole run beside the servers' own analysers, on the same log, in the same minutes.

    python -m benchmarks.bench [--megabytes 390] [--rounds 3] [--servers postfix exim] [--growth]

*Pull* copies the log and fingerprints it; the *log path* is parse, stitch, attribute and count, with and without the
pull; the *whole run* is `mailtoll run`, gates and reports included. The analysers are pflogsumm for Postfix and
eximstats for Exim: they read the log where it lies. Every figure is that of a fresh process: wall seconds, CPU seconds
as the operating system accounts them, and peak memory (`memory.py`). Rounds alternate between the programs, so that a
machine whose speed drifts is unfair to none; the median counts. `--growth` repeats ours with a log ten times as long.
This measures; it judges nothing and is no test.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.biglog import write_big_log
from benchmarks.memory import PeakMemory
from benchmarks.wordings import WORDINGS

PROJECT = Path(__file__).parents[1]
ANALYSERS = {"postfix": "pflogsumm", "exim": "eximstats"}
PLACES = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin"
STEPS = """
import sys
from mailtoll.process import spare
spare()
from expectations.tables import FINDINGS
from mailtoll import steps
from mailtoll.run import Run
from mailtoll.warehouse import write_parquet
what, incident, out = sys.argv[1:]
if "pull" in what:
    steps.pull_logs(incident, out)
    steps.pull_customer_records(incident, out)
if "path" in what:
    run = Run.of(incident, out)
    for source_id in run.source_ids("log"):
        steps.parse_log(incident, out, source_id)
    steps.stitch(incident, out)
    write_parquet(FINDINGS.empty(), run.warehouse.table("findings"))  # the gates' findings: they are not timed here
    steps.count(incident, out)
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: wall and CPU seconds, peak memory in bytes."""

    wall: float
    cpu: float
    peak: int


def main() -> None:
    """Write the logs, time the programs in turn, print a table for each log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--megabytes", type=int, default=390)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", choices=WORDINGS, default=list(WORDINGS))
    parser.add_argument("--growth", action="store_true", help="also with a log ten times as long")
    chosen = parser.parse_args()
    for server in chosen.servers:
        small = measure(server, chosen.megabytes, chosen.rounds, with_peer=True)
        show(f"{server}, {chosen.megabytes} MB, median of {chosen.rounds}", small)
        if chosen.growth:
            large = measure(server, 10 * chosen.megabytes, 1, with_peer=False)
            show(f"{server}, {10 * chosen.megabytes} MB, one round", large)
            for name, cost in large.items():
                wall, cpu = cost.wall / small[name].wall, cost.cpu / small[name].cpu
                print(f"  {name}: {wall:.1f} times the time and {cpu:.1f} times the CPU for ten times the log")


def measure(server: str, megabytes: int, rounds: int, *, with_peer: bool) -> dict[str, Cost]:
    """Return the median cost of each program on one log of a server's."""
    with TemporaryDirectory(prefix="mailtoll-bench-") as scratch:
        folder = Path(scratch)
        write_big_log(folder, megabytes, server=server)
        incident, out = str(folder / "incident.yaml"), folder / "out"
        # The second goes on where the first ended; all others begin anew.
        commands = {
            "pull": [sys.executable, "-c", STEPS, "pull", incident, str(out)],
            "log path": [sys.executable, "-c", STEPS, "path", incident, str(out)],
            "pull + path": [sys.executable, "-c", STEPS, "pull path", incident, str(out)],
            "whole run": [sys.executable, "-m", "mailtoll", "run", incident, "--out", str(out)],
        }
        analyser = ANALYSERS[server]
        if with_peer and (program := shutil.which(analyser, path=PLACES)):
            commands[analyser] = [program, *map(str, (folder / "logs").glob(f"*/{WORDINGS[server].file}"))]
        taken: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                if name != "log path":
                    shutil.rmtree(out, ignore_errors=True)
                taken[name].append(cost_of(command))
        return {name: sorted(costs, key=lambda c: c.wall)[len(costs) // 2] for name, costs in taken.items()}


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end and return what it took; `CalledProcessError` if it failed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = PeakMemory(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    taken, peak = time.perf_counter() - started, memory.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(taken, usage.ru_utime + usage.ru_stime, peak)


def show(title: str, costs: dict[str, Cost]) -> None:
    """Print one table; ratios say how many times faster than the analyser, in wall and in CPU seconds."""
    peer = next((costs[name] for name in ANALYSERS.values() if name in costs), None)
    print(f"\n{title}\n{'':12}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'ratio':>8}{'of CPU':>8}")
    for name, cost in costs.items():
        ratio = f"{peer.wall / cost.wall:7.1f}x{peer.cpu / cost.cpu:7.1f}x" if peer else ""
        print(f"{name:12}{cost.wall:9.1f}{cost.cpu:9.1f}{cost.peak / 1e6:9.0f}{ratio}", flush=True)


if __name__ == "__main__":
    main()
