"""MariaDB contains what the account contains."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.exact import exact_values
from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of
from tests.destinations.servers.mariadb import MariaDB


@pytest.mark.parametrize("scenario", [*SCENARIOS, exact_values], ids=name_of)
def test_scenario(scenario: Scenario, mariadb: MariaDB, tmp_path: Path) -> None:
    def rows(url: str, table: str) -> Iterable[dict[str, Any]]:
        return mariadb.execute(f"SELECT * FROM `{table}`", database=url.rpartition("/")[2])

    scenario(Destination("MySQL and MariaDB", mariadb.new_database, rows), tmp_path)
