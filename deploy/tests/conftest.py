"""Two accounts, the settings that the recipes read, and the chats that were loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support.executable import EXECUTABLE
from tests.support.sandbox import config_of, small
from zendesk_chat_sandbox import Sandbox


@pytest.fixture(scope="session")
def accounts() -> Iterator[dict[str, Sandbox]]:
    with small(60) as acme, small(40) as globex:
        yield {"acme": acme, "globex-uk": globex}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """What ``account_sync`` reads: by PyAirbyte, into a DuckDB file for each account."""
    return {
        "ZENDESK_CHAT_SOURCE": str(EXECUTABLE),
        "ZENDESK_CHAT_PYAIRBYTE": os.environ["PYAIRBYTE_PYTHON"],
        "ZENDESK_CHAT_TO": f"duckdb:///{tmp_path}/{{account}}.duckdb",
    }


@pytest.fixture
def folder(tmp_path: Path, accounts: dict[str, Sandbox]) -> Path:
    """A configuration for each account, and one with a token that the API refuses."""
    path = tmp_path / "accounts"
    path.mkdir()
    wrong = {"credentials": "access_token", "access_token": "wrong-token"}
    configs = {name: config_of(account, request_timeout_seconds=60) for name, account in accounts.items()}
    configs["refused"] = configs["acme"] | {"credentials": wrong}
    for name, config in configs.items():
        (path / f"{name}.json").write_text(json.dumps(config))
    return path


@pytest.fixture
def loaded_chats(tmp_path: Path) -> Callable[[str], set[str]]:
    """Return the ids of the chats in an account's file, none of which is there twice."""

    def loaded(account: str) -> set[str]:
        with duckdb.connect(str(tmp_path / f"{account}.duckdb"), read_only=True) as connection:
            rows = connection.sql(f"SELECT id FROM zendesk_chat_{account.replace('-', '_')}.chats").fetchall()
        ids = {row[0] for row in rows}
        assert len(ids) == len(rows)
        return ids

    return loaded
