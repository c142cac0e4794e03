"""Postgres through dlt: rows arrive by COPY."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg2
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema, TTableSchemaColumns
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration
from dlt.destinations.impl.postgres.factory import postgres as dlt_postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from zendesk_chat.load.warehouse.postgres_credentials import Configuration, Credentials

_CHUNK_BYTES: Final = 2**16


class _SqlClient(Psycopg2SqlClient):
    """dlt's client without its search path: all our names are qualified, and poolers refuse the option."""

    credentials: Credentials

    def open_connection(self) -> psycopg2.extensions.connection:
        """Open the connection, in which each statement is a transaction unless one begins."""
        self._conn = connection = self.credentials.connect()
        connection.autocommit = True
        return connection

    def make_qualified_table_name_path(
        self,
        table_name: str | None,
        quote: bool = True,  # noqa: FBT001, FBT002  dlt's signature
        casefold: bool = True,  # noqa: ARG002, FBT001, FBT002
        dataset_name: str | None = None,
        catalog: str | None = None,
    ) -> list[str]:
        """Keep the case of names, or the schemas Acme and acme would be one. The names of tables have no capitals."""
        return super().make_qualified_table_name_path(table_name, quote, False, dataset_name, catalog)  # noqa: FBT003


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
    """dlt's client, with our connection and our copy job."""

    def __init__(
        self, schema: Schema, config: PostgresClientConfiguration, capabilities: DestinationCapabilitiesContext
    ) -> None:
        super().__init__(schema, config, capabilities)
        names = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
        self.sql_client = _SqlClient(*names, config.credentials, capabilities)

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

    def drop_tables(self, *tables: str, delete_schema: bool = True) -> None:
        """Instead of dropping a table whose columns change their types, change them. All rows are replaced afterwards.

        Views on other columns, grants, indexes and the user's own columns stay.
        """
        if self.in_staging_dataset_mode:
            with suppress(DatabaseUndefinedRelation):  # dlt never created its own table there
                super().drop_tables(*tables, delete_schema=delete_schema)
            return
        with self.maybe_ddl_transaction():
            for name, stored in self.get_storage_tables(tables):
                changes = ", ".join(self._changed_types(name, stored))
                if changes:
                    self.sql_client.execute_sql(f"ALTER TABLE {self.sql_client.make_qualified_table_name(name)} {changes}")
            if delete_schema:
                self._delete_schema_in_storage(self.schema)

    def _changed_types(self, table: str, stored: TTableSchemaColumns) -> list[str]:
        prepared = self.prepare_load_table(table)
        changes: list[str] = []
        for name, column in self.schema.get_table_columns(table).items():
            if name in stored and stored[name]["data_type"] != column["data_type"]:
                kind = self.type_mapper.to_destination_type(column, prepared)
                quoted = self.sql_client.escape_column_name(name)
                changes.append(f"ALTER COLUMN {quoted} TYPE {kind} USING NULL")
        return changes


class postgres(dlt_postgres):  # noqa: N801  dlt derives the destination's name from it
    """dlt's destination, with our client."""

    spec = Configuration  # type: ignore[assignment]  # a subclass

    @property
    def client_class(self) -> type[PostgresClient]:
        """The class of the client."""
        return CopyingClient
