"""The lock of a DuckLake. dlt opens the catalog for each step, so that DuckDB's own lock does not keep a second sync out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

from zendesk_chat.load.warehouse.file_lock import FileLock
from zendesk_chat.load.warehouse.lock import Lock, Waiting
from zendesk_chat.load.warehouse.row_lock import row_lock


@contextmanager
def catalog_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Keep other syncs out of the catalog: by a file beside it, or by rows in it if it is on a server."""
    credentials = pipeline.sql_client().credentials
    if not isinstance(credentials, DuckLakeCredentials) or credentials.catalog.drivername not in ("duckdb", "sqlite"):
        with row_lock(pipeline, where, waiting) as rows:
            yield rows
        return
    lock = FileLock(Path(f"{credentials.catalog.database}.lock"))
    waiting.until(lock.acquire, where)
    try:
        yield lock
    finally:
        lock.release()
