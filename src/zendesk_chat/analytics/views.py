"""Reporting views over the loaded tables: creates those of ``views.sql`` in a DuckDB file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Final

import duckdb

_COLUMN: Final = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_STATEMENT: Final = re.compile(r"^(?:-- (.+)\n)?(CREATE OR REPLACE (MACRO|VIEW) analytics\.(\w+)[^;]*;)$", re.MULTILINE)


def create_views(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Create or replace the views in the schema ``analytics``, and return their names.

    A view is dropped if tables or columns that it needs are missing or of another type. Everything else in the schema stays,
    including a table with the name of a view.

    Raises:
        duckdb.Error: The database cannot be written.
    """
    source = (files("zendesk_chat.analytics") / "views.sql").read_text("utf-8")
    connection.execute("CREATE SCHEMA IF NOT EXISTS analytics")
    made = _make(connection, _STATEMENT.findall(source))
    # Tools that read the file show these comments.
    connection.execute("".join(["BEGIN;", *_comments(connection, made, dict(_COLUMN.findall(source))), "COMMIT"]))
    return list(made)


def _make(connection: duckdb.DuckDBPyConnection, statements: Iterable[tuple[str, str, str, str]]) -> dict[str, str]:
    """Create each view by its first definition that works, and drop the others. Returns the comments of the views by name."""
    made: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for comment, sql, kind, name in statements:
        if kind == "VIEW":
            wanted.setdefault(name, comment)
        if name not in made and _works(connection, sql) and name in wanted:
            made[name] = wanted[name]
    for name in wanted.keys() - made.keys():
        _works(connection, f"DROP VIEW IF EXISTS analytics.{name}")
    return made


def _works(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Execute a statement outside of any transaction, which a failure would abort. Returns whether it succeeded."""
    try:
        connection.execute(sql)
    except (duckdb.BinderException, duckdb.CatalogException):
        return False
    return True


def _comments(connection: duckdb.DuckDBPyConnection, views: Mapping[str, str], columns: Mapping[str, str]) -> Iterator[str]:
    """Yield the statements that store the comments of the views and their columns."""
    found = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name = 'analytics' AND database_name = current_database()"
    ).fetchall()
    for name, comment in views.items():
        yield f"COMMENT ON VIEW analytics.{name} IS {_literal(comment)};"
    for view, column in found:
        if view in views:
            yield f'COMMENT ON COLUMN analytics.{view}."{column}" IS {_literal(columns[column])};'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
