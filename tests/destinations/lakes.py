"""Rows of lakes, as the readers of their formats return them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from tests.destinations.content import Row


def parquet_rows(url: str, table: str) -> Iterable[Row]:
    """Through the view that the sync wrote."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        script = (_folder(url) / "views.sql").read_text("utf-8")
        connection.execute(next(view for view in script.split(";\n") if f'VIEW "{table}" AS' in view))
        return _dicts(connection.sql(f'SELECT * FROM "{table}"'))


def delta_rows(url: str, table: str) -> Iterable[Row]:
    from deltalake import DeltaTable

    found: list[Row] = DeltaTable(str(_folder(url) / table)).to_pyarrow_table().to_pylist()
    return found


def iceberg_rows(url: str, table: str) -> Iterable[Row]:
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog("default", uri=f"sqlite:///{_folder(url) / 'catalog.sqlite'}")
    found: list[Row] = catalog.load_table(f"zendesk_chat.{table}").scan().to_arrow().to_pylist()
    return found


def _folder(url: str) -> Path:
    return Path(url.removeprefix("file://").partition("?")[0]) / "zendesk_chat"


def _dicts(relation: duckdb.DuckDBPyRelation) -> list[dict[str, Any]]:
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
