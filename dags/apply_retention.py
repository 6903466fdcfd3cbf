"""Let raw logs and restricted tables age out by policy, and say in each folder what went and what that ends.

Runs daily where MAILTOLL_RETENTION names the policy file. The log lists everything that was removed; `dry_run` lists
what would be, and removes nothing.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import Param, dag, get_current_context, task

from dags.notices import due_within
from dags.runs import DEFAULTS

POLICY = os.environ.get("MAILTOLL_RETENTION")


@task
def remove_what_is_old() -> list[str]:
    """Apply the policy; return one sentence per thing removed."""
    from mailtoll.retention import apply_policy, read_policy

    params = get_current_context()["params"]
    removed = apply_policy(read_policy(Path(params["policy"])), datetime.now().astimezone(), is_dry=params["dry_run"])
    for sentence in removed:
        print(sentence)
    return removed


@dag(
    schedule="@daily" if POLICY else None,
    start_date=datetime(2000, 1, 1),  # noqa: DTZ001 (Airflow reads it in its own zone)
    catchup=False,
    params={
        "policy": Param(POLICY or "", type="string", title="Policy file"),
        "dry_run": Param(False, type="boolean", title="Only say what would be removed"),
    },
    default_args=DEFAULTS,
    deadline=due_within("apply_retention", timedelta(hours=1)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def apply_retention() -> None:
    """Wire the task."""
    remove_what_is_old()


apply_retention()
