"""Pull and parse what is new into the store of every standby file, all year, so that an incident finds it there.

Runs hourly where MAILTOLL_STANDBY names the folder of standby files, one mapped task per file.
MAILTOLL_STANDBY_SCHEDULE overrides: `@daily` for logs that come once a day, empty for runs by hand only. A run for a
past instant fetches that day's files where their paths hold a date: backfill or trigger the days in any order. A host
that has fallen silent, or that writes far too little, ends `find_missed` red, before an incident needs its logs.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from dags.notices import due_within
from dags.runs import DEFAULTS, SOURCES, lend

FOLDER = os.environ.get("MAILTOLL_STANDBY")


@task
def list_standby() -> list[str]:
    """Return the standby files of the folder, sorted."""
    return sorted(str(path) for path in Path(FOLDER or "").glob("*.yaml")) if FOLDER else []


@task(pool=SOURCES, map_index_template="{{ task.op_kwargs['file'] }}")
def pull_and_parse(file: str) -> dict[str, Any]:
    """Bring one store up to the instant of the run; return how many files were there, new, and parsed."""
    from mailtoll.standby import ingest, load_standby

    standby = load_standby(Path(file))
    lend(standby.connections())
    return {"file": file, **ingest(standby, instant_of_the_run())}


@task
def find_missed(stores: list[dict[str, Any]]) -> None:
    """Fail, with one sentence each, when sources have fallen silent."""
    from mailtoll.standby import load_standby, missed

    at = instant_of_the_run()
    said = [sentence for store in stores for sentence in missed(load_standby(Path(store["file"])), at)]
    if said:
        raise AirflowFailException("; ".join(said))


def instant_of_the_run() -> datetime:
    """Return the instant that a run stands for: a past one in a backfill."""
    context = get_current_context()
    return context["logical_date"] or context["dag_run"].run_after


@dag(
    schedule=(os.environ.get("MAILTOLL_STANDBY_SCHEDULE", "@hourly") or None) if FOLDER else None,
    start_date=datetime(2000, 1, 1),  # noqa: DTZ001 (Airflow reads it in its own zone; any past day allows a backfill)
    catchup=False,
    default_args=DEFAULTS,
    deadline=due_within("standby_ingest", timedelta(minutes=50)),
    max_active_runs=4,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def standby_ingest() -> None:
    """Wire the tasks."""
    find_missed(pull_and_parse.expand(file=list_standby()))


standby_ingest()
