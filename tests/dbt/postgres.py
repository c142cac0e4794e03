"""Databases of Postgres with the tables of a DuckDB file. They sort strings as people do, not by code as DuckDB does."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import psycopg2

from tests.destinations.servers.postgres import Postgres

_TYPES: Final = {"VARCHAR": "text", "DOUBLE": "double precision", "JSON": "jsonb"}


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a server."""

    server: Postgres
    name: str

    @property
    def url(self) -> str:
        """The URL for ``sync --to``."""
        return self.server.url(self.name)

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        """Return the rows of a query whose columns are strings."""
        return self.server.execute(sql, database=self.name)

    def run(self, sql: str) -> None:
        """Execute statements."""
        self.server.execute(sql, database=self.name)

    def copy_tables(self, source: duckdb.DuckDBPyConnection, folder: Path, *, json: str = "jsonb") -> None:
        """Copy the tables of streams from the schema main of a DuckDB file into a schema of that name."""
        source.execute("SET TimeZone = 'UTC'")
        self.run("CREATE SCHEMA main")
        tables = source.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT starts_with(table_name, '_')"
        ).fetchall()
        for (table,) in tables:
            columns = source.execute(f'DESCRIBE main."{table}"').fetchall()
            types = _TYPES | {"JSON": json}
            listed = ", ".join(f'"{column[0]}" {types.get(column[1], column[1])}' for column in columns)
            file = folder / f"{self.name}-{table}.csv"
            source.execute(f"COPY main.\"{table}\" TO '{file}' (HEADER, FORCE_QUOTE *, NULLSTR '\\N')")
            self.run(f'CREATE TABLE main."{table}" ({listed})')
            with (
                closing(psycopg2.connect(self.url)) as connection,
                connection,
                connection.cursor() as cursor,
                file.open() as rows,
            ):
                cursor.copy_expert(f"COPY main.\"{table}\" FROM STDIN (FORMAT csv, HEADER, NULL '\\N')", rows)


def create_database(server: Postgres, name: str) -> Database:
    """Create an empty database in another time zone, with the order of English. An earlier one of the name is dropped."""
    server.execute(f'DROP DATABASE IF EXISTS "{name}"')
    server.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    server.execute(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'")
    return Database(server, name)
