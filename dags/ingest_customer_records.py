"""Pull the customer records of the incident and keep a snapshot with its digest.

Trigger it by hand with the same incident file as `ingest_mail_logs`. Its event of `customer_records` carries the
number of rows and their digest.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAtRuntime, dag, task

from dags.assets import customer_records
from dags.notices import due_within
from dags.runs import DEFAULTS, PARAMS, SOURCES, announce, choose_run, lend_connections


@task(pool=SOURCES)
def pull_customer_records(run: dict[str, str]) -> dict[str, Any]:
    """Copy and normalise the records; return their number and digest."""
    from mailtoll import steps

    lend_connections(run)
    return steps.pull_customer_records(**run)


@task(outlets=[customer_records])
def records_ready(run: dict[str, str], records: dict[str, Any]) -> None:
    """Tell that the records of this run are in."""
    announce(customer_records, run, records)


@dag(
    schedule=PartitionedAtRuntime(),
    params=PARAMS,
    default_args=DEFAULTS,
    deadline=due_within("ingest_customer_records", timedelta(hours=1)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def ingest_customer_records() -> None:
    """Wire the tasks."""
    run = choose_run()
    records_ready(run, pull_customer_records(run))


ingest_customer_records()
