"""Parse the DAG files as Airflow does, and write what came of it as JSON: `parse_dags.py FOLDER FILE`.

The tests run it in a process of its own.
"""

import json
import sys
from pathlib import Path
from typing import Any

HEAVY = ("polars", "pandas", "duckdb", "pyarrow", "great_expectations", "plotly", "scipy")


def main() -> None:
    """Write import errors, seconds per file, heavy modules that parsing imported, and each DAG's shape."""
    from airflow.dag_processing.dagbag import DagBag

    before = set(sys.modules)
    bag = DagBag(dag_folder=sys.argv[1])
    imported = {name.partition(".")[0] for name in set(sys.modules) - before}
    described = {
        "errors": bag.import_errors,
        "seconds": {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats},
        "heavy": sorted(imported.intersection(HEAVY)),
        "dags": {dag_id: shape(dag) for dag_id, dag in bag.dags.items()},
    }
    Path(sys.argv[2]).write_text(json.dumps(described))


def shape(dag: Any) -> dict[str, Any]:
    """Return what a reader of the graph sees: tasks in order, arrows, assets, mapped tasks, params, words."""
    tasks = dag.topological_sort()
    return {
        "tasks": [task.task_id for task in tasks],
        "arrows": sorted([task.task_id, below] for task in tasks for below in task.downstream_task_ids),
        "pools": sorted({task.pool for task in tasks}),
        "mapped": [task.task_id for task in tasks if task.is_mapped],
        "waits_for": sorted(names(dag.timetable.asset_condition)),
        "makes": sorted({asset.name for task in tasks for asset in task.outlets}),
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "doc": dag.doc_md or "",
    }


def names(condition: Any) -> list[str]:
    """Return the names of the assets in a DAG's condition: none, one, or several tied by `&` or `|`."""
    if hasattr(condition, "objects"):
        return [name for part in condition.objects for name in names(part)]
    return [condition.name] if hasattr(condition, "name") else []


if __name__ == "__main__":
    main()
