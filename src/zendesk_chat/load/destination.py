"""What ``sync --to`` may name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError

_SQL_DATABASES: Final = ("postgres", "postgresql", "redshift", "snowflake", "mssql")  # schemes of URLs that dlt accepts
_RESERVED: Final = frozenset(  # of DuckDB itself, and of the database that sync opens
    {"information_schema", "memory", "pg_catalog", "system", "temp", "zendesk_chat_file"}
)
_ACCEPTED: Final = (
    "duckdb:///file.duckdb (relative path), duckdb:////directory/file.duckdb (absolute path), or "
    "postgres://user:password@host/database and likewise redshift, snowflake, mssql, each after for example "
    "pip install 'dlt[postgres]'"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to load, and how.

    Attributes:
        url: As the user wrote it.
        path: Of a DuckDB file; None for another database.
        schema: Of the tables; None for the destination's own default.
        time_zone: For the views in a file; empty to keep the file's.
        wait_seconds: How long to wait while another program has the file open.
        renamed_from: The former subdomain of the account in the file; empty if it was not renamed.
        full_refresh: Whether to read everything again.
    """

    url: str
    path: str | None
    schema: str | None = None
    time_zone: str = ""
    wait_seconds: float = 0.0
    renamed_from: str = ""
    full_refresh: bool = False

    @property
    def shown(self) -> str:
        """The destination without a password: the path of a file, or the kind of another database."""
        return self.path or self.url.partition("://")[0]


def check_schema(schema: str | None, path: str | None) -> None:
    """Check the name of a schema, for a DuckDB file if there is a path. Raises ConfigError."""
    if schema is None:
        return
    if not schema or schema.lower() in _RESERVED:
        raise ConfigError(f"--schema: {schema!r} cannot be used. Give another name, such as acme.")
    if path is not None and schema.lower() == Path(path).stem.lower():
        raise ConfigError(
            f"--schema {schema}: the file {Path(path).name} has the same name, and DuckDB would take {schema}.chats for a "
            "table of the file itself. Give another schema, or rename the file."
        )


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


def real_path(path: str) -> Path:
    """Return a path without symbolic links; as it is given if the current directory does not exist any more."""
    try:
        return Path(path).resolve()
    except OSError:
        return Path(path)
