"""The recipes of deploy/ that run without an orchestrator; ``make recipes`` runs the others."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from zendesk_chat_sandbox import Fault, Sandbox

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SOURCE = Path(sys.executable).parent / "source-zendesk-chat"


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


accounts = load(DEPLOY / "orchestrators" / "account_sync.py")


def configured(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    credentials = {"credentials": "access_token", "access_token": sandbox.token}
    return {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "demo",
        "api_url": sandbox.url,
        "credentials": credentials,
    } | more


def settings(folder: Path) -> dict[str, str]:
    return {**os.environ, "ZENDESK_CHAT_SOURCE": str(SOURCE), "ZENDESK_CHAT_TO": f"duckdb:///{folder}/{{account}}.duckdb"}


def sync(name: str, config: Mapping[str, Any], folder: Path, **environment: str) -> str:
    with accounts.config_file(config) as path:
        printed: str = accounts.sync_account(name, path, lambda _: None, settings(folder) | environment)
    return printed


def ids(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {id_ for (id_,) in connection.sql("SELECT id FROM chats").fetchall()}


def test_each_account_fills_a_file_of_its_own(tmp_path: Path) -> None:
    with Sandbox(chats=40, seed=1) as acme, Sandbox(chats=30, seed=2) as globex:
        for name, sandbox in (("acme", acme), ("globex-uk", globex)):
            printed = sync(name, configured(sandbox), tmp_path)
            assert "complete" in printed
            assert ids(tmp_path / f"{name}.duckdb") == set(sandbox.account.chat_ids())


def test_a_refused_token_is_for_a_person_to_solve(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        refused = configured(sandbox, credentials={"credentials": "access_token", "access_token": "wrong-token"})
        with pytest.raises(accounts.ConfigProblem, match="rejected the token"):
            sync("acme", refused, tmp_path)


def test_a_stream_that_may_not_be_read_is_for_a_person_to_solve(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        sandbox.inject(Fault(kind="status", status=403, path="*/goals", times=None))
        with pytest.raises(accounts.ConfigProblem, match="goals"):
            sync("acme", configured(sandbox), tmp_path)


def test_wrong_configuration_is_for_a_person_to_solve(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox, pytest.raises(accounts.ConfigProblem, match="start_date"):
        sync("acme", configured(sandbox, start_date="yesterday"), tmp_path)


def test_a_destination_that_is_in_use_is_worth_another_try(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        with duckdb.connect(str(tmp_path / "acme.duckdb")), pytest.raises(accounts.TemporaryProblem, match="exit code 1"):
            sync("acme", configured(sandbox), tmp_path)
        sync("acme", configured(sandbox), tmp_path)
        assert ids(tmp_path / "acme.duckdb") == set(sandbox.account.chat_ids())


def test_a_process_that_dies_is_worth_another_try(tmp_path: Path) -> None:
    dying = tmp_path / "dying"
    dying.write_text(f'#!/bin/sh\nif [ "$1" = sync ]; then echo killed; kill -9 $$; fi\nexec {SOURCE} "$@"\n')
    dying.chmod(0o755)
    with Sandbox(chats=5) as sandbox, pytest.raises(accounts.TemporaryProblem, match="-9: killed"):
        sync("acme", configured(sandbox), tmp_path, ZENDESK_CHAT_SOURCE=str(dying))


@pytest.mark.parametrize("name", ["", "../etc", "Acme", "a b", "-a", "a_b"])
def test_a_name_that_could_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(accounts.ConfigProblem, match="name"):
        accounts.sync_account(name, tmp_path / "none.json", print, settings(tmp_path))


def test_the_token_is_in_a_private_file_that_is_gone_afterwards() -> None:
    with accounts.config_file({"access_token": "sandbox-token"}) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text()) == {"access_token": "sandbox-token"}
    assert not path.exists()


def test_the_command_line_holds_no_token(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\necho "$@" > {shown}\n')
    spy.chmod(0o755)
    sync("acme", {"access_token": "sandbox-token"}, tmp_path, ZENDESK_CHAT_SOURCE=str(spy))
    assert "--config" in shown.read_text()
    assert "sandbox-token" not in shown.read_text()


def test_the_page_names_files_and_headings_that_exist() -> None:
    page = (ROOT / "docs" / "many-accounts.md").read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) > 10
    for link in links:
        path, _, heading = link.partition("#")
        assert (ROOT / "docs" / path).exists(), link
        assert path or heading in headings, link
    for path in re.findall(r"deploy/[\w./-]+", page):
        assert (ROOT / path).exists(), path
