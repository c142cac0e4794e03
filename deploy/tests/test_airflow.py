"""The Airflow DAG, loaded and run by Airflow: a mapped task for each account, through PyAirbyte."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.executable import ROOT
from zendesk_chat_sandbox import Sandbox

RECIPES = ROOT / "deploy" / "orchestrators"
AIRFLOW = Path(os.environ["AIRFLOW_PYTHON"])


def connection(account: Sandbox, token: str) -> str:
    return json.dumps({"conn_type": "http", "host": "demo", "password": token, "extra": {"api_url": account.url}})


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Airflow has a database of its own."""
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(RECIPES),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    program = AIRFLOW.with_name("airflow")
    subprocess.run([program, "db", "migrate"], env=environment, check=True, capture_output=True)
    subprocess.run([program, "pools", "set", "zendesk_chat", "4", "accounts"], env=environment, check=True, capture_output=True)
    return environment


RUN = """
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
"""
# By Airflow's own Python: loads the DAG and runs it, and writes what became of it as JSON.

SECONDS = 240
"""A run takes a minute. It does not end where a task waits for a further try, as the refused one must not."""


def run(environment: dict[str, str], folder: Path) -> dict[str, Any]:
    result = folder / "result.json"
    ended = subprocess.run(
        [AIRFLOW, "-c", RUN, RECIPES, result],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert "sandbox-token" not in ended.stdout + ended.stderr
    assert result.exists(), ended.stderr[-3000:]
    report: dict[str, Any] = json.loads(result.read_text())
    return report


def test_each_account_is_a_task_and_a_refused_token_is_not_tried_again(
    airflow: dict[str, str],
    settings: dict[str, str],
    accounts: dict[str, Sandbox],
    loaded_chats: Callable[[str], set[str]],
    tmp_path: Path,
) -> None:
    acme, globex = accounts.values()
    result = run(
        airflow
        | settings
        | {
            "AIRFLOW_VAR_ZENDESK_CHAT_ACCOUNTS": json.dumps(["acme", "globex-uk", "refused"]),
            "AIRFLOW_CONN_ZENDESK_CHAT_ACME": connection(acme, acme.token),
            "AIRFLOW_CONN_ZENDESK_CHAT_GLOBEX_UK": connection(globex, globex.token),
            "AIRFLOW_CONN_ZENDESK_CHAT_REFUSED": connection(acme, "wrong-token"),
        },
        tmp_path,
    )
    assert result["import_errors"] == {}
    assert result["dags"] == ["zendesk_chat"]
    states = {(task, name): state for task, name, state, _ in result["tasks"]}
    assert states == {
        ("accounts", None): "success",
        ("sync", "acme"): "success",
        ("sync", "globex-uk"): "success",
        ("sync", "refused"): "failed",
    }
    assert {tried for _, name, _, tried in result["tasks"] if name == "refused"} == {1}
    assert {name: loaded_chats(name) for name in accounts} == {
        name: set(account.account.chat_ids()) for name, account in accounts.items()
    }
