"""The Airflow DAG in a running Airflow: scheduler, mapped tasks, retries and stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import duckdb
import pytest
from accounts_file import WRONG_TOKEN, AccountsFile, account, hang_after_two_pages, is_hanging, wait_until
from airflow_server import DAG, Airflow, Task, running_airflow

VARIABLES = 'token_env = "TOKEN_OF_{account}"'
"""For accounts whose tokens are in Connections, or in variables of the workers."""
ON_WORKERS = {"TOKEN_OF_globex-uk": "secret-of-globex-uk"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> AccountsFile:
    return AccountsFile(tmp_path_factory.mktemp("accounts"))


@pytest.fixture(scope="module")
def airflow(file: AccountsFile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    settings = file.settings | ON_WORKERS
    with running_airflow(tmp_path_factory.mktemp("airflow"), settings) as airflow, account("first", 5) as first:
        file.write({"first": first})
        airflow.call("POST", "/api/v2/pools", {"name": "zendesk_chat", "slots": 4})
        airflow.call("PATCH", DAG, {"is_paused": False})
        wait_until(lambda: airflow.call("GET", f"{DAG}/dagRuns")["total_entries"])
        (scheduled,) = airflow.call("GET", f"{DAG}/dagRuns")["dag_runs"]
        assert airflow.finish(scheduled["dag_run_id"]) == "success"  # the run of the hour, which the scheduler starts
        yield airflow


def add_connection(airflow: Airflow, name: str, token: str) -> None:
    connection = {"connection_id": f"zendesk_chat_{name}", "conn_type": "http", "password": token}
    airflow.call("POST", "/api/v2/connections", connection)


def test_the_dag_loads_without_an_error(airflow: Airflow) -> None:
    assert airflow.call("GET", "/api/v2/importErrors")["import_errors"] == []


def test_each_account_is_a_task_and_only_what_a_retry_can_complete_is_retried(airflow: Airflow, file: AccountsFile) -> None:
    with account("acme", 60) as acme, account("globex-uk", 90) as globex:
        file.write({"acme": acme, "globex-uk": globex}, refused=acme, top=VARIABLES)
        add_connection(airflow, "acme", acme.token)
        add_connection(airflow, "refused", WRONG_TOKEN)
        with duckdb.connect(str(file.database("globex-uk"))):  # in use, so the first try cannot load it
            run = airflow.start_run()
            wait_until(lambda: "up_for_retry" in {task.state for task in airflow.accounts(run).values()})
        assert airflow.finish(run) == "failed"
        assert airflow.accounts(run) == {
            "acme": Task("success", 1),
            "globex-uk": Task("success", 2),
            "refused": Task("failed", 1),
        }
        figures = airflow.result_of(run, map_index=0)
        assert set(figures) == {"records", "requests", "seconds"}
        assert figures["records"] == file.loaded_records("acme")
        assert file.is_complete("acme", acme)
        assert file.is_complete("globex-uk", globex)
        for token in (acme.token, globex.token, WRONG_TOKEN):
            assert airflow.files_with(token) == []


def test_a_stopped_task_saves_what_it_has_and_the_next_run_completes_it(airflow: Airflow, file: AccountsFile) -> None:
    with ExitStack() as stack:
        slow, old, new = (stack.enter_context(account(name, 130)) for name in ("slow", "old", "new"))
        hang_after_two_pages(slow)
        file.write({"slow": slow, "old": old})
        run = airflow.start_run()
        wait_until(lambda: is_hanging(slow))
        time.sleep(2)  # for the second page to be taken
        airflow.mark_failed(run, map_index=0)
        wait_until(lambda: file.last_result("slow") == "interrupted")
        assert airflow.finish(run) == "failed"
        assert airflow.accounts(run) == {"slow": Task("failed", 1), "old": Task("success", 1)}
        assert set() < file.chats("slow") < set(slow.account.chat_ids())

        slow.clear_faults()
        file.write({"slow": slow, "new": new})
        run = airflow.start_run()
        assert airflow.finish(run) == "success"
        assert airflow.accounts(run) == {"slow": Task("success", 1), "new": Task("success", 1)}
        assert file.is_complete("slow", slow)
        assert file.is_complete("new", new)
        for sandbox in (slow, old, new):
            assert airflow.files_with(sandbox.token) == []
