"""Indexes and comments of our tables in Postgres. They never stop a sync: without one, it is created by a later run.

An index has a name of its own, by which a later run finds it: ``chats_id_key`` is unique, ``chats_update_timestamp_idx`` is
not. If a key is too long for these, its column gets ``chats_id_hash`` instead, which accepts any string.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import psycopg2

from zendesk_chat.tables.describing import column_comments, table_comment
from zendesk_chat.tables.sql import literal, quoted

if TYPE_CHECKING:
    import dlt
    from dlt.destinations.sql_client import SqlClientBase

    from zendesk_chat.tables.table import StreamTable

_LONGEST_KEY: Final = 2_600
"""Bytes. The limit of a B-tree is 2,704 for a complete entry."""
_LOCK_TIMEOUT: Final = "SET lock_timeout = '5s'"


def accept_long_keys(pipeline: dlt.Pipeline, tables: Sequence[tuple[StreamTable, int]]) -> None:
    """Replace the indexes that would refuse a key of so many bytes."""
    affected = [table for table, longest in tables if longest > _LONGEST_KEY]
    if not affected:
        return
    with pipeline.sql_client() as client:
        for table in affected:
            stored = client.execute_sql("SELECT to_regclass(%s)", client.make_qualified_table_name(table.name))
            existing = _indexes(client)
            for column in _text_keys(table):
                for suffix in ("key", "idx"):
                    for name in _names(table, column, suffix):
                        if existing.get(name) == table.name:
                            client.execute_sql(f"DROP INDEX IF EXISTS {quoted(client.dataset_name, name)}")
                if stored and stored[0][0]:
                    client.execute_sql(_hash_index(client, table, column))


def create_indexes_and_comments(pipeline: dlt.Pipeline, tables: Sequence[StreamTable]) -> list[str]:
    """Create what these tables lack. Return what the user should know."""
    warnings: list[str] = []
    try:
        with pipeline.sql_client() as client:
            client.execute_sql(_LOCK_TIMEOUT)
            existing = _indexes(client)
            commented = _comments(client)
            for table in tables:
                warnings += _create_indexes(client, table, existing)
                _attempt(client, "; ".join(_missing_comments(client, table, commented)))
    except psycopg2.Error:
        return warnings  # the rows are there
    return warnings


def _create_indexes(client: SqlClientBase[Any], table: StreamTable, existing: Mapping[str, str]) -> list[str]:
    for column, unique in _indexed(table).items():
        names = _names(table, column, "key" if unique else "idx")
        if any(existing.get(name) == table.name for name in (*names, f"{table.name}_{column}_hash")):
            continue
        name = next((name for name in names if name not in existing), names[-1])
        kind = "UNIQUE INDEX" if unique else "INDEX"
        where = client.make_qualified_table_name(table.name)
        error = _attempt(client, f"CREATE {kind} IF NOT EXISTS {quoted(name)} ON {where} ({quoted(column)})")
        code = getattr(error, "pgcode", None)
        if code == "54000":
            _attempt(client, _hash_index(client, table, column))
        if code == "23505":
            message = f"The table {table.name} has several rows with the same {column}. To load each record once, add "
            return [f"{message}--full-refresh --streams {table.name}."]
    return []


def _indexed(table: StreamTable) -> dict[str, bool]:
    """Return the columns to index, and whether each is unique. The key of a table is one column."""
    columns = dict.fromkeys(filter(None, [table.parent_field, table.cursor_field]), False)
    return columns | dict.fromkeys(table.primary_key[:1], True)


def _text_keys(table: StreamTable) -> list[str]:
    return [name for name in _indexed(table) if table.columns[name] == "text"]


def _hash_index(client: SqlClientBase[Any], table: StreamTable, column: str) -> str:
    where, name = client.make_qualified_table_name(table.name), f"{table.name}_{column}_hash"
    return f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {where} USING hash ({quoted(column)})"


def _names(table: StreamTable, column: str, suffix: str) -> tuple[str, str]:
    """Return the name of an index, and another one: a table that the user renamed keeps its indexes with their names."""
    return f"{table.name}_{column}_{suffix}", f"{table.name}_{column}_{suffix}_2"


def _indexes(client: SqlClientBase[Any]) -> dict[str, str]:
    """Return the table of each index, by its name."""
    rows = client.execute_sql("SELECT indexname, tablename FROM pg_indexes WHERE schemaname = %s", client.dataset_name)
    return {str(name): str(table) for name, table in rows or ()}


def _comments(client: SqlClientBase[Any]) -> set[tuple[str, str]]:
    """Return the tables and columns that have a comment: ours, or one of the user."""
    rows = client.execute_sql(
        "SELECT c.relname, coalesce(a.attname, '') FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0 "
        "WHERE n.nspname = %s AND d.classoid = 'pg_class'::regclass",
        client.dataset_name,
    )
    return {(str(table), str(column)) for table, column in rows or ()}


def _missing_comments(client: SqlClientBase[Any], table: StreamTable, existing: set[tuple[str, str]]) -> Iterator[str]:
    name = client.make_qualified_table_name(table.name)
    comments = {"": table_comment(table), **column_comments(table)}
    missing = {column: comment for column, comment in comments.items() if comment and (table.name, column) not in existing}
    for column, comment in missing.items():
        what = f"COLUMN {name}.{quoted(column)}" if column else f"TABLE {name}"
        yield f"COMMENT ON {what} IS {literal(comment)}"


def _attempt(client: SqlClientBase[Any], sql: str) -> Exception | None:
    """Execute a statement, and return the driver's error if it fails."""
    if not sql:
        return None
    try:
        with client.native_connection.cursor() as cursor:
            cursor.execute(sql)
    except psycopg2.Error as error:
        return error
    return None
