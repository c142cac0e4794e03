"""MySQL and MariaDB through dlt: a lock with a name keeps another sync out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import dlt
from dlt.destinations.impl.sqlalchemy.dialect import register_dialect_capabilities
from dlt.destinations.sql_client import SqlClientBase

from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse.lock import Lock, Waiting
from zendesk_chat.load.warehouse.sqlalchemy_client import quiet, sqlalchemy
from zendesk_chat.load.warehouse.sqlalchemy_tables import MysqlTables

if TYPE_CHECKING:
    from dlt.common.destination import TDestinationReferenceArg

_DRIVER: Final = "pymysql"
_LOCK: Final = "zendesk_chat:"
_DIGEST_BYTES: Final = 16  # a name has at most 64 characters
_IDLE: Final = "SET SESSION wait_timeout = 28800"
"""The connection of the lock is idle while chats are read, which may take longer than a server permits by default."""


def mysql(credentials: str, **options: Any) -> TDestinationReferenceArg:  # noqa: ANN401  dlt's options
    """Return dlt's destination for the URL of a server, with the driver that the extra installs."""
    scheme, _, rest = credentials.partition("://")
    register_dialect_capabilities(scheme, MysqlTables)
    engine = {"connect_args": {"charset": "utf8mb4", "init_command": _IDLE}}
    return sqlalchemy(f"{scheme}+{_DRIVER}://{rest}", engine_kwargs=engine, **options)


@dataclass(frozen=True, slots=True)
class _NamedLock:
    client: SqlClientBase[Any]
    name: str
    where: str

    def acquire(self) -> bool:
        return self._first("SELECT GET_LOCK(:name, 0)") == 1

    def check(self) -> None:
        """Check that the lock is still of this connection. If the connection is lost, so is the lock."""
        if self._first("SELECT IS_USED_LOCK(:name) = CONNECTION_ID()") != 1:
            raise DestinationError(f"The connection that locks {self.where} broke. Run the sync again.")

    def _first(self, sql: str) -> object:
        rows = self.client.execute_sql(sql, name=self.name)
        return rows[0][0] if rows else None


@contextmanager
def named_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Take the lock of the database, on a connection of its own. The server releases it when the connection ends."""
    with pipeline.sql_client() as client:
        digest = blake2b(client.dataset_name.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        lock = _NamedLock(client, _LOCK + digest, where)
        waiting.until(lock.acquire, where)
        with quiet():
            yield lock
