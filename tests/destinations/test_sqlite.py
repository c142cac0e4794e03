"""An SQLite file contains what the account contains."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.exact import exact_values
from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of


def rows(url: str, table: str) -> Iterable[dict[str, Any]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]


def in_folder(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite:///{folder}/{name}.sqlite"


@pytest.mark.parametrize("scenario", (*SCENARIOS, exact_values), ids=name_of)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    scenario(Destination("SQLite", in_folder(tmp_path), rows), tmp_path)
