"""Rows of lakes, as the readers of their formats return them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from tests.destinations.content import Row
from tests.destinations.servers.s3 import S3


def parquet_rows(url: str, table: str) -> Iterable[Row]:
    """Through the view that the sync wrote."""
    folder = local_folder(url)
    return _of_view((folder / "views.sql").read_text("utf-8"), table)


def s3_parquet_rows(s3: S3, prefix: str, table: str, copy: Path) -> Iterable[Row]:
    """The same of a copy on the local disk: DuckDB's extension for S3 is not in a package."""
    folder = f"{s3.bucket}/{prefix}/zendesk_chat"
    files = s3.files
    for path in files.glob(f"{folder}/{table}*/*/*/*.parquet"):
        file = copy / str(path).removeprefix(f"{folder}/")
        file.parent.mkdir(parents=True)
        file.write_bytes(files.cat_file(path))
    script = files.cat_file(f"{folder}/views.sql").decode().replace(f"s3://{folder}", str(copy))
    return _of_view(script, table)


def delta_rows(url: str, table: str, options: dict[str, str] | None = None) -> Iterable[Row]:
    from deltalake import DeltaTable

    folder = f"{url}/{table}" if options else str(local_folder(url) / table)
    found: list[Row] = DeltaTable(folder, storage_options=options).to_pyarrow_table().to_pylist()
    return found


def iceberg_rows(url: str, table: str) -> Iterable[Row]:
    from pyiceberg.catalog.sql import SqlCatalog

    catalog = SqlCatalog("default", uri=f"sqlite:///{local_folder(url) / 'catalog.sqlite'}")
    found: list[Row] = catalog.load_table(f"zendesk_chat.{table}").scan().to_arrow().to_pylist()
    return found


def s3_iceberg_rows(s3: S3, prefix: str, table: str) -> Iterable[Row]:
    """By the latest metadata of the table, without a catalog."""
    from pyiceberg.table import StaticTable

    latest = max(s3.files.glob(f"{s3.bucket}/{prefix}/zendesk_chat/{table}/metadata/*.json"))
    properties = {"s3.endpoint": s3.endpoint, "s3.access-key-id": "acme", "s3.secret-access-key": "a-secret-key"}
    found: list[Row] = StaticTable.from_metadata(f"s3://{latest}", properties).scan().to_arrow().to_pylist()
    return found


def local_folder(url: str) -> Path:
    return Path(url.removeprefix("file://").partition("?")[0]) / "zendesk_chat"


def _of_view(script: str, table: str) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(next(view for view in script.split(";\n") if f'VIEW "{table}" AS' in view))
        relation = connection.sql(f'SELECT * FROM "{table}"')
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
