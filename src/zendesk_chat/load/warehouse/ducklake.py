"""The lock of a DuckLake. dlt opens the catalog for each step, so that DuckDB's own lock does not keep a second sync out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dlt
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

from zendesk_chat.load.warehouse.file_lock import FileLock
from zendesk_chat.load.warehouse.lock import Lock, NoLock, Waiting


@contextmanager
def catalog_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Keep other syncs out of a catalog that is a file. For a catalog on a server there is no lock."""
    credentials = pipeline.sql_client().credentials
    if not isinstance(credentials, DuckLakeCredentials) or credentials.catalog.drivername not in ("duckdb", "sqlite"):
        yield NoLock()
        return
    lock = FileLock(Path(f"{credentials.catalog.database}.lock"))
    waiting.until(lock.acquire, where)
    try:
        yield NoLock()
    finally:
        lock.release()
