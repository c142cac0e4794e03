"""dlt's SQLAlchemy destination, which passes rows from Arrow to the driver without a dictionary for each."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.sqlalchemy.factory import sqlalchemy as dlt_sqlalchemy
from dlt.destinations.impl.sqlalchemy.load_jobs import SqlalchemyParquetInsertJob
from dlt.destinations.impl.sqlalchemy.sqlalchemy_job_client import SqlalchemyJobClient
from sqlalchemy.exc import SAWarning

if TYPE_CHECKING:
    from dlt.common.schema import TTableSchemaColumns
    from sqlalchemy.engine import Connection

_ROWS: Final = 1000
"""How many rows are Python objects at the same time."""
_PLACEHOLDERS: Final = {"qmark": "?", "format": "%s", "pyformat": "%s"}


class InsertJob(SqlalchemyParquetInsertJob):
    """Inserts the rows of a Parquet file in one transaction."""

    def run(self) -> None:
        """Insert the rows."""
        client = self._job_client.sql_client
        placeholder = _PLACEHOLDERS[client.dialect.paramstyle]
        with pq.ParquetFile(self._file_path) as file, client.begin_transaction():
            names = ", ".join(client.escape_column_name(name) for name in file.schema_arrow.names)
            values = ", ".join([placeholder] * len(file.schema_arrow.names))
            table = client.make_qualified_table_name(self.load_table_name)
            insert = f"INSERT INTO {table} ({names}) VALUES ({values})"
            connection: Connection = client.native_connection
            for batch in file.iter_batches(_ROWS):
                if batch.num_rows:
                    connection.exec_driver_sql(insert, _rows(batch))


class InsertingClient(SqlalchemyJobClient):
    """dlt's client, with our job."""

    def get_storage_tables(self, table_names: Iterable[str]) -> Iterator[tuple[str, TTableSchemaColumns]]:
        """Return the names of the columns, without types: a column of the user may have one that dlt does not know."""
        for name in table_names:
            table = self.sql_client.reflect_table(name, sa.MetaData())
            yield name, {column.name: {"name": column.name} for column in table.columns} if table is not None else {}

    def create_load_job(
        self,
        table: PreparedTableSchema,
        file_path: str,
        load_id: str,
        restore: bool = False,  # noqa: FBT001, FBT002  dlt's signature
    ) -> LoadJob:
        """Return the job that loads a file."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return InsertJob(file_path, job.table) if isinstance(job, SqlalchemyParquetInsertJob) else job


class sqlalchemy(dlt_sqlalchemy):  # noqa: N801  dlt derives the destination's name from it
    """dlt's destination, with our client."""

    @property
    def client_class(self) -> type[SqlalchemyJobClient]:
        """The class of the client."""
        return InsertingClient


@contextmanager
def quiet() -> Iterator[None]:
    """Do not print SQLAlchemy's warnings, such as one about the type of a column that the user has added."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


def _rows(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    return list(zip(*(_values(column) for column in batch.columns), strict=True))


def _values(column: pa.Array[Any]) -> list[Any]:
    """Return the values as the driver takes them. A time is a string in UTC, as in ``2026-01-01 09:30:00.000000``."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us")).cast(pa.string())
    return column.to_pylist()
