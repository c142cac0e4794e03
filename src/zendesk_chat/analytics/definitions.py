"""The views in ``views.sql``, for the schemas of one account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

from zendesk_chat.tables.sql import literal, quoted

_COLUMN: Final = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_STATEMENT: Final = re.compile(r"^(?:-- (.+)\n)?(CREATE OR REPLACE (MACRO|VIEW) analytics\.(\w+)[^;]*;)$", re.MULTILINE)
_SCHEMA: Final = re.compile(r"\b(main|analytics)\.(?=(\w+))")
_MAIN: Final = "main"
RECORDS: Final = "_sync_views"
"""The table, in the schema of the loaded tables, that records what we created."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an object in the views' schema, in lower case, because DuckDB ignores case.

    A view and a macro may have the same name. A view and a table may not.
    """

    text: str
    is_macro: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A statement that creates a view or a macro.

    Attributes:
        sql: The statement, for the account's schemas.
        tables: The loaded tables that it reads.
        uses: The views and macros that it uses.
    """

    name: Name
    sql: str
    tables: frozenset[str]
    uses: frozenset[str]


@dataclass(frozen=True)  # without slots, for `cached_property`
class Definitions:
    """All views of an account.

    Attributes:
        schema: The schema of the account's tables.
        statements: In order: each uses only objects before it. If a view has several, the first that works counts.
        comments: What each view contains and what each macro returns, by name.
        columns: What each column contains, by name.
    """

    schema: str
    statements: tuple[Definition, ...]
    comments: dict[str, str]
    columns: dict[str, str]

    @property
    def views_schema(self) -> str:
        """The schema of the views."""
        return views_schema(self.schema)

    @property
    def records_table(self) -> str:
        """The table of records, as SQL writes it."""
        return f"{quoted(self.schema)}.{RECORDS}"

    @cached_property
    def names(self) -> frozenset[Name]:
        """The names of all views and macros."""
        return frozenset(statement.name for statement in self.statements)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The loaded tables that at least one view reads."""
        return frozenset().union(*(statement.tables for statement in self.statements))


def read_definitions(schema: str, time_zone: str, *, tables: str | None = None, views: str | None = None) -> Definitions:
    """Read the definitions of the views over the tables in ``schema``.

    Args:
        schema: The schema of the tables.
        time_zone: The stored time zone.
        tables: The qualified name, in SQL, of the schema of the tables; default: that of the default database.
        views: That of the schema of the views, likewise.
    """
    source = (files("zendesk_chat.analytics") / "views.sql").read_text("utf-8")
    names = {_MAIN: tables or quoted(schema), "analytics": views or quoted(views_schema(schema))}
    statements = []
    comments: dict[str, str] = {}
    for comment, sql, kind, name in _STATEMENT.findall(source):
        comments.setdefault(name, comment)
        mentioned = {kind: frozenset(name for found, name in _SCHEMA.findall(sql) if found == kind) for kind in names}
        written = _SCHEMA.sub(lambda match: f"{names[match[1]]}.", sql).replace("$time_zone", literal(time_zone))
        uses = mentioned["analytics"] - {name}
        statements.append(Definition(Name(name, kind == "MACRO"), written, mentioned[_MAIN], uses))
    return Definitions(schema, tuple(statements), comments, dict(_COLUMN.findall(source)))


def views_schema(schema: str) -> str:
    """Return the schema of the views over the tables in a schema.

    >>> views_schema("main"), views_schema("acme")
    ('analytics', 'acme_analytics')
    """
    return "analytics" if schema.lower() == _MAIN else f"{schema}_analytics"
