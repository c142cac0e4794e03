"""Creates the views beside a file instead of in it, to compute measures of a file that is opened read-only.

They are always those of this version of ``views.sql``, whatever somebody dropped, replaced or has not created yet in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from zendesk_chat.analytics.definitions import Definition, read_definitions
from zendesk_chat.tables.sql import quoted, rows_of

VIEWS: Final = '"memory"."measures"'
"""The schema of the views in SQL. It is in the connection's own database, which every connection has."""

_STORED: Final = frozenset({"chat_facts", "engagement_facts", "conversion_facts", "agent_hours"})
"""Views that others read again and again: they become tables, so that JSON columns are parsed once."""
_VIEW: Final = "CREATE OR REPLACE VIEW"
_TABLE: Final = "CREATE OR REPLACE TABLE"


def create_in_memory(
    connection: duckdb.DuckDBPyConnection, schema: str, time_zone: str, wanted: frozenset[str]
) -> frozenset[str]:
    """Create views over the tables in ``schema`` of the default database, in the schema ``VIEWS``.

    Args:
        connection: A connection to the file.
        schema: The schema of the tables.
        time_zone: For days and hours.
        wanted: The names of the views. Those that they use are created too.

    Returns:
        The names of the views that could be created: the tables and columns that they need are there.

    Raises:
        duckdb.Error: The file cannot be read.
    """
    ((database,),) = rows_of(connection, "SELECT current_database()")
    connection.execute(f"CREATE SCHEMA {VIEWS}")
    found = rows_of(
        connection,
        "SELECT lower(table_name) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?",
        [schema],
    )
    tables = {name for (name,) in found}
    created: set[str] = set()
    definitions = read_definitions(schema, time_zone, tables=quoted(database, schema), views=VIEWS).statements
    needed = _with_used(definitions, wanted)
    for definition in definitions:
        name = definition.name.text
        possible = definition.tables <= tables and definition.uses <= created
        if name not in needed or name in created or not possible:
            continue
        try:
            connection.execute(definition.sql.replace(_VIEW, _TABLE) if name in _STORED else definition.sql)
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException):
            continue  # a column is missing or of another type; the next definition of this name may work without it
        created.add(name)
    return frozenset(created)


def _with_used(definitions: Sequence[Definition], wanted: frozenset[str]) -> set[str]:
    """Return the names of these views and of all views and macros that they use. Each uses only those before it."""
    needed = set(wanted)
    for definition in reversed(definitions):
        if definition.name.text in needed:
            needed |= definition.uses
    return needed
