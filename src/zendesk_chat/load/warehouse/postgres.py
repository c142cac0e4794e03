"""Postgres through dlt: rows arrive by COPY, and an advisory lock keeps a second sync out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dlt
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.postgres.factory import postgres as dlt_postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.sql_client import SqlClientBase

from zendesk_chat.load.warehouse.lock import Lock, Waiting

_LOCK_CLASS: Final = 2_053_206_884
"""The first of the two numbers of an advisory lock. Other programs use other numbers."""
_CHUNK_BYTES: Final = 2**16


class CopyJob(RunnableLoadJob, HasFollowupJobs):
    """Copies a CSV file in which quoted fields are values and empty unquoted fields are NULL.

    dlt's own job uses FORCE_NULL, which makes each empty string NULL.
    """

    _job_client: PostgresClient

    def run(self) -> None:
        """Copy the file in one transaction."""
        client = self._job_client.sql_client
        with Path(self._file_path).open("rb") as file:
            names = file.readline().decode().rstrip("\n").replace('"', "").split(",")
            columns = ", ".join(client.escape_column_name(name) for name in names)
            table = client.make_qualified_table_name(self.load_table_name)
            sql = f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '')"
            with client.begin_transaction(), client.native_connection.cursor() as cursor:
                cursor.copy_expert(sql, file, size=_CHUNK_BYTES)


class CopyingClient(PostgresClient):
    """dlt's client, with our copy job."""

    def create_load_job(
        self,
        table: PreparedTableSchema,
        file_path: str,
        load_id: str,
        restore: bool = False,  # noqa: FBT001, FBT002  dlt's signature
    ) -> LoadJob:
        """Return the job that loads a file."""
        if file_path.endswith(".csv"):
            return CopyJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)


class postgres(dlt_postgres):  # noqa: N801  dlt derives the destination's name from it
    """dlt's destination, with our client."""

    @property
    def client_class(self) -> type[PostgresClient]:
        """The class of the client."""
        return CopyingClient


@dataclass(frozen=True, slots=True)
class _AdvisoryLock:
    client: SqlClientBase[Any]

    def acquire(self) -> bool:
        sql = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
        rows = self.client.execute_sql(sql, _LOCK_CLASS, self.client.dataset_name)
        return bool(rows and rows[0][0])

    def check(self) -> None:
        """Use the connection. If it is lost, so is the lock."""
        self.client.execute_sql("SELECT 1")


@contextmanager
def advisory_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Take the lock of the schema, on a connection of its own. The server releases it when the connection ends."""
    with pipeline.sql_client() as client:
        lock = _AdvisoryLock(client)
        waiting.until(lock.acquire, where)
        yield lock
