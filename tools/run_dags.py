"""Run all DAGs on one incident with an embedded Airflow: no server, no scheduler, SQLite in a folder of its own.

    python -m tools.run_dags INCIDENT.yaml [--out DIR]

Prints one line per DAG, then the headline and the path of the report. Exit status as of `mailtoll run`: 0 published,
2 bad input or a failed task, 3 refused by a quality gate. Airflow's own words go to a log file.
"""

import argparse
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mailtoll.cli import headline_in_words
from tools.local_airflow import environment

PROJECT = Path(__file__).resolve().parents[1]

FLOW = ("ingest_mail_logs", "ingest_customer_records", "measure_impact", "publish_reports")


def main(arguments: list[str] | None = None) -> int:
    """Run the DAGs in flow order; return the exit status."""
    parser = argparse.ArgumentParser(description="Run all DAGs on one incident, without a server.")
    parser.add_argument("incident", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=PROJECT / ".airflow" / "embedded", help="Airflow's own folder")
    options = parser.parse_args(arguments)
    run = {"incident": str(options.incident.absolute()), "out": str(options.out.absolute())}

    os.environ.update(environment(options.home.absolute()))
    log = options.home.absolute() / "run.log"
    log.unlink(missing_ok=True)
    for dag_id, state, seconds in run_dags(run, log):
        print(f"{dag_id:<24} {state:<8} {seconds:5.1f} s", flush=True)
        if state != "success" and dag_id != FLOW[-1]:
            print(f"{dag_id} failed: {why(log)} Airflow's log is {log}", file=sys.stderr)
            return 2
    return report(options.out.absolute(), log)


def run_dags(run: dict[str, str], log: Path) -> Iterator[tuple[str, str, float]]:
    """Run each DAG with `dag.test()`; yield its id, how it ended, and its seconds."""
    with _words_to(log):
        from airflow.dag_processing.dagbag import DagBag
        from airflow.utils.db import initdb

        initdb()
        bag = DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise RuntimeError(f"DAG files do not import: {bag.import_errors}")
    for dag_id in FLOW:
        start = time.monotonic()
        dag = bag.dags[dag_id]
        for task in dag.tasks:
            task.retries = 0  # somebody is watching: say at once what failed
        with _words_to(log):
            state = dag.test(run_conf=run).state
        yield dag_id, str(state), time.monotonic() - start


def why(log: Path) -> str:
    """Return the last error that a task ended with: our own sentence, where it is one."""
    errors = re.findall(
        r"^(?:\w+\.)*(\w*(?:Error|Exception|BadInput)): (.+)$", log.read_text(errors="replace"), re.MULTILINE
    )
    kind, sentence = errors[-1] if errors else ("", "")
    return sentence if kind == "BadInput" else f"{kind} {sentence}".strip()


def report(out: Path, log: Path) -> int:
    """Print what was published; return the exit status."""
    published = out / "impact.json"
    if not published.exists():
        print(f"nothing was published; Airflow's log is {log}", file=sys.stderr)
        return 2
    impact: dict[str, Any] = json.loads(published.read_text())
    if impact["status"] == "refused":
        print(f"refused by a quality gate; the reasons are in {out / 'report.html'}")
        return 3
    print(f"{headline_in_words(impact['headline'])}: {out / 'report.html'}")
    return 0


@contextmanager
def _words_to(log: Path) -> Iterator[None]:
    """Send all that is logged or printed, by us or by a process that we start, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            for target, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, target)
                os.close(saved)


if __name__ == "__main__":
    sys.exit(main())
