"""Folders of Parquet files, Delta tables and Iceberg tables contain what the account contains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations import scenario as scenarios
from tests.destinations.lakes import delta_rows, iceberg_rows, parquet_rows
from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of

READERS = {"parquet": parquet_rows, "delta": delta_rows, "iceberg": iceberg_rows}


def check(scenario: Scenario, table_format: str, folder: Path) -> None:
    def url(name: str) -> str:
        return f"file://{folder / name}?format={table_format}"

    scenario(Destination(table_format, url, READERS[table_format]), folder)


@pytest.mark.quick
@pytest.mark.parametrize("table_format", ["parquet", "delta"])
@pytest.mark.parametrize("scenario", [scenarios.edits, scenarios.visitors_as_last_seen, scenarios.killed], ids=name_of)
def test_the_most_important(scenario: Scenario, table_format: str, tmp_path: Path) -> None:
    check(scenario, table_format, tmp_path)


@pytest.mark.parametrize("table_format", READERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, table_format: str, tmp_path: Path) -> None:
    check(scenario, table_format, tmp_path)
