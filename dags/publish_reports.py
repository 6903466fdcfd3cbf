"""Write the reports of a measured run, or the refusal of a run that a gate refused.

Runs by itself when `impact` is measured; by hand on a run folder that has been measured. A refused run ends red,
with the reasons as its message, after the refusal page is written.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task
from airflow.sdk.exceptions import AirflowFailException

from dags.assets import impact, report
from dags.notices import due_within
from dags.runs import DEFAULTS, PARAMS, announce, choose_run


@task
def publish(run: dict[str, str]) -> dict[str, Any]:
    """Write impact.json, the reports and the tables; return status, headline and the report's path."""
    from mailtoll import steps

    return steps.publish(**run)


@task(outlets=[report])
def report_ready(run: dict[str, str], published: dict[str, Any]) -> None:
    """Tell that the report is out; fail, without a retry, when it is a refusal."""
    if published["status"] == "refused":
        raise AirflowFailException(f"Refused: {'; '.join(published['reasons'])}. See {published['report']}")
    announce(report, run, published)


@dag(
    schedule=PartitionedAssetTimetable(assets=impact),
    params=PARAMS,
    default_args=DEFAULTS,
    deadline=due_within(timedelta(hours=1)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def publish_reports() -> None:
    """Wire the tasks."""
    run = choose_run()
    report_ready(run, publish(run))


publish_reports()
