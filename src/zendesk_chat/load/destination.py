"""The destination of ``sync --to``: opened once, used by every transaction of a run, closed with it."""

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
"""dlt's name of the destination for each scheme of a URL that dlt accepts as credentials."""

ACCEPTED: Final = (
    "duckdb:///file.duckdb (relative path), duckdb:////directory/file.duckdb (absolute path), or "
    "postgres://user:password@host/database and likewise redshift, snowflake, mssql, each after for example "
    "pip install 'dlt[postgres]'"
)
_FILE_ENDINGS: Final = (".duckdb", ".ddb", ".db")
_PIPELINE: Final = "zendesk_chat"
_DUCKDB: Final[dict[str, str | bool | int | float | list[str]]] = {
    "memory_limit": "256MB",  # bounds the memory of a run; the rest spills to the run's own directory
    "force_compression": "zstd",  # strings take a third of the space and half of the time of DuckDB's own choice
    "enable_external_file_cache": False,  # no file is read twice
}
_ROW_GROUP_SIZE: Final = (
    8192  # a group of DuckDB's default, 122,880 chats, exceeds the memory, and each added row would write it again
)
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
    """Return a new directory for temporary files. If it cannot be removed later, that is not an error."""
    return tempfile.TemporaryDirectory(prefix="zendesk-chat-", ignore_cleanup_errors=True)


def duckdb_path(url: str) -> str | None:
    """Return the path in a ``duckdb:///`` URL; None for other accepted URLs. Raises ConfigError if a URL is not accepted."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _SQL_DATABASES:
        return None
    if not separator or scheme != "duckdb":
        meant = f" Did you mean duckdb:///{url}?" if url.endswith(_FILE_ENDINGS) else ""
        raise ConfigError(f"--to must be one of: {ACCEPTED}.{meant}")
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path or path.startswith(":"):
        raise ConfigError("--to duckdb: write the path of a file after three slashes, as in duckdb:///chats.duckdb")
    return path


@contextmanager
def _open_duckdb(path: str, directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    literal = "'" + path.replace("'", "''") + "'"
    with contextlib.closing(duckdb.connect(config=_DUCKDB | {"temp_directory": str(directory)})) as connection:
        with explained(f"opening {path}"):
            # It replaces the empty in-memory database as the default one of all connections, as dlt expects.
            connection.execute(f"ATTACH OR REPLACE {literal} AS memory (TYPE duckdb, ROW_GROUP_SIZE {_ROW_GROUP_SIZE})")
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
    name = _SQL_DATABASES[url.partition("://")[0]]
    return cast("AnyDestination", Destination.from_reference(name, credentials=url, **options))
