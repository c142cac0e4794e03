"""What ``sync --to`` may name."""

from __future__ import annotations

from typing import Final

from zendesk_chat.errors import ConfigError

_SQL_DATABASES: Final = ("postgres", "postgresql", "redshift", "snowflake", "mssql")  # schemes of URLs that dlt accepts
_ACCEPTED: Final = (
    "duckdb:///file.duckdb (relative path), duckdb:////directory/file.duckdb (absolute path), or "
    "postgres://user:password@host/database and likewise redshift, snowflake, mssql, each after for example "
    "pip install 'dlt[postgres]'"
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
