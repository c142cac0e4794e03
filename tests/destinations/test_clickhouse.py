"""ClickHouse's engine contains what the account contains."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.exact import exact_values
from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of
from tests.destinations.servers.clickhouse import ClickHouse

IN_PROCESS = [scenario for scenario in SCENARIOS if name_of(scenario) not in {"killed", "two_syncs_at_once"}]


@pytest.mark.parametrize("scenario", [*IN_PROCESS, exact_values], ids=name_of)
def test_scenario(scenario: Scenario, clickhouse: ClickHouse, tmp_path: Path) -> None:
    def rows(url: str, table: str) -> Iterable[dict[str, Any]]:
        return clickhouse.execute(f"SELECT * FROM `{url.rpartition('/')[2]}`.`zendesk_chat___{table}`")

    scenario(Destination("ClickHouse", clickhouse.new_database, rows), tmp_path)
