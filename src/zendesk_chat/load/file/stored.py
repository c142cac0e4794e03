"""A DuckDB file that ``sync`` filled, opened for reading.

It imports neither dlt nor Arrow, so that a short command starts immediately.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from zendesk_chat.errors import ConfigError, DestinationRefusedError
from zendesk_chat.load.destination import is_loaded_folder, is_sqlite_file
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.opening import open_read_only
from zendesk_chat.load.file.system import states_are_missing
from zendesk_chat.load.warehouse.address import scheme_of
from zendesk_chat.tables.sql import literal, quoted

_SCHEME: Final = "duckdb:///"


@dataclass(frozen=True, slots=True)
class Stored:
    """One account in an open file.

    Attributes:
        path: The file, as the user wrote it.
        schema: The schema of the account's tables.
    """

    connection: duckdb.DuckDBPyConnection
    path: str
    schema: str

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with explained(f"reading {self.path}"):
            return self.connection.execute(sql, parameters).fetchall()

    def dicts(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query as dictionaries by column name."""
        with explained(f"reading {self.path}"):
            result = self.connection.execute(sql, parameters)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def counts(self, names: Collection[str]) -> dict[str, int]:
        """Return the number of rows in each of these tables that exists."""
        sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?"
        found = {name for (name,) in self.rows(sql, [self.schema])} & set(names)
        each = [f"SELECT {literal(name)}, count(*) FROM {self.table(name)}" for name in sorted(found)]
        return dict(self.rows(" UNION ALL ".join(each))) if each else {}

    def table(self, name: str) -> str:
        """Return the name of one of the account's tables for SQL."""
        return quoted(self.schema, name)

    def column_types(self, name: str) -> dict[str, str]:
        """Return the DuckDB type of each column of a table, by name and in order; empty if there is no such table."""
        sql = """
            SELECT column_name, data_type FROM duckdb_columns()
            WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY column_index
        """
        return dict(self.rows(sql, [self.schema, name]))


def stored_file(text: str, command: str) -> str:
    """Return the path of a DuckDB file from a path or a URL of ``sync --to``.

    Raises:
        ConfigError: The URL is for something else.
        DestinationRefusedError: There is no such file.
    """
    path = text.removeprefix(_SCHEME)
    check_is_file(path, command)
    if is_sqlite_file(path):
        raise ConfigError(f"{path} is an SQLite file, and {_only_duckdb(command)}")
    if Path(path).is_dir():
        contains = "contains files that `sync` loaded" if is_loaded_folder(path) else "is a directory"
        raise ConfigError(f"{path} {contains}, and {_only_duckdb(command)}")
    if not Path(path).is_file():
        what = "is not a file" if Path(path).exists() else "does not exist"
        raise DestinationRefusedError(f"{path} {what}. Create it with `zendesk-chat sync`.")
    return path


def check_is_file(path: str, command: str) -> None:
    """Raise ConfigError if this is no path, but the URL of another destination."""
    if scheme_of(path) not in ("", "duckdb"):
        raise ConfigError(_only_duckdb(command))
    if not path or "://" in path:
        raise ConfigError(f"`{command}` reads only DuckDB files. Pass a path, or a URL such as duckdb:///chats.duckdb.")


def _only_duckdb(command: str) -> str:
    return f"`{command}` reads only DuckDB files. Query other destinations with SQL."


@contextmanager
def open_stored(path: str, schema: str) -> Iterator[Stored]:
    """Open a file to read one account in it.

    Raises:
        DestinationError: Another program has the file open, or it cannot be read.
        DestinationRefusedError: It is not a DuckDB file, or ``sync`` has not written to this schema of it.
    """
    with open_read_only(path) as connection:
        with explained(f"reading {path}"):
            _require_sync(connection, path, schema)
        yield Stored(connection, path, schema)


def _require_sync(connection: duckdb.DuckDBPyConnection, path: str, schema: str) -> None:
    sql = "SELECT schema_name FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ?"
    schemas = sorted(name for (name,) in connection.execute(sql, ["_sync_account"]).fetchall())
    if schema in schemas:
        if (schema,) not in connection.execute(sql, ["_sync_streams"]).fetchall():
            raise states_are_missing(schema)
        return
    if schemas:
        hint = f"`sync` has written to: {', '.join(schemas)}. Choose one with --schema."
    else:
        hint = "`sync` has not written to this file yet."
    raise DestinationRefusedError(f"{path} contains no synced data in the schema {schema}. {hint}")
