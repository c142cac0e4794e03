"""Views over the loaded tables that answer what support teams measure: ``views.sql``, made in a DuckDB file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final, NamedTuple

import duckdb

_SCHEMA: Final = "analytics"
_COLUMN: Final = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_STATEMENT: Final = re.compile(r"^(?:-- (.+)\n)?(CREATE OR REPLACE (MACRO|VIEW) analytics\.(\w+)[^;]*;)$", re.MULTILINE)


class _Definition(NamedTuple):
    """A statement of ``views.sql``."""

    comment: str
    sql: str
    kind: str
    name: str


def create_views(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Make the views anew in the schema ``analytics``, each that the tables in ``main`` allow; returns their names.

    A view for which tables or columns are missing, or of another type than it needs, is not there afterwards. What else
    is in the schema stays, and a name that is taken there by something else than a view is left to it.

    Raises:
        duckdb.Error: The database cannot be written.
    """
    text = (files("zendesk_chat.analytics") / "views.sql").read_text("utf-8")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
    made = _make(connection, [_Definition(*found) for found in _STATEMENT.findall(text)])
    _comment(connection, made, dict(_COLUMN.findall(text)))
    return list(made)


def _make(connection: duckdb.DuckDBPyConnection, definitions: Iterable[_Definition]) -> dict[str, str]:
    """Make each by its first definition that is possible, drop those that are not; returns the comments of the views."""
    made: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for comment, sql, kind, name in definitions:
        if kind == "VIEW":
            wanted.setdefault(name, comment)
        if name not in made and _possible(connection, sql) and kind == "VIEW":
            made[name] = wanted[name]
    for name in wanted.keys() - made.keys():
        _possible(connection, f"DROP VIEW IF EXISTS {_SCHEMA}.{name}")
    return made


def _possible(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Execute, outside of any transaction, which a failure would end."""
    try:
        connection.execute(sql)
    except (duckdb.BinderException, duckdb.CatalogException):
        return False
    return True


def _comment(connection: duckdb.DuckDBPyConnection, views: dict[str, str], columns: dict[str, str]) -> None:
    """Attach what the views and their columns mean, for tools that show it."""
    connection.execute("".join(["BEGIN;", *_comments(connection, views, columns), "COMMIT"]))


def _comments(connection: duckdb.DuckDBPyConnection, views: dict[str, str], columns: dict[str, str]) -> Iterator[str]:
    found = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = ? AND database_name = current_database()",
        [_SCHEMA],
    ).fetchall()
    for name, comment in views.items():
        yield f"COMMENT ON VIEW {_SCHEMA}.{name} IS {_literal(comment)};"
    for view, column in found:
        if view in views:
            yield f'COMMENT ON COLUMN {_SCHEMA}.{view}."{column}" IS {_literal(columns[column])};'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
