"""SQL for DuckDB: quoted names and strings, queries, and transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class UncertainCommitError(duckdb.OperationalError):
    """A commit failed, and it is unknown whether it took effect."""


def quoted(*names: str) -> str:
    """Return a quoted name: ``quoted("acme", "chats")`` is ``"acme"."chats"``."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def rows_of(connection: DuckDBPyConnection, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query: DuckDB starts nothing else before a result is read to its end."""
    found: list[tuple[Any, ...]] = connection.execute(sql, values).fetchall()
    return found


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """Execute a block in a transaction, which is rolled back if the block or the commit fails.

    Raises:
        UncertainCommitError: The commit failed in a way that does not show whether it took effect.
    """
    connection.begin()
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # an error may have ended the transaction
            connection.rollback()
        raise
    try:
        connection.commit()
    except duckdb.TransactionException:
        raise
    except duckdb.Error as error:
        raise UncertainCommitError(str(error)) from error
