"""Keeps other syncs out of a schema of Postgres, and checks permissions before anything is read from the account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg2

from zendesk_chat.errors import DestinationError, DestinationRefusedError
from zendesk_chat.load.failures import explained
from zendesk_chat.load.warehouse.lock import Lock, Waiting

if TYPE_CHECKING:
    import dlt
    from dlt.destinations.sql_client import SqlClientBase

_LOCK_CLASS: Final = 2_053_206_884
"""The first of the two numbers of an advisory lock. Other programs use other numbers."""
_LONGEST_NAME: Final = 63  # Postgres cuts longer ones, and two could become one
_STATES: Final = "_dlt_pipeline_state"


class AdvisoryLock:
    """A lock that lasts as long as a transaction.

    A pooler such as PgBouncer keeps the connection of a transaction, while a lock of the session would stay with a connection
    that it gives to somebody else.
    """

    def __init__(self, pipeline: dlt.Pipeline, client: SqlClientBase[Any], where: str) -> None:
        """Prepare a lock that nobody has yet. ``where`` is the schema, for messages."""
        self._pipeline = pipeline
        self._client = client
        self._where = where

    def acquire(self) -> bool:
        """Return whether the lock is ours now."""
        client = self._client
        client.execute_sql("BEGIN")
        client.execute_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        rows = client.execute_sql("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", _LOCK_CLASS, client.dataset_name)
        acquired = bool(rows and rows[0][0])
        if not acquired:
            client.execute_sql("ROLLBACK")
        return acquired

    def check(self) -> None:
        """Use the connection. If it is lost, so is the lock: take it again, if no other sync has loaded in between.

        Raises:
            DestinationError: Another sync has loaded, or is loading.
        """
        try:
            with self._client.native_connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error:
            self._take_again()

    def _take_again(self) -> None:
        with suppress(psycopg2.Error):
            self._client.close_connection()
        with explained("connecting to the database again"):
            self._client.open_connection()
            if self._is_unchanged() and self.acquire() and self._is_unchanged():
                return
        raise DestinationError(
            f"The connection to the database broke, and another sync loads into {self._where}. Run the sync again."
        )

    def _is_unchanged(self) -> bool:
        """Return whether the newest state in the database is the one that this run has read or written."""
        table = self._client.make_qualified_table_name(_STATES)
        with self._client.native_connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NULL", (table,))
            if cursor.fetchall() == [(True,)]:
                return True
            newest = f"SELECT max(version) FROM {table} WHERE pipeline_name = %s"
            cursor.execute(newest, (self._pipeline.pipeline_name,))
            (version,) = cursor.fetchone() or (None,)
            return version is None or int(version) <= self._pipeline.state["_state_version"]


@contextmanager
def advisory_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Take the lock of the schema, on a connection of its own. The server releases it when the connection ends."""
    with pipeline.sql_client() as client:
        check_permissions(client)
        lock = AdvisoryLock(pipeline, client, where)
        waiting.until(lock.acquire, where)
        yield lock


def check_permissions(client: SqlClientBase[Any]) -> None:
    """Check what would only fail when the first records are written.

    Raises:
        DestinationRefusedError: The database is read-only, or the user may not create what is needed.
    """
    schemas = [client.dataset_name, client.staging_dataset_name]
    if len(client.staging_dataset_name.encode()) > _LONGEST_NAME:
        most = _LONGEST_NAME - len(client.staging_dataset_name.encode()) + len(client.dataset_name.encode())
        raise DestinationRefusedError(f"The name of the schema is too long for Postgres. Use at most {most} bytes.")
    rows = client.execute_sql(
        "SELECT current_user, current_database(), current_setting('transaction_read_only'), "
        "has_database_privilege(current_database(), 'CREATE')"
    )
    ((user, database, read_only, may_create),) = rows or [("", "", "off", True)]
    if read_only == "on":
        raise DestinationRefusedError(
            f"The database {database} is read-only for {user}. Connect to the primary server, with a user who may write."
        )
    found = client.execute_sql(
        "SELECT nspname, has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') "
        "FROM pg_namespace WHERE nspname IN (%s, %s)",
        *schemas,
    )
    permitted = {str(name): bool(permission) for name, permission in found or ()}
    grants = [_grant(schema, user, permitted) for schema in schemas if not permitted.get(schema, may_create)]
    if grants:
        raise DestinationRefusedError(
            f"The user {user} may not create tables in the database {database}. As its owner, run: {' '.join(grants)}"
        )


def _grant(schema: str, user: str, existing: object) -> str:
    name, role = (f'"{text}"'.replace('""', '"') for text in (schema, user))
    if isinstance(existing, dict) and schema in existing:
        return f"GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"
    return f"CREATE SCHEMA {name} AUTHORIZATION {role};"
