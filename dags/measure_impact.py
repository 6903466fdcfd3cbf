"""Check the inputs, stitch log lines into deliveries, count the grid twice side by side, and check the result.

Runs by itself when the logs and the records of a run are both in; by hand on a run folder that has them. When a
gate refuses, nothing is counted any further, and the event of `impact` says so: `publish_reports` then writes
the refusal.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task

from dags.assets import customer_records, impact, mail_log_events
from dags.notices import due_within
from dags.runs import COUNTING, DEFAULTS, PARAMS, announce, choose_run


@task
def check_inputs(run: dict[str, str]) -> dict[str, Any]:
    """Hold log events and records against the quality gates."""
    from mailtoll import steps

    return steps.check_inputs(**run)


@task.short_circuit(ignore_downstream_trigger_rules=False)
def may_count(gates: dict[str, Any]) -> bool:
    """Skip the counting when a gate refused."""
    return not gates["is_refused"]


@task(pool=COUNTING)
def stitch(run: dict[str, str]) -> dict[str, Any]:
    """Join log events into one row per delivery."""
    from mailtoll import steps

    return steps.stitch(**run)


@task(pool=COUNTING)
def count(run: dict[str, str]) -> dict[str, Any]:
    """Count every cell of the grid."""
    from mailtoll import steps

    return steps.count(**run)


@task(pool=COUNTING)
def recount(run: dict[str, str]) -> dict[str, Any]:
    """Count every cell again, in the other engine."""
    from mailtoll import steps

    return steps.recount(**run)


@task
def check_impact(run: dict[str, str]) -> dict[str, Any]:
    """Hold deliveries and grid against the quality gates and the identities."""
    from mailtoll import steps

    return steps.check_impact(**run)


@task(outlets=[impact], trigger_rule="none_failed")
def impact_ready(run: dict[str, str], inputs: dict[str, Any], cells: dict[str, Any], gates: dict[str, Any]) -> None:
    """Tell that this run is measured, or that a gate refused it."""
    verdict = gates or inputs
    announce(impact, run, {**(cells or {}), "is_refused": verdict["is_refused"], "reasons": verdict["reasons"]})


@dag(
    schedule=PartitionedAssetTimetable(assets=mail_log_events & customer_records),
    params=PARAMS,
    default_args=DEFAULTS,
    deadline=due_within("measure_impact", timedelta(hours=3)),
    max_active_runs=1,
    tags=["mailtoll"],
    doc_md=__doc__,
)
def measure_impact() -> None:
    """Wire the tasks."""
    run = choose_run()
    inputs, cells, again, gates = check_inputs(run), count(run), recount(run), check_impact(run)
    may_count(inputs) >> stitch(run) >> [cells, again] >> gates >> impact_ready(run, inputs, cells, gates)


measure_impact()
