"""An SQLite file through dlt: its tables are in the file itself, and a second file keeps another sync out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

import dlt
from dlt.destinations.impl.sqlalchemy.dialect import register_dialect_capabilities

from zendesk_chat.load.warehouse.file_lock import FileLock
from zendesk_chat.load.warehouse.lock import Lock, Waiting
from zendesk_chat.load.warehouse.sqlalchemy_client import quiet, sqlalchemy
from zendesk_chat.load.warehouse.sqlalchemy_tables import SqliteTables

if TYPE_CHECKING:
    from dlt.common.destination import TDestinationReferenceArg

_SCHEME: Final = "sqlite:///"
_PLAIN: Final = " +/"  # characters that SQLAlchemy does not encode either
_BUSY_SECONDS: Final = 10
"""How long to wait for another program that uses the file."""


def sqlite(credentials: str, **options: Any) -> TDestinationReferenceArg:  # noqa: ANN401  dlt's options
    """Return dlt's destination for sqlite:///PATH, a path from the current directory, or sqlite:////ABSOLUTE/PATH."""
    register_dialect_capabilities("sqlite", SqliteTables)
    path = Path(unquote(credentials.removeprefix(_SCHEME))).expanduser().resolve()
    return sqlalchemy(
        f"{_SCHEME}{quote(str(path), safe=_PLAIN)}", engine_kwargs={"connect_args": {"timeout": _BUSY_SECONDS}}, **options
    )


@contextmanager
def file_lock(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Keep other syncs out of the file, and leave nothing beside it afterwards."""
    client = pipeline.sql_client()
    path = Path(client.credentials.database).resolve()
    staging = path.with_name(f"{path.stem}__{client.staging_dataset_name}{path.suffix}")
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    waiting.until(lock.acquire, where)
    try:
        mode = _journal_mode(path)
        with quiet():
            yield lock
        _set_journal_mode(path, mode)
        _remove(staging)
    finally:
        lock.release()


def _journal_mode(path: Path) -> str:
    """Return how SQLite keeps the changes of a file apart until they are committed: dlt sets it to WAL."""
    if not path.exists():
        return "delete"
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _set_journal_mode(path: Path, mode: str) -> None:
    """Set it back, or a program without write permission could not read the file. Another program may prevent it."""
    if path.exists():
        with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
            connection.execute(f"PRAGMA journal_mode={mode}")


def _remove(staging: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        staging.with_name(f"{staging.name}{suffix}").unlink(missing_ok=True)
