"""Folders of Parquet files, Delta tables and Iceberg tables contain what the account contains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations.lakes import delta_rows, iceberg_rows, parquet_rows
from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of

READERS = {"parquet": parquet_rows, "delta": delta_rows, "iceberg": iceberg_rows}


@pytest.mark.parametrize("table_format", READERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, table_format: str, tmp_path: Path) -> None:
    def url(name: str) -> str:
        return f"file://{tmp_path / name}?format={table_format}"

    scenario(Destination(table_format, url, READERS[table_format]), tmp_path)
