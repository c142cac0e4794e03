"""Macros and types in a file that have the names of DuckDB's own, and hide them from this program's SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from zendesk_chat.errors import DestinationError, DestinationRefusedError
from zendesk_chat.tables.sql import rows_of

# Qualified, because they could be hidden themselves. DuckDB searches the file's schema main before its own.
_HIDING = """
    SELECT DISTINCT function_name, 'macro' FROM system.main.duckdb_functions()
    WHERE NOT internal AND database_name = $file AND schema_name = 'main'
    AND function_name IN (SELECT function_name FROM system.main.duckdb_functions() WHERE internal)
    UNION ALL
    SELECT type_name, 'type' FROM system.main.duckdb_types()
    WHERE NOT internal AND database_name = $file AND schema_name = 'main'
    AND system.main.lower(type_name) IN (SELECT system.main.lower(type_name) FROM system.main.duckdb_types() WHERE internal)
    ORDER BY ALL
"""


@contextmanager
def naming_shadows(connection: duckdb.DuckDBPyConnection, database: str) -> Iterator[None]:
    """If DuckDB rejects a statement in the block, name the user's macros and types that may be the cause.

    Looking for them takes a twentieth of a second, so only a failed run does it.

    Args:
        connection: The connection to the file.
        database: The name of the file in SQL.

    Raises:
        DestinationRefusedError: There are such macros or types. It replaces the block's own error.
    """
    try:
        yield
    except (DestinationError, ValueError) as error:  # a macro may have returned something that the query did not expect
        by_duckdb = isinstance(error, ValueError) or isinstance(error.__cause__, duckdb.Error)
        if by_duckdb and (hiding := _hiding(connection, database)):
            raise DestinationRefusedError(
                f"DuckDB uses the {', the '.join(f'{kind} main.{name}' for name, kind in hiding)} of this file instead of its "
                "own. Drop or rename it, then sync again."
            ) from error
        raise


def _hiding(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    with suppress(duckdb.Error):
        return [(name, kind) for name, kind in rows_of(connection, _HIDING.replace("$file", f"'{database}'"))]
    return []
