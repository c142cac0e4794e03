"""The small account in a file with its views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support.loaded_account import VIEWS, load_account


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "acme.duckdb"
    assert load_account(path) == VIEWS
    return path


@pytest.fixture
def database(account: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(account), read_only=True) as connection:
        yield connection
