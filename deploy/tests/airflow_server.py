"""Airflow as it runs in production: a scheduler, a DAG processor and an API server, on loopback and in a folder of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts_file import wait_until
from processes import running

from tests.support.executable import ROOT

RECIPES = ROOT / "deploy" / "orchestrators"
DAG = "/api/v2/dags/zendesk_chat"
STARTED = 180
"""Seconds that its processes may take to start."""


@dataclass(frozen=True)
class Task:
    """A task as the UI shows it."""

    state: str
    tries: int


@dataclass
class Airflow:
    """A running Airflow, reached through its API."""

    home: Path
    url: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or "null")

    def answers(self, path: str) -> bool:
        try:
            self.call("GET", path)
        except OSError:  # not yet; HTTP errors are of this kind too
            return False
        return True

    def start_run(self) -> str:
        return str(self.call("POST", f"{DAG}/dagRuns", {"logical_date": None})["dag_run_id"])

    def state(self, run: str) -> str:
        return str(self.call("GET", f"{DAG}/dagRuns/{run}")["state"])

    def finish(self, run: str) -> str:
        """Wait for a run to end. Returns its state."""
        wait_until(lambda: self.state(run) in {"success", "failed"})
        return self.state(run)

    def accounts(self, run: str) -> dict[str, Task]:
        """The mapped tasks of a run, by the name that the UI shows."""
        instances = self.call("GET", f"{DAG}/dagRuns/{run}/taskInstances")["task_instances"]
        mapped = [task for task in instances if task["task_id"] == "sync"]
        return {str(task["rendered_map_index"]): Task(task["state"], task["try_number"]) for task in mapped}

    def mark_failed(self, run: str, map_index: int) -> None:
        """Stop a running task, as the button of the UI does."""
        path = f"{DAG}/dagRuns/{run}/taskInstances/sync/{map_index}"
        self.call("PATCH", path, {"new_state": "failed"})

    def result_of(self, run: str, map_index: int) -> Any:
        path = f"{DAG}/dagRuns/{run}/taskInstances/sync/xcomEntries/return_value?map_index={map_index}"
        return self.call("GET", path)["value"]

    def files_with(self, secret: str) -> list[Path]:
        """The files of its database, logs and configuration that contain a string."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [path for path in files if secret.encode() in path.read_bytes()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_airflow(home: Path, settings: Mapping[str, str]) -> Iterator[Airflow]:
    """Start Airflow with the recipes as its DAGs, and without the delay before a retry."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__DAGS_FOLDER": str(RECIPES),
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # how soon a task notices that it was stopped
        **settings,
    }
    program = Path(os.environ["AIRFLOW_PYTHON"]).with_name("airflow")
    subprocess.run([program, "db", "migrate"], env=environment, check=True, capture_output=True)
    commands = (
        ["api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        ["scheduler", "--skip-serve-logs"],
        ["dag-processor"],
    )
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(running([program, *command], environment, home / f"{command[0]}.log"))
        airflow = Airflow(home, url)
        wait_until(lambda: airflow.answers("/auth/token"), STARTED)
        airflow.token = airflow.call("GET", "/auth/token")["access_token"]
        wait_until(lambda: airflow.answers(DAG), STARTED)
        yield airflow
