"""What all DAGs share: which run they work on, how failures are met, and what an asset event says.

A *run* is one incident file and one run folder. A DAG that was triggered by hand takes them from its params; one
that was triggered by an asset takes them from the asset's event, so that the whole chain works on the same run.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, Connection, ExceptionRetryPolicy, Param, RetryRule, get_current_context, task
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowNotFoundException

from dags.notices import on_failure

PROJECT = Path(__file__).resolve().parents[1]

PARAMS = {
    "incident": Param(
        os.environ.get("MAILTOLL_INCIDENT", str(PROJECT / "incidents" / "officemail-lab" / "incident.yaml")),
        type="string",
        minLength=1,
        title="Incident file",
        description="Path of the YAML file that declares the incident, as the workers see it.",
    ),
    "out": Param(
        None,  # an empty string would count as missing in the form
        type=["null", "string"],
        title="Run folder",
        description=(
            "Where this run keeps its tables and reports."
            " Empty: `build/` of the project (or MAILTOLL_OUT), with the incident's id."
        ),
    ),
}

# Slots of both are set in deploy/pools.json: connections that the log hosts bear, and runs that fit into memory.
SOURCES, COUNTING = "mailtoll_sources", "mailtoll_counting"

DEFAULTS = {
    "owner": "mailtoll",
    # Every step repeats to the same answer, so a lost worker or an unreachable source may be tried again…
    "retries": 2,
    "retry_delay": timedelta(seconds=float(os.environ.get("MAILTOLL_RETRY_SECONDS", "30"))),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    # …and so may a folder that another run holds; but bad input stays bad until somebody mends it.
    "retry_policy": ExceptionRetryPolicy(
        [
            RetryRule("sources.errors.SourceAway", action=RetryAction.DEFAULT),
            RetryRule("mailtoll.lock.FolderInUse", action=RetryAction.DEFAULT),
            RetryRule("sources.errors.BadInput", action=RetryAction.FAIL),
        ]
    ),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": on_failure(),
}


@task
def choose_run() -> dict[str, str]:
    """Return the incident file and the run folder: from the asset event that triggered us, else from the params."""
    context = get_current_context()
    events = [event for group in context["triggering_asset_events"].values() for event in group]
    if events:
        newest = max(events, key=lambda event: event.timestamp)
        return {"incident": newest.extra["incident"], "out": newest.extra["out"]}
    incident = Path(context["params"]["incident"]).expanduser().absolute()
    out = Path(context["params"]["out"] or folder_for(incident)).expanduser().absolute()
    return {"incident": str(incident), "out": str(out)}


def folder_for(incident: Path) -> Path:
    """Name the run folder of an incident file: its id, below MAILTOLL_OUT or `build/` of the project."""
    from mailtoll.incident import load_incident

    return Path(os.environ.get("MAILTOLL_OUT", PROJECT / "build")) / load_incident(incident).id


def lend_connections(run: dict[str, str]) -> None:
    """Put the connections that the incident names where steps look for them: the environment of this task alone.

    They come from wherever this Airflow keeps them; of one that it lacks, the step says what to set.
    """
    from mailtoll.incident import load_incident

    lend(load_incident(Path(run["incident"])).connections())


def lend(names: Iterable[str]) -> None:
    """Put connections by their names into the environment of this task."""
    from sources.connections import variable_of

    for name in names:
        with suppress(AirflowNotFoundException):
            os.environ[variable_of(name)] = Connection.get(name).as_json()


def partition_of(run: dict[str, str]) -> str:
    """Name a run in at most 250 characters, readable and unmistakable."""
    digest = sha256("\0".join((run["incident"], run["out"])).encode()).hexdigest()
    return f"{Path(run['out']).name[:100]}-{digest[:12]}"


def announce(asset: Asset, run: dict[str, str], facts: dict[str, Any]) -> None:
    """Let the running task's event of `asset` say which run it belongs to, and its `facts` (small, JSON)."""
    event = get_current_context()["outlet_events"][asset]
    event.add_partitions(partition_of(run))
    event.extra = {**run, **facts}


def summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum the counts of several parts, and digest their digests; the order of the parts does not matter."""
    counts = [{key: value for key, value in part.items() if type(value) is int} for part in parts]
    total = {key: sum(count.get(key, 0) for count in counts) for key in sorted(set().union(*counts))}
    digests = "".join(sorted(str(part["digest"]) for part in parts))
    return {"files": len(parts), **total, "digest": sha256(digests.encode()).hexdigest()}
