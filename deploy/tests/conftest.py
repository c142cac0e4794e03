"""Two accounts, and the settings that the recipes read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import SOURCE, Served, serving


@pytest.fixture(scope="session")
def accounts() -> Iterator[tuple[Served, Served]]:
    with serving("acme", 60, 1) as acme, serving("globex-uk", 40, 2) as globex:
        yield acme, globex


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """What ``account_sync`` reads: by PyAirbyte, into a DuckDB file for each account."""
    return {
        "ZENDESK_CHAT_SOURCE": str(SOURCE),
        "ZENDESK_CHAT_PYAIRBYTE": os.environ["PYAIRBYTE_PYTHON"],
        "ZENDESK_CHAT_TO": f"duckdb:///{tmp_path}/{{account}}.duckdb",
    }


@pytest.fixture
def folder(tmp_path: Path, accounts: tuple[Served, Served]) -> Path:
    """A configuration for each account, and one with a token that the API refuses."""
    path = tmp_path / "accounts"
    path.mkdir()
    wrong = {"credentials": "access_token", "access_token": "wrong-token"}
    configs = {one.name: one.config() for one in accounts} | {"refused": accounts[0].config(credentials=wrong)}
    for name, config in configs.items():
        (path / f"{name}.json").write_text(json.dumps(config))
    return path
