"""Who hears of a failed task or of a run that takes too long: the owner, by mail over an Airflow connection.

The mail names DAG, task and run, and leads to the log. What went wrong is not in it: an error may quote an address, and
mail travels. Without MAILTOLL_OWNER nobody is written to, and Airflow's page alone shows what is red.
"""

import os
from datetime import timedelta
from typing import Any

from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

OWNER = os.environ.get("MAILTOLL_OWNER", "")
_CONNECTION = os.environ.get("MAILTOLL_SMTP_CONNECTION", "smtp_default")
_WHO = {"smtp_conn_id": _CONNECTION, "to": OWNER, "from_email": os.environ.get("MAILTOLL_FROM", OWNER)}


def on_failure() -> list[Any]:
    """Return what is called when a task has failed for good."""
    if not OWNER:
        return []
    return [
        SmtpNotifier(
            subject="mailtoll: {{ ti.dag_id }}, {{ ti.task_id }} failed",
            html_content=(
                "<p>Task {{ ti.task_id }} of {{ ti.dag_id }} failed at try {{ ti.try_number }}, run {{ run_id }}.</p>"
                '<p><a href="{{ ti.log_url }}">Its log</a> says why; docs/runbook.md says what to do.</p>'
            ),
            **_WHO,
        )
    ]


def due_within(dag_id: str, usual: timedelta) -> DeadlineAlert | None:
    """Return the alert of a run that has not ended so long after it was queued.

    MAILTOLL_DEADLINE_<DAG>, in seconds, sets it for one DAG: MAILTOLL_DEADLINE_MEASURE_IMPACT=7200.
    """
    if not OWNER:
        return None
    seconds = os.environ.get(f"MAILTOLL_DEADLINE_{dag_id.upper()}")
    words = {
        "subject": "mailtoll: {{ dag_run.dag_id }} is late",
        "html_content": (
            "<p>Run {{ dag_run.run_id }} of {{ dag_run.dag_id }} has not ended in its time. It goes on; "
            "docs/runbook.md says what to look at.</p>"
        ),
    }
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=float(seconds)) if seconds else usual,
        callback=SyncCallback(SmtpNotifier, kwargs={**words, **_WHO}),
    )
