"""What a DuckDB file contains before its views are created: tables, objects with the names of views, and which are ours.

The table ``_sync_views`` records each view and macro that we created, with its SQL as DuckDB shows it. The record with an empty
name describes all of them: their comments, and a digest of everything that their creation depended on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

import duckdb

from zendesk_chat.analytics.definitions import RECORDS, Definitions, Name

_IN_SCHEMA: Final = "database_name = current_database() AND lower(schema_name) = lower($schema)"
_OBJECTS: Final = f"""
    SELECT lower(view_name), false, 'view', sql, comment
    FROM duckdb_views()
    WHERE NOT internal AND {_IN_SCHEMA}
    UNION ALL
    SELECT lower(table_name), false, 'table', sql, comment
    FROM duckdb_tables()
    WHERE {_IN_SCHEMA}
    UNION ALL
    SELECT
        lower(function_name),
        true,
        'macro',
        string_agg(CAST(parameters AS VARCHAR) || ' AS ' || macro_definition, '; ' ORDER BY len(parameters)),
        any_value(comment)
    FROM duckdb_functions()
    WHERE function_type = 'macro' AND NOT internal AND {_IN_SCHEMA}
    GROUP BY lower(function_name)
    ORDER BY ALL
"""
_COLUMNS: Final = f"""
    SELECT lower(table_name), lower(column_name), data_type
    FROM duckdb_columns()
    WHERE {_IN_SCHEMA}
    ORDER BY ALL
"""
# DuckDB writes a definition differently when it is new and after the file was opened again.
_UNSTABLE: Final = re.compile(r'[\s()_"]')


@dataclass(frozen=True, slots=True)
class Found:
    """An object in the views' schema: a view, table or macro, and its definition as DuckDB writes it."""

    name: Name
    kind: str
    sql: str
    comment: str | None


@dataclass(frozen=True)  # without slots, for `cached_property`
class Catalog:
    """The part of a file that its views depend on.

    Attributes:
        columns: Table, name and type of each column in the tables that views read.
        objects: The objects in the views' schema that have the name of a view, and our objects that no longer have one.
        records: The recorded SQL of our objects, by name.
        comments: The recorded comments of our objects, by name.
        created_from: The digest of the last creation; empty if there was none.
    """

    columns: tuple[tuple[str, str, str], ...]
    objects: tuple[Found, ...]
    records: dict[str, str]
    comments: dict[str, str]
    created_from: str

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, definitions: Definitions) -> Self:
        """Read the catalog of the default database."""
        columns = connection.execute(_COLUMNS, {"schema": definitions.schema}).fetchall()
        objects = connection.execute(_OBJECTS, {"schema": definitions.views_schema}).fetchall()
        records: dict[str, str] = {}
        if any(table == RECORDS for table, _, _ in columns):
            records = dict(connection.execute(f"SELECT view, sql FROM {definitions.records_table}").fetchall())
        last = _parsed(records.pop("", ""))
        catalog = cls(
            tuple((table, column, kind) for table, column, kind in columns if table in definitions.tables),
            tuple(Found(Name(name, is_macro), kind, sql, comment) for name, is_macro, kind, sql, comment in objects),
            records,
            last.get("comments", {}),
            last.get("digest", ""),
        )
        relevant = (found for found in catalog.objects if found.name in definitions.names or catalog._is_ours(found))
        return replace(catalog, objects=tuple(relevant))

    @property
    def tables(self) -> frozenset[str]:
        """The loaded tables that exist, among those that views read."""
        return frozenset(table for table, _, _ in self.columns)

    @cached_property
    def foreign(self) -> tuple[Found, ...]:
        """The user's objects with the name of a view: those that we did not create, or that somebody has replaced."""
        return tuple(found for found in self.objects if not self._is_ours(found))

    def _is_ours(self, found: Found) -> bool:
        """Return whether an object is as recorded.

        Either its SQL or its comment is enough: another version of DuckDB may write the same SQL differently, and an object
        loses its comment when it is replaced.
        """
        sql, comment = self.records.get(found.name.text), self.comments.get(found.name.text)
        same_comment = comment is not None and found.comment == comment
        return sql is not None and found.kind != "table" and (_stable(found.sql) == _stable(sql) or same_comment)

    def digest(self, definitions: Definitions) -> str:
        """Return a digest of the definitions, the tables and the objects. While it is the same, all views are up to date."""
        wanted = [definition.sql for definition in definitions.statements], definitions.comments, definitions.columns
        objects = [(found.name, found.kind, _stable(found.sql) if found in self.foreign else "") for found in self.objects]
        return hashlib.sha256(repr((wanted, self.columns, objects)).encode()).hexdigest()

    def after_creation(self, definitions: Definitions, created: Collection[Name]) -> dict[str, str]:
        """Return the records, by name, of a creation of these views that resulted in this file."""
        ours = [found for found in self.objects if found.name in created]
        records = {found.name.text: found.sql for found in ours}
        comments = {found.name.text: found.comment for found in ours if found.comment is not None}
        digest = replace(self, records=records, comments=comments).digest(definitions)
        return records | {"": json.dumps({"digest": digest, "comments": comments})}


def _parsed(text: str) -> dict[str, Any]:
    """Return the record of the last creation, or nothing if somebody has changed it."""
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError):
        return {}


def _stable(sql: str) -> str:
    return _UNSTABLE.sub("", sql)
