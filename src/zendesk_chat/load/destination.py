"""Where ``sync --to`` writes: opened once, used by every transaction of a run, closed with it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import dlt
import duckdb
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.destination import AnyDestination, Destination
from dlt.common.runtime import run_context, telemetry
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.failures import explained

_SQL_DATABASES: Final = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "mssql": "mssql",
}
"""Schemes of URLs that dlt takes as credentials, and dlt's name of their destination."""

ACCEPTED: Final = (
    "duckdb:///file.duckdb (relative path), duckdb:////directory/file.duckdb (absolute path), or, with the dlt extra of "
    "that name installed, postgres://user:password@host/database and likewise redshift, snowflake, mssql"
)
_FILE_ENDINGS: Final = (".duckdb", ".ddb", ".db")
_PIPELINE: Final = "zendesk_chat"
_DUCKDB: Final[dict[str, str | bool | int | float | list[str]]] = {
    "memory_limit": "256MB",  # keeps a run flat; what does not fit spills to the run's own directory
    "force_compression": "zstd",  # of text: a third of the room and half of the time of what DuckDB would choose
    "enable_external_file_cache": False,  # no file is read twice
}
_ROWS_TOGETHER: Final = 8192  # DuckDB's own 122,880 chats are more than fit in memory, and written again for each one added
_SETTINGS: Final = {
    "runtime.dlthub_telemetry": False,
    "runtime.log_level": "CRITICAL",  # this face reports errors itself
    "runtime.intercept_signals": False,  # Ctrl-C ends a run at once
    "enable_runtime_trace": False,
    "load.workers": 1,  # a database file has one writer
    "normalize.workers": 1,
}


@dataclass(frozen=True, slots=True)
class Target:
    """An open destination.

    Attributes:
        pipeline: dlt's, with its working directory inside ``directory``.
        directory: Temporary; gone when the target is closed.
        connection: The one to a DuckDB file, held open so that no other program writes between two transactions;
            None for other destinations.
        name: What messages call it: the path of the file, or the kind of database.
    """

    pipeline: dlt.Pipeline
    directory: Path
    connection: duckdb.DuckDBPyConnection | None
    name: str


@contextmanager
def open_target(url: str) -> Iterator[Target]:
    """Open what a ``--to`` URL names, and read dlt's state from it.

    Raises:
        ConfigError: The URL is not understood, or what it names cannot be opened or written.
    """
    with contextlib.ExitStack() as stack:
        with explained("making a directory for temporary files"):
            directory = Path(stack.enter_context(temporary_directory()))
        path = duckdb_path(url)
        connection = None if path is None else stack.enter_context(_open_duckdb(path, directory))
        name = path or f"the {url.partition('://')[0]} database"  # no more of the URL: it has the password
        with explained(f"opening {name}"):
            target = _start_pipeline(url, connection, directory, name)
            target.pipeline.sync_destination()
        yield target
        if connection is not None:
            with explained(f"closing {name}"):
                connection.execute("DROP SCHEMA IF EXISTS main_staging CASCADE")


def temporary_directory() -> tempfile.TemporaryDirectory[str]:
    """Return a new directory for temporary files. That it cannot be removed is no reason to fail."""
    return tempfile.TemporaryDirectory(prefix="zendesk-chat-", ignore_cleanup_errors=True)


def duckdb_path(url: str) -> str | None:
    """Return the path in a ``duckdb:///`` URL, None for another accepted one. Raises ConfigError for any else."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _SQL_DATABASES:
        return None
    if not separator or scheme != "duckdb":
        meant = f" Did you mean duckdb:///{url}?" if url.endswith(_FILE_ENDINGS) else ""
        raise ConfigError(f"--to must be one of: {ACCEPTED}.{meant}")
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path.startswith(":"):
        raise ConfigError("--to duckdb: write the path of a file behind three slashes, as in duckdb:///chats.duckdb")
    return path


@contextmanager
def _open_duckdb(path: str, directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    literal = "'" + path.replace("'", "''") + "'"
    with contextlib.closing(duckdb.connect(config=_DUCKDB | {"temp_directory": str(directory)})) as connection:
        with explained(f"opening {path}"):
            # In the place of the empty database in memory it is the one that all connections begin with, as dlt expects.
            connection.execute(f"ATTACH OR REPLACE {literal} AS memory (TYPE duckdb, ROW_GROUP_SIZE {_ROWS_TOGETHER})")
        yield connection


def _start_pipeline(url: str, connection: duckdb.DuckDBPyConnection | None, directory: Path, name: str) -> Target:
    _quieten()
    destination = _dlt_destination(url, connection)
    pipeline = dlt.pipeline(
        _PIPELINE,
        pipelines_dir=str(directory / "dlt"),
        destination=destination,
        dataset_name="main" if connection is not None else _PIPELINE,
    )
    return Target(pipeline, directory, connection, name)


def _quieten() -> None:
    """Apply our settings to dlt, whose runtime has begun with its own when it was imported."""
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    telemetry.stop_telemetry()
    # It is emptied by dlt's own trace only. What a commit holds would stay, by way of the exceptions in it.
    get_resolved_traces().logging_enabled = False
    run_context.active().initialize_runtime()


def _dlt_destination(url: str, connection: duckdb.DuckDBPyConnection | None) -> AnyDestination:
    # dlt leaves open whether DuckDB and others have transactions, and would delete and insert in two when it replaces a
    # table's contents. The strategy gathers the new contents in another schema before.
    options: dict[str, Any] = {"replace_strategy": "insert-from-staging", "supports_transactions": True}
    if connection is not None:
        # dlt raises the checkpoint threshold to 1 GB, which writes every row to the log and again to the file.
        credentials = DuckDbCredentials(connection, pragmas=["checkpoint_threshold = '16MB'"])
        return cast("AnyDestination", dlt.destinations.duckdb(credentials, **options))
    name = _SQL_DATABASES[url.partition("://")[0]]
    destination = Destination.from_reference(name, credentials=url, **options)
    assert destination is not None  # noqa: S101  it is for no name only
    return destination
