"""Run steps of one incident, each in a process of its own that is killed right before it renames a certain file.

    python -m tests.end_to_end.killed_at INCIDENT.yaml DIR < POINTS

Each line of standard input is one process: what it does (`run`, or a step of `outgoing`), a regular expression that the
new path must match, and which such renaming it dies of (1: the first); without the latter two nobody kills it. Prints
how each ended, as `waitpid` has it. Files are written aside and renamed, so a kill can't come later for any of them.
The processes are forked from one that has imported everything, as that takes longer than the steps.
"""

import os
import re
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

IMPORTED = ("great_expectations", "mailtoll.publishing", "mailtoll.mailing", "airflow.providers.smtp.hooks.smtp")


def main() -> None:
    """Start one process per line, one after the other."""
    for name in IMPORTED:
        import_module(name)
    incident, out = map(Path, sys.argv[1:])
    for line in sys.stdin.read().splitlines():
        what, *point = line.split()
        sys.stdout.flush()
        if not (child := os.fork()):
            if point:
                kill_before(re.compile(point[0]), int(point[1]))
            do(what, incident, out)
            os._exit(0)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def do(what: str, incident: Path, out: Path) -> None:
    """Run everything, or one step of what goes out, for the newest count."""
    from mailtoll import outgoing, steps

    if what == "run":
        steps.run_incident(incident, out, lambda _: None)
        return
    newest = {} if what == "export" else {"count": max(path.name for path in (out / "vintages").iterdir())}
    getattr(outgoing, what)(str(incident), str(out), **newest)


def kill_before(pattern: re.Pattern[str], number: int) -> None:
    """Kill this process the moment before its `number`-th renaming to a path that matches."""
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "os.rename" and pattern.search(os.fsdecode(arguments[1])):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    main()
