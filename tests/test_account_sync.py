"""What the recipes for Airflow and Dagster share: ``zendesk-chat sync`` for one account, and what its exit code means."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from zendesk_chat.errors import ExitCode
from zendesk_chat_sandbox import Fault, Sandbox, Switches

RECIPE = Path(__file__).parents[1] / "deploy" / "orchestrators" / "account_sync.py"
COMMAND = Path(sys.executable).with_name("zendesk-chat")
TOKEN = "secret-of-acme"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("account_sync", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


recipe = load()


@pytest.fixture
def acme() -> Iterator[Sandbox]:
    switches = Switches(rate_limit=0, export_page_cap=40)
    with Sandbox(chats=130, token=TOKEN, history_until=time.time() - 3600, switches=switches) as sandbox:
        yield sandbox


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Write the accounts file, which the environment names with the command."""
    path = tmp_path / "accounts.toml"
    monkeypatch.setenv("ZENDESK_CHAT_ACCOUNTS", str(path))
    monkeypatch.setenv("ZENDESK_CHAT_COMMAND", str(COMMAND))

    def written(text: str) -> Path:
        path.write_text(text)
        return path

    return written


def table(sandbox: Sandbox, more: str = "") -> str:
    return f'[accounts.acme]\ntoken_env = "ACME_TOKEN"\napi_url = "{sandbox.url}"\nstreams = ["goals", "chats"]\n{more}\n'


def sync(log: Callable[[int, str], object] = lambda *_: None, token: str = TOKEN) -> dict[str, float]:
    figures: dict[str, float] = recipe.AccountSync("acme", {"ACME_TOKEN": token}).run(log)
    return figures


def rows(folder: Path, query: str) -> list[Any]:
    with duckdb.connect(str(folder / "acme.duckdb"), read_only=True) as connection:
        return connection.sql(query).fetchall()


def test_an_account_is_loaded_and_the_figures_are_those_of_the_run(acme: Sandbox, write: Callable[[str], Path]) -> None:
    folder = write(table(acme)).parent
    figures = sync()
    assert {id_ for (id_,) in rows(folder, "SELECT id FROM chats")} == set(acme.account.chat_ids())
    [(loaded,)] = rows(folder, "SELECT sum(loaded) FROM _sync_run_streams")
    assert figures["records"] == loaded
    assert set(figures) == {"records", "requests", "seconds"}


def test_the_log_has_the_levels_of_the_sync_and_no_token(acme: Sandbox, write: Callable[[str], Path]) -> None:
    folder = write(table(acme)).parent
    acme.inject(Fault(kind="status", status=403, path="*/goals", times=None))
    logged: list[tuple[int, str]] = []
    with pytest.raises(recipe.SyncFailed):
        sync(lambda level, text: logged.append((level, text)))
    first, *_ = logged
    assert first == (logging.INFO, f"Loading acme into {folder}/acme.duckdb: 2 streams")
    assert [text for level, text in logged if level == logging.ERROR and "goals" in text]
    assert TOKEN not in repr(logged)


def failure(token: str = TOKEN) -> tuple[str, bool]:
    with pytest.raises(recipe.SyncFailed) as failed:
        sync(token=token)
    return str(failed.value), failed.value.retry


def test_a_refused_token_needs_a_person(acme: Sandbox, write: Callable[[str], Path]) -> None:
    write(table(acme))
    message, retry = failure("another-token")
    assert message.startswith("acme: zendesk-chat sync ended with exit code 3: Zendesk Chat rejected the token")
    assert not retry


def test_a_stream_that_the_role_lacks_needs_a_person(acme: Sandbox, write: Callable[[str], Path]) -> None:
    write(table(acme))
    acme.inject(Fault(kind="status", status=403, path="*/goals", times=None))
    message, retry = failure()
    assert "goals" in message
    assert not retry


def test_a_mistake_in_the_accounts_file_needs_a_person(acme: Sandbox, write: Callable[[str], Path]) -> None:
    write(table(acme, "start_dat = 2026-01-01"))
    message, retry = failure()
    assert "exit code 2" in message
    assert "start_dat" in message
    assert not retry


def test_a_destination_in_use_is_retried(acme: Sandbox, write: Callable[[str], Path]) -> None:
    folder = write(table(acme)).parent
    with duckdb.connect(str(folder / "acme.duckdb")):
        message, retry = failure()
    assert "exit code 1" in message
    assert retry
    sync()
    assert {id_ for (id_,) in rows(folder, "SELECT id FROM chats")} == set(acme.account.chat_ids())


def test_a_process_that_dies_is_retried(tmp_path: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write("[accounts.acme]\n")
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\necho out of memory >&2\nkill -9 $$\n")
    dying.chmod(0o755)
    monkeypatch.setenv("ZENDESK_CHAT_COMMAND", str(dying))
    assert failure() == ("acme: zendesk-chat sync ended with exit code -9: out of memory", True)


def test_a_command_that_is_missing_needs_a_person(write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write("[accounts.acme]\n")
    monkeypatch.setenv("ZENDESK_CHAT_COMMAND", "/nowhere/zendesk-chat")
    message, retry = failure()
    assert message == (
        "/nowhere/zendesk-chat cannot be run: No such file or directory. Set ZENDESK_CHAT_COMMAND to the path of zendesk-chat."
    )
    assert not retry


class Stopped(BaseException):
    """As Airflow's timeout and Dagster's interrupt, which are no Exception."""


@pytest.fixture
def hanging(acme: Sandbox, write: Callable[[str], Path]) -> Path:
    """The folder of an account whose chats do not come, while its goals are complete."""
    acme.inject(Fault(kind="latency", path="*/incremental/chats", seconds=600, times=None))
    return write(table(acme)).parent


def is_saved_and_resumes(folder: Path, acme: Sandbox) -> bool:
    assert rows(folder, "SELECT result FROM _sync_runs") == [("interrupted",)]
    assert rows(folder, "SELECT count(*) FROM goals") == [(5,)]
    acme.clear_faults()
    sync()
    return {id_ for (id_,) in rows(folder, "SELECT id FROM chats")} == set(acme.account.chat_ids())


def test_a_task_that_is_stopped_saves_what_it_has_and_the_next_one_completes(hanging: Path, acme: Sandbox) -> None:
    task = recipe.AccountSync("acme", {"ACME_TOKEN": TOKEN})

    def stop(_: int, text: str) -> None:
        if text.startswith("goals: complete"):
            task.stop()

    with pytest.raises(recipe.SyncFailed, match="exit code 143") as failed:
        task.run(stop)
    assert failed.value.retry
    assert is_saved_and_resumes(hanging, acme)


def test_a_timeout_of_the_scheduler_saves_what_it_has_and_the_next_one_completes(hanging: Path, acme: Sandbox) -> None:
    def stop(_: int, text: str) -> None:
        if text.startswith("goals: complete"):
            raise Stopped

    with pytest.raises(Stopped):
        sync(stop)
    assert is_saved_and_resumes(hanging, acme)


def test_the_token_is_in_the_environment_of_the_process_only(
    tmp_path: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("[accounts.acme]\n")
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/options\necho "$ACME_TOKEN" > {tmp_path}/token\n')
    spy.chmod(0o755)
    monkeypatch.setenv("ZENDESK_CHAT_COMMAND", str(spy))
    sync()
    assert (tmp_path / "options").read_text() == f"sync --accounts {file} --only acme --log-format json\n"
    assert (tmp_path / "token").read_text() == f"{TOKEN}\n"


def test_the_accounts_are_those_of_the_file(write: Callable[[str], Path]) -> None:
    write('to = "{account}.duckdb"\n[accounts.acme]\n[accounts."globex.eu"]\n')
    assert recipe.account_names() == ["acme", "globex.eu"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("[accounts", "cannot be read: Expected"),
        ("[account.acme]\n", "has no accounts. Add a table for each, such as [accounts.acme]."),
    ],
)
def test_a_file_without_accounts_is_a_failure(text: str | None, problem: str, write: Callable[[str], Path]) -> None:
    path = write(text or "")
    if text is None:
        path.unlink()
    with pytest.raises(recipe.SyncFailed) as failed:
        recipe.account_names()
    assert str(failed.value).startswith(f"{path} {problem}")
    assert not failed.value.retry


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ('[accounts.acme]\ntoken_env = "ACME"\n', "ACME"),
        ('token_env = "TOKEN_{account}"\n[accounts.acme]\n', "TOKEN_acme"),
        ('token_env = "TOKEN_{account}"\n[accounts.acme]\ntoken_env = "ACME"\n', "ACME"),
        ('[accounts.acme]\ntoken_file = "acme.token"\n', None),
        ('[accounts.globex]\ntoken_env = "GLOBEX"\n', None),
    ],
)
def test_the_variable_of_a_token_is_the_one_that_sync_reads(
    text: str, variable: str | None, write: Callable[[str], Path]
) -> None:
    write(text)
    assert recipe.token_variable("acme") == variable


def test_the_exit_codes_that_need_a_person_are_those_of_sync() -> None:
    assert recipe.NEEDS_A_PERSON == (ExitCode.USAGE, ExitCode.ACTION_NEEDED)


def test_a_line_of_an_unknown_form_is_logged_and_is_no_failure(
    tmp_path: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write("[accounts.acme]\n")
    summary = {"level": "warning", "message": "Slow.", "event": "summary", "accounts": ["acme"]}
    lines = ["Traceback (most recent call last):", "[1, 2]", json.dumps(summary)]
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n" + "".join(f"echo '{line}' >&2\n" for line in lines))
    script.chmod(0o755)
    monkeypatch.setenv("ZENDESK_CHAT_COMMAND", str(script))
    logged: list[tuple[int, str]] = []
    assert sync(lambda level, text: logged.append((level, text))) == {}
    assert logged == [(logging.INFO, lines[0]), (logging.INFO, lines[1]), (logging.WARNING, "Slow.")]
