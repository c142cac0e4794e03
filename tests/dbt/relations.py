"""Rows of views and models in a form that is equal for DuckDB and Postgres."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import duckdb

from tests.dbt.postgres import Database

Rows = list[tuple[Any, ...]]


def _text(text: str) -> str:
    """Return a string; if it contains a JSON object or array, without the differences between JSON and jsonb."""
    if not text.startswith(("{", "[")):
        return text
    return json.dumps(json.loads(text, parse_int=float), sort_keys=True)


def _list(text: str) -> list[str]:
    return [_text(element) for element in json.loads(text)]


_PARSED: Final[dict[str, Callable[[str], Any]]] = {
    "BIGINT": int,
    "INTEGER": int,
    "DOUBLE": float,
    "HUGEINT": int,
    "TIMESTAMP WITH TIME ZONE": int,
    "TIMESTAMP": int,
    "JSON": _text,
    "VARCHAR": _text,
    "VARCHAR[]": _list,
    "BOOLEAN": {"true": True, "false": False}.__getitem__,
}


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return DuckDB's type of each column of a view or table."""
    return {column[0]: column[1] for column in connection.execute(f"DESCRIBE {relation}").fetchall()}


def duckdb_rows(connection: duckdb.DuckDBPyConnection, relation: str, columns: dict[str, str]) -> Rows:
    """Return the rows of a relation in a DuckDB file, in order."""
    formats = {"TIMESTAMP WITH TIME ZONE": "epoch_us({})", "TIMESTAMP": "epoch_us({})", "VARCHAR[]": "to_json({})"}
    selected = ", ".join(f"CAST({formats.get(kind, '{}').format(name)} AS VARCHAR)" for name, kind in columns.items())
    return _in_order(connection.execute(f"SELECT {selected} FROM {relation}").fetchall(), columns)


def postgres_rows(database: Database, relation: str, columns: dict[str, str]) -> Rows:
    """Return the rows of a relation in Postgres, in order. The types are those of the view in DuckDB."""
    since_1970 = "CAST(extract(epoch FROM {}) * 1000000 AS bigint)"
    formats = {"TIMESTAMP WITH TIME ZONE": since_1970, "TIMESTAMP": since_1970, "VARCHAR[]": "to_jsonb({})"}
    selected = ", ".join(f"CAST({formats.get(kind, '{}').format(name)} AS text)" for name, kind in columns.items())
    return _in_order(database.rows(f"SELECT {selected} FROM {relation}"), columns)


def _in_order(rows: list[tuple[str | None, ...]], columns: dict[str, str]) -> Rows:
    kinds = [_PARSED.get(kind, str) for kind in columns.values()]
    parsed = [tuple(kind(value) if value is not None else None for kind, value in zip(kinds, row, strict=True)) for row in rows]
    return sorted(parsed, key=lambda row: [(value is not None, str(value)) for value in row])
