"""Load the DAG and run it, by Airflow's own Python; prints what became of it as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag

folder = Path(sys.argv[1])
bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
dag = bag.dags.get("zendesk_chat")
run = dag.test() if dag is not None else None
tasks = run.get_task_instances() if run is not None else []
found = {
    "import_errors": bag.import_errors,
    "dags": sorted(bag.dags),
    "state": run.state if run is not None else None,
    "tasks": [[task.task_id, task.rendered_map_index, task.state, task.try_number] for task in tasks],
}
Path(sys.argv[2]).write_text(json.dumps(found))
