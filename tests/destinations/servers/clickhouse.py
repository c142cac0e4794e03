"""ClickHouse's own engine in this process: chDB behind the interfaces of the two drivers, since Debian's server is too old.

Each statement of dlt runs in ClickHouse 26. The protocols of a server do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

import pytest
from clickhouse_driver.dbapi.errors import OperationalError
from clickhouse_driver.util.escape import escape_params


@dataclass(frozen=True)
class ClickHouse:
    """The engine. Each test has a database of its own."""

    connection: Any

    def execute(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.connection.cursor()
        cursor.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []

    def new_database(self, name: str) -> str:
        """Create a database, and return its URL."""
        self.execute(f"CREATE DATABASE `{name}` ENGINE = Atomic")
        return f"clickhouse://default:secret@127.0.0.1/{name}"


class Cursor:
    """A cursor of clickhouse_driver."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, sql: str, values: Mapping[str, Any]) -> None:
        escaped = escape_params(values, _Context()) if values else {}
        try:
            self._cursor.execute(sql % escaped)
        except RuntimeError as error:
            raise OperationalError(str(error)) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._cursor.close()


class _Context:
    """What clickhouse_driver needs to know of a server, to write values into a statement."""

    class server_info:  # noqa: N801  the driver's name
        @staticmethod
        def get_timezone() -> str:
            return "UTC"


class Connection:
    """A connection of clickhouse_driver."""

    def __init__(self, engine: ClickHouse, dsn: str) -> None:
        self._engine = engine
        self._database = urlsplit(dsn).path.strip("/")

    def cursor(self) -> Cursor:
        self._engine.execute(f"USE `{self._database}`")
        return Cursor(self._engine.connection.cursor())

    def close(self) -> None:
        """Keep the engine, which all connections share."""


class Client:
    """A client of clickhouse_connect, which sends files."""

    def __init__(self, engine: ClickHouse) -> None:
        self._engine = engine

    def raw_insert(self, table: str, insert_block: BinaryIO, fmt: str, **_options: Any) -> None:
        source = f"file('{Path(insert_block.name)}', '{fmt}')"
        names = ", ".join(f"`{column['name']}`" for column in self._engine.execute(f"DESCRIBE {source}"))
        self._engine.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {source}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Keep the engine."""


@contextmanager
def clickhouse_engine(folder: Path) -> Iterator[ClickHouse]:
    """Open the engine, and let the drivers connect to it."""
    dbapi = pytest.importorskip("chdb.dbapi", reason="chdb-core is not installed")
    engine = ClickHouse(dbapi.connect(str(folder / "chdb")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clickhouse_driver.connect", partial(Connection, engine))
        patch.setattr("clickhouse_connect.create_client", lambda **_options: Client(engine))
        yield engine
    engine.connection.close()
