"""A DuckLake contains what the account contains. `make destinations` runs this with a DuckDB that has the extension."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of

EXTENSIONS = find_spec("duckdb_ext")

pytestmark = [
    pytest.mark.skipif(EXTENSIONS is None, reason="DuckDB's extension ducklake is not installed"),
    pytest.mark.timeout(600),
]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory in which DuckDB finds the extension, instead of downloading it."""
    assert EXTENSIONS is not None
    assert EXTENSIONS.submodule_search_locations is not None
    home = tmp_path_factory.mktemp("home")
    (home / ".duckdb").mkdir()
    (home / ".duckdb" / "extensions").symlink_to(Path(EXTENSIONS.submodule_search_locations[0]) / "extensions")
    monkeypatch.setenv("HOME", str(home))


def rows(url: str, table: str) -> Iterable[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{url}' AS lake (READ_ONLY)")
        found = connection.execute(f'SELECT * FROM lake.zendesk_chat."{table}"')
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    scenario(Destination("DuckLake", lambda name: f"ducklake:{tmp_path}/{name}.ducklake", rows), tmp_path)
