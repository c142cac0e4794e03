"""A lock made of rows, for SQL destinations without a lock of their own.

The rows are in dlt's table of loads, which exists in every destination with the right types. dlt only reads rows with the
status 0. A row is named ``TIME_OWNER``: when its owner last renewed it, in seconds since 1970, and who that is.

A run inserts a row, and then reads all rows. If it finds another one, it deletes its own and does not start. Of two runs that
start at the same time, at least one finds the row of the other: so at most one of them starts.

Example: run A inserts ``1700000000_a``. Run B inserts ``1700000003_b``, finds A's row, and deletes its own. A is killed. At
1700003700, an hour later, run C finds A's row, which is too old, and deletes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

import dlt
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.extract import DltResource

from zendesk_chat.errors import DestinationError
from zendesk_chat.load.failures import explained

if TYPE_CHECKING:
    from zendesk_chat.clock import Clock
    from zendesk_chat.load.warehouse.lock import Lock, Waiting

_LOCK: Final = "zendesk_chat_lock"
_HELD: Final = 1  # dlt reads rows with the status 0
RENEWED_SECONDS: Final = 60
EXPIRED_SECONDS: Final = 3600
"""A row this old is of a run that was killed: the others renew theirs (``KeptLock``)."""


@contextmanager
def row_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Keep other syncs out of the pipeline's schema while the block runs.

    Raises:
        DestinationError: Another sync loads into it, longer than ``waiting`` permits.
    """
    pipeline.sync_destination()
    if not pipeline.schema_names:
        _create_tables(pipeline)
    client = cast("SqlJobClientBase", pipeline.destination_client())
    with client:
        lock = _RowLock(client, waiting.clock, where)
        waiting.until(lock.acquire, where)
        try:
            yield lock
        finally:
            with explained(f"releasing the lock of {where}"):
                lock.release()


def _create_tables(pipeline: dlt.Pipeline) -> None:
    """Load nothing: dlt then creates its own tables."""
    pipeline.extract(_nothing())
    pipeline.normalize()
    pipeline.load()


@dlt.source(name="zendesk_chat")
def _nothing() -> DltResource:
    return dlt.resource([], name="nothing")


@dataclass(slots=True)
class _RowLock:
    client: SqlJobClientBase
    clock: Clock
    where: str
    owner: str = field(default_factory=lambda: uuid4().hex)
    row: str = ""

    def acquire(self) -> bool:
        self.row = self._insert()
        now = self.clock.now()
        for row in self._rows():
            if row == self.row:
                continue
            if float(row.partition("_")[0]) > now - EXPIRED_SECONDS:
                self.release()
                return False
            self._delete(row)
        return True

    def check(self) -> None:
        """Renew the row. Raises DestinationError if another run took the lock, because this one did not renew it in time."""
        if self.clock.now() - float(self.row.partition("_")[0]) < RENEWED_SECONDS:
            return
        if self.row not in self._rows():
            raise DestinationError(
                f"Another sync has started to load into {self.where}, because this one was inactive for more than "
                f"{EXPIRED_SECONDS // 60} minutes. Run it again when the other one has ended."
            )
        older, self.row = self.row, self._insert()
        self._delete(older)

    def release(self) -> None:
        self._delete(self.row)

    def _insert(self) -> str:
        now = self.clock.now()
        row = f"{now:.0f}_{self.owner}"
        sql = f"INSERT INTO {self._table} ({self.client.loads_table_schema_columns}) VALUES (%s, %s, %s, %s, %s)"
        self.client.sql_client.execute_sql(sql, row, _LOCK, _HELD, datetime.fromtimestamp(now, UTC), "")
        return row

    def _rows(self) -> list[str]:
        sql = f"SELECT {self._column('load_id')} FROM {self._table} WHERE {self._column('schema_name')} = %s"
        return [str(row[0]) for row in self.client.sql_client.execute_sql(sql, _LOCK) or ()]

    def _delete(self, row: str) -> None:
        self.client.sql_client.execute_sql(f"DELETE FROM {self._table} WHERE {self._column('load_id')} = %s", row)

    @property
    def _table(self) -> str:
        return self.client.sql_client.make_qualified_table_name(self.client.schema.loads_table_name)

    def _column(self, name: str) -> str:
        return self.client.sql_client.escape_column_name(name)
