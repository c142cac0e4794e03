"""What hides a part of DuckDB from the SQL of this program: macros and types in a file with the names of DuckDB's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from zendesk_chat.errors import DestinationError, DestinationRefusedError
from zendesk_chat.tables.sql import rows_of

# Qualified, because they could be hidden themselves. The schema main of the file comes before DuckDB's own in each search.
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
    """If DuckDB refuses a statement in the block, name the user's macros and types that may be the cause.

    To look for them takes a twentieth of a second, so no run does it that succeeds.

    Args:
        connection: Of the file.
        database: The name of the file in SQL.

    Raises:
        DestinationRefusedError: In place of the block's own, if there are such macros or types.
    """
    try:
        yield
    except (DestinationError, ValueError) as error:  # or what a macro returned is not what the query asked for
        by_duckdb = isinstance(error, ValueError) or isinstance(error.__cause__, duckdb.Error)
        if by_duckdb and (hiding := _hiding(connection, database)):
            raise DestinationRefusedError(
                f"DuckDB finds the {', the '.join(f'{kind} main.{name}' for name, kind in hiding)} of this file in place of "
                "its own. Drop or rename it, then sync again."
            ) from error
        raise


def _hiding(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    with suppress(duckdb.Error):
        return [(name, kind) for name, kind in rows_of(connection, _HIDING.replace("$file", f"'{database}'"))]
    return []
