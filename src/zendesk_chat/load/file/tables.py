"""The tables of streams in a schema of the file. What a user created or changed there is reported, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.tables.describing import DUCKDB_TYPES, column_comments, table_comment
from zendesk_chat.tables.sql import literal, quoted, rows_of
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

STAGED: Final = "_sync_new_"
"""The prefix of tables that a full refresh fills."""


@dataclass(frozen=True, slots=True)
class Found:
    """A table or view in the schema. Names of objects and columns differ by more than case.

    Attributes:
        columns: DuckDB's type of each column, by name in lower case.
    """

    name: str
    is_view: bool
    columns: Mapping[str, str]


def find_tables(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, Found]:
    """Return the tables and views of a schema, by name in lower case."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = ? ORDER BY table_name, column_index",
        [schema],
    ).fetchall():
        columns.setdefault(table, {})[column.lower()] = kind
    views = connection.execute(
        "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?", [schema]
    ).fetchall()
    names = {name for (name,) in views}
    return {table.lower(): Found(table, table in names, found) for table, found in columns.items()}


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return the number of rows of a table; ``table`` is its qualified name in SQL."""
    ((count,),) = rows_of(connection, f"SELECT count(*) FROM {table}")
    return int(count)


def existing_schema(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return a schema's name as it is in the file, because DuckDB ignores case. An unknown name is returned unchanged."""
    found = rows_of(connection, "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()")
    return next((schema for (schema,) in found if schema.lower() == name.lower()), name)


def columns_of(table: StreamTable) -> dict[str, str]:
    """Return DuckDB's type of each column of a stream's table."""
    return {name: DUCKDB_TYPES[kind] for name, kind in table.columns.items()} | {EXTRA: "JSON", UNPARSED: "JSON"}


def make_table(connection: duckdb.DuckDBPyConnection, schema: str, name: str, table: StreamTable) -> None:
    """Create the table of a stream under a name, with comments for tools that show them."""
    columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns_of(table).items())
    described = comments(schema, name, table_comment(table), column_comments(table))
    connection.execute("; ".join([f"CREATE TABLE {quoted(schema, name)} ({columns})", *described]))


def require_own(schema: str, table: StreamTable, found: Found, *, made: bool) -> None:
    """Check that an object with the name of a stream is the table that an earlier run created.

    Raises:
        DestinationRefusedError: It is the user's own, or the user removed its key.
    """
    what = f"{schema}.{found.name}"
    missing = [name for name in (*table.primary_key, table.parent_field, EXTRA, UNPARSED) if name and name not in found.columns]
    if found.is_view or not made:
        raise not_ours(schema, found, table.name)
    if missing:
        raise DestinationRefusedError(
            f"The table {what} no longer has the column {missing[0]}. Drop or rename the table, then sync again. Sync loads it "
            "from the start.",
            stream=table.name,
        )


def not_ours(schema: str, found: Found, stream: str) -> DestinationRefusedError:
    """Return the error for an object of the user whose name sync needs for a stream."""
    kind = "a view" if found.is_view else "a table"
    return DestinationRefusedError(
        f"{schema}.{found.name} is {kind} that sync did not create. Rename it, or choose another schema with --schema NAME.",
        stream=stream,
    )


def fit_columns(connection: duckdb.DuckDBPyConnection, schema: str, table: StreamTable, found: Found) -> list[str]:
    """Give a table the columns and types that the stream needs. Return sentences about what existing rows lack.

    A text column is kept, because it takes any value: it contained hashes once, or the user created it. Only keys and times
    that are compared are changed back.

    Raises:
        DestinationRefusedError: The type of a column cannot be changed.
    """
    target = quoted(schema, found.name)
    compared = {*table.primary_key, table.parent_field, table.latest_by}
    lacking = []
    for name, kind in columns_of(table).items():
        has = found.columns.get(name.lower())
        if has is None:
            connection.execute(f"ALTER TABLE {target} ADD COLUMN {quoted(name)} {kind}")
            lacking.append(f"{schema}.{table.name} had no column {name}. sync added it. It is NULL in existing rows.")
        elif has != kind and (has != "VARCHAR" or name in compared):
            _change_type(connection, schema, found.name, name, has, kind)
            lacking.append(
                f"The column {name} of {schema}.{table.name} was {has}. sync changed it back to {kind}. Existing rows keep the "
                f"values that fit {has}."
            )
    return lacking


def _change_type(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str, has: str, wanted: str) -> None:
    what = f"The column {column} of {schema}.{table} is {has}, but sync needs {wanted}."
    indexes = connection.execute(
        "SELECT index_name FROM duckdb_indexes() "
        "WHERE database_name = current_database() AND schema_name = ? AND table_name = ? ORDER BY ALL",
        [schema, table],
    ).fetchall()
    if indexes:  # DuckDB cannot change a column of such a table
        raise DestinationRefusedError(f"{what} Drop the index {indexes[0][0]}, then sync again.", stream=table)
    try:
        connection.execute(f"ALTER TABLE {quoted(schema, table)} ALTER COLUMN {quoted(column)} TYPE {wanted}")
    except duckdb.Error:
        raise DestinationRefusedError(
            f"{what} Drop or rename the table, then sync again. Sync loads it from the start.", stream=table
        ) from None


def constraints_of(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    """Return the constraints and unique indexes that a user put on a table, in words."""
    where = "WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
    constraints = connection.execute(
        f"SELECT constraint_type, constraint_column_names FROM duckdb_constraints() {where}", [schema, table]
    ).fetchall()
    unique = connection.execute(f"SELECT index_name FROM duckdb_indexes() {where} AND is_unique", [schema, table]).fetchall()
    references = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_constraints() "
        "WHERE database_name = current_database() AND constraint_type = 'FOREIGN KEY' AND referenced_table = ?",
        [table],
    ).fetchall()
    return [
        *(f"the foreign key of {'.'.join(names)}" for names in references),
        *(f"{kind} on {', '.join(columns)}" for kind, columns in constraints),
        *(f"the index {name}" for (name,) in unique),
    ]


def comments(schema: str, name: str, table_comment: str, column_comments: Mapping[str, str]) -> Iterator[str]:
    """Yield the statements that describe a table and its columns, for tools that show comments."""
    target = quoted(schema, name)
    yield f"COMMENT ON TABLE {target} IS {literal(table_comment)}"
    for column, comment in column_comments.items():
        yield f"COMMENT ON COLUMN {target}.{quoted(column)} IS {literal(comment)}"
