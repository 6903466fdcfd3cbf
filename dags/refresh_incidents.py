"""Start a run of every incident that is not final yet: one mapped run per incident file.

Runs daily where MAILTOLL_INCIDENTS names the folder of incident files, or as MAILTOLL_INCIDENTS_SCHEDULE says (empty:
by hand only). Each incident is pulled, measured and published by the other DAGs, side by side with the others; one that
is refused or fails holds nobody up. An incident whose report is final is left alone.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task

from dags.notices import due_within
from dags.runs import DEFAULTS, folder_for

FOLDER = os.environ.get("MAILTOLL_INCIDENTS")


@task
def list_open() -> list[dict[str, str]]:
    """Return incident file and run folder of each incident that has no final report."""
    from mailtoll.run import published_status
    from sources.errors import BadInput

    found = []
    for incident in sorted(Path(FOLDER or "").glob("*.yaml")) if FOLDER else []:
        try:
            out = folder_for(incident)
        except BadInput:  # the run that is started ends red with the sentence that says what to mend
            found.append({"incident": str(incident)})
            continue
        if published_status(out) != "final":
            found.append({"incident": str(incident), "out": str(out)})
    return found


@dag(
    schedule=(os.environ.get("MAILTOLL_INCIDENTS_SCHEDULE", "@daily") or None) if FOLDER else None,
    start_date=datetime(2000, 1, 1),  # noqa: DTZ001 (Airflow reads it in its own zone)
    catchup=False,
    default_args=DEFAULTS,
    deadline=due_within("refresh_incidents", timedelta(hours=1)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def refresh_incidents() -> None:
    """Wire the tasks."""
    runs = list_open()
    for dag_id in ("ingest_mail_logs", "ingest_customer_records"):
        TriggerDagRunOperator.partial(task_id=f"start_{dag_id}", trigger_dag_id=dag_id).expand(conf=runs)


refresh_incidents()
