"""The destination of ``sync --to``: opened once, used by every transaction of a run, closed with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import dlt
import duckdb
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.destination import AnyDestination, Destination
from dlt.common.runtime import run_context, telemetry
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.failures import explained

Setting: TypeAlias = str | bool | int | float | list[str]
"""A value of a setting of DuckDB."""

_SQL_DATABASES: Final = ("postgres", "postgresql", "redshift", "snowflake", "mssql")  # schemes of URLs that dlt accepts
_ACCEPTED: Final = (
    "duckdb:///file.duckdb (relative path), duckdb:////directory/file.duckdb (absolute path), or "
    "postgres://user:password@host/database and likewise redshift, snowflake, mssql, each after for example "
    "pip install 'dlt[postgres]'"
)
_PIPELINE: Final = "zendesk_chat"
MEMORY_LIMIT: Final = "256MB"
_DUCKDB: Final[dict[str, Setting]] = {
    "memory_limit": MEMORY_LIMIT,  # the rest spills to the run's own directory
    "force_compression": "zstd",  # strings take a third of the space and half of the time of DuckDB's own choice
    "enable_external_file_cache": False,  # no file is read twice
}
# The file replaces the empty in-memory database as the default one of all connections, as dlt expects. A row group of
# DuckDB's default, 122,880 chats, exceeds the memory, and each added row would write it again.
_ATTACH: Final = "ATTACH OR REPLACE {} AS memory (TYPE duckdb, ROW_GROUP_SIZE 8192)"
_SETTINGS: Final = {
    "runtime.dlthub_telemetry": False,
    "runtime.log_level": "CRITICAL",  # we report errors ourselves
    "runtime.intercept_signals": False,  # Ctrl-C ends a run at once
    "enable_runtime_trace": False,
    "load.workers": 1,  # a database file has one writer
    "normalize.workers": 1,
}


@dataclass(frozen=True, slots=True)
class Target:
    """An open destination.

    Attributes:
        pipeline: dlt's pipeline, with its working directory inside ``directory``.
        directory: A temporary directory; removed when the target is closed.
        connection: The connection to a DuckDB file, open during the run so that no other program writes between two
            transactions; None for other destinations.
        name: Its name in messages: the path of the file, or the kind of database.
    """

    pipeline: dlt.Pipeline
    directory: Path
    connection: duckdb.DuckDBPyConnection | None
    name: str


@contextmanager
def open_target(url: str) -> Iterator[Target]:
    """Open the destination of a ``--to`` URL, and read dlt's state from it.

    Raises:
        ConfigError: The URL is malformed.
        DestinationError: The destination cannot be opened or written.
    """
    path = duckdb_path(url)
    name = path or f"the {url.partition('://')[0]} database"  # no more of the URL: it has the password
    with ExitStack() as stack:
        with explained("making a directory for temporary files"):
            temporary = tempfile.TemporaryDirectory(prefix="zendesk-chat-", ignore_cleanup_errors=True)
            directory = Path(stack.enter_context(temporary))
        with explained(f"opening {name}"):
            connection = None
            if path is not None:
                settings = _DUCKDB | {"temp_directory": str(directory)}
                connection = stack.enter_context(open_duckdb(path, _ATTACH, settings))
            pipeline = _start_pipeline(url, connection, directory)
        yield Target(pipeline, directory, connection, name)
        if connection is not None:
            with explained(f"closing {name}"):
                connection.execute("DROP SCHEMA IF EXISTS main_staging CASCADE")


@contextmanager
def open_duckdb(path: str, attach: str, settings: Mapping[str, Setting]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file with the statement ``attach``, in which ``{}`` is the file, and with these settings of DuckDB."""
    with closing(duckdb.connect(config=dict(settings))) as connection:
        # duckdb.connect(path) would guess the kind of the file, and download an extension for a SQLite file.
        connection.execute(attach.format("'" + path.replace("'", "''") + "'"))
        yield connection


def column_types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return DuckDB's type of each column of a table, by name; nothing if there is no such table."""
    sql = """
        SELECT column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ?
    """
    return dict(connection.execute(sql, [table]).fetchall())


def duckdb_path(url: str) -> str | None:
    """Return the path in a ``duckdb:///`` URL; None for other accepted URLs. Raises ConfigError if a URL is not accepted."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _SQL_DATABASES:
        return None
    if not separator or scheme != "duckdb":
        meant = f" Did you mean duckdb:///{url}?" if url.endswith((".duckdb", ".ddb", ".db")) else ""
        raise ConfigError(f"--to must be one of: {_ACCEPTED}.{meant}")
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path.startswith(":"):
        raise ConfigError("--to duckdb: write the path of a file after three slashes, as in duckdb:///chats.duckdb")
    return path


def _start_pipeline(url: str, connection: duckdb.DuckDBPyConnection | None, directory: Path) -> dlt.Pipeline:
    _quieten()
    pipeline = dlt.pipeline(
        _PIPELINE,
        pipelines_dir=str(directory / "dlt"),
        destination=_dlt_destination(url, connection),
        dataset_name="main" if connection is not None else _PIPELINE,
    )
    pipeline.sync_destination()
    return pipeline


def _quieten() -> None:
    """Apply our settings to dlt, whose runtime started with its own when it was imported."""
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    telemetry.stop_telemetry()
    # Only dlt's own trace, which is off, empties it. It would keep the data of each commit alive, through the exceptions in it.
    get_resolved_traces().logging_enabled = False
    run_context.active().initialize_runtime()


def _dlt_destination(url: str, connection: duckdb.DuckDBPyConnection | None) -> AnyDestination:
    # By default dlt assumes that DuckDB and others may lack transactions: it would replace a table's contents in two of them,
    # a delete and an insert. This strategy collects the new contents in another schema first.
    options: dict[str, Any] = {"replace_strategy": "insert-from-staging", "supports_transactions": True}
    if connection is not None:
        # dlt raises the checkpoint threshold to 1 GB, which writes every row to the log and again to the file.
        credentials = DuckDbCredentials(connection, pragmas=["checkpoint_threshold = '16MB'"])
        return cast("AnyDestination", dlt.destinations.duckdb(credentials, **options))
    name = url.partition("://")[0].replace("postgresql", "postgres")
    return cast("AnyDestination", Destination.from_reference(name, credentials=url, **options))
