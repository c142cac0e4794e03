"""Buckets of an S3 server contain what the account contains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest

from tests.destinations import scenario as scenarios
from tests.destinations.content import Row
from tests.destinations.lakes import delta_rows, s3_iceberg_rows, s3_parquet_rows
from tests.destinations.scenario import Destination, Scenario, name_of
from tests.destinations.servers.s3 import S3

_FORMATS = ("parquet", "delta", "iceberg")
_SCENARIOS = (scenarios.first_load_and_nothing_new, scenarios.edits, scenarios.full_refresh, scenarios.two_syncs_at_once)


def _rows(s3: S3, table_format: str, folder: Path) -> Callable[[str, str], Iterable[Row]]:
    copies = count()

    def read(url: str, table: str) -> Iterable[Row]:
        prefix = url.removeprefix(f"s3://{s3.bucket}/").partition("?")[0]
        if table_format == "parquet":
            return s3_parquet_rows(s3, prefix, table, folder / f"copy{next(copies)}")
        if table_format == "iceberg":
            return s3_iceberg_rows(s3, prefix, table)
        options = {"endpoint_url": s3.endpoint, "aws_allow_http": "true", "region": "us-east-1"}
        return delta_rows(f"s3://{s3.bucket}/{prefix}/zendesk_chat", table, options)

    return read


@pytest.mark.parametrize("table_format", _FORMATS)
@pytest.mark.parametrize("scenario", _SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, table_format: str, s3: S3, tmp_path: Path) -> None:
    def url(name: str) -> str:
        return s3.url(f"{table_format}/{name}", table_format)

    scenario(Destination(table_format, url, _rows(s3, table_format, tmp_path)), tmp_path)
