"""Pull the incident's log files as they are, and parse each in a task of its own.

Trigger it by hand with an incident file. A file that was pulled before is not parsed again. When all files are
parsed, the event of `mail_log_events` carries the line counts and a digest.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAtRuntime, dag, task

from dags.assets import mail_log_events
from dags.notices import due_within
from dags.runs import COUNTING, DEFAULTS, PARAMS, SOURCES, announce, choose_run, lend_connections, summed


@task(pool=SOURCES)
def pull_logs(run: dict[str, str]) -> list[str]:
    """Copy the log files into the run folder; return one id per file with content of its own."""
    from mailtoll import steps

    lend_connections(run)
    return steps.pull_logs(**run)


@task(pool=COUNTING, map_index_template="{{ task.op_kwargs['source_id'] }}")
def parse_log(run: dict[str, str], source_id: str) -> dict[str, Any]:
    """Turn one log file into delivery facts; return its line counts."""
    from mailtoll import steps

    return steps.parse_log(**run, source_id=source_id)


@task(outlets=[mail_log_events])
def logs_ready(run: dict[str, str], files: list[dict[str, Any]]) -> None:
    """Tell that the logs of this run are parsed."""
    announce(mail_log_events, run, summed(list(files)))


@dag(
    schedule=PartitionedAtRuntime(),
    params=PARAMS,
    default_args=DEFAULTS,
    deadline=due_within("ingest_mail_logs", timedelta(hours=2)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def ingest_mail_logs() -> None:
    """Wire the tasks."""
    run = choose_run()
    logs_ready(run, parse_log.partial(run=run).expand(source_id=pull_logs(run)))


ingest_mail_logs()
