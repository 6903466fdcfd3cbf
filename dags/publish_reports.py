"""Write the reports of a measured run, or the refusal of a run that a gate refused, and let them out.

Runs by itself when `impact` is measured; by hand on a run folder that has been measured. A refused run ends red,
with the reasons as its message, after the refusal page is written.

Where the incident names people under `approval`, the run then waits until one of them has said yes or no (Browse,
Required Actions): the reports are in the run's folder, to be read before that. A no ends the run there, and what was
published before stays as it is. After a yes, and where nobody is named, the public page goes on the site and the
summary is mailed, each where the incident file says to.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import ExceptionRetryPolicy, PartitionedAssetTimetable, RetryRule, dag, task
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowFailException

from dags.assets import impact, report
from dags.notices import due_within
from dags.runs import DEFAULTS, PARAMS, announce, choose_run


class NamedApproval(ApprovalOperator):
    """Asks people who are known only when the task runs."""

    template_fields = (*ApprovalOperator.template_fields, "assigned_users")


@task
def publish(run: dict[str, str]) -> dict[str, Any]:
    """Write impact.json, the reports and the tables; return status, headline and the report's path."""
    from mailtoll import steps

    return steps.publish(**run)


@task
def export(run: dict[str, str], published: dict[str, Any]) -> dict[str, str]:
    """Write the tables to take away; fail, without a retry, when there is nothing but a refusal."""
    if published["status"] == "refused":
        raise AirflowFailException(f"Refused: {'; '.join(published['reasons'])}. See {published['report']}")
    from mailtoll import outgoing

    return outgoing.export(**run)


@task
def ask(run: dict[str, str], published: dict[str, Any]) -> dict[str, Any]:
    """Return whom to ask for approval (nobody: it needs none), and what."""
    from mailtoll import outgoing
    from mailtoll.cli import headline_in_words

    names = outgoing.approvers(**run)
    return {
        "users": [{"id": name, "name": name} for name in names],
        "subject": f"Publish {published['count']}: {headline_in_words(published['headline'])}?",
        "body": f"The reports to be read first: {published['report']} and those beside it. {published['change']}",
    }


@task.branch
def is_approval_wanted(asked: dict[str, Any]) -> str:
    """Go by way of the approval where the incident names somebody for it."""
    return "approve" if asked["users"] else "put_on_site"


@task(trigger_rule="none_failed_min_one_success")
def put_on_site(run: dict[str, str], published: dict[str, Any]) -> dict[str, str]:
    """Put the public page on the site, if there is one."""
    from mailtoll import outgoing

    return outgoing.put_on_site(**run, count=published["count"])


@task(outlets=[report])
def report_ready(run: dict[str, str], published: dict[str, Any]) -> None:
    """Tell that the report is out."""
    announce(report, run, published)


@task(
    retries=5,
    retry_policy=ExceptionRetryPolicy(
        [
            RetryRule("sources.errors.MailWaits", action=RetryAction.RETRY),
            RetryRule("mailtoll.lock.FolderInUse", action=RetryAction.DEFAULT),
            RetryRule("sources.errors.BadInput", action=RetryAction.FAIL),
        ]
    ),
)
def send(run: dict[str, str], published: dict[str, Any]) -> dict[str, Any]:
    """Mail the summary to those recipients who have not had it."""
    from mailtoll import outgoing

    return outgoing.send(**run, count=published["count"])


@dag(
    schedule=PartitionedAssetTimetable(assets=impact),
    params=PARAMS,
    default_args=DEFAULTS,
    deadline=due_within("publish_reports", timedelta(hours=1)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def publish_reports() -> None:
    """Wire the tasks."""
    run = choose_run()
    published = publish(run)
    asked = ask(run, published)
    approve = NamedApproval(
        task_id="approve",
        subject=asked["subject"],
        body=asked["body"],
        assigned_users=asked["users"],
        retries=0,
        execution_timeout=None,  # people take their time
    )
    on_site = put_on_site(run, published)
    export(run, published) >> asked >> is_approval_wanted(asked) >> [approve, on_site]
    approve >> on_site >> [report_ready(run, published), send(run, published)]


publish_reports()
