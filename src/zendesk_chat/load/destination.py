"""What ``sync --to`` may name: a DuckDB file, by its path or a URL, or the URL of another database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.warehouse.address import example_of, nearest_scheme, parse_address, scheme_of
from zendesk_chat.load.warehouse.kinds import FORMATS, SCHEMES
from zendesk_chat.printable import LONGEST_NAME, printable

SUFFIXES: Final = (".duckdb", ".ddb", ".db")
"""The suffixes of a DuckDB file, if the user names it by its path."""
_RESERVED: Final = frozenset(  # of DuckDB itself, and of the database that sync opens
    {"information_schema", "memory", "pg_catalog", "system", "temp", "zendesk_chat_file"}
)
_EXPORTS: Final = {  # formats that DuckDB writes, by suffix or name
    "csv": "CSV",
    "tsv": "CSV",
    "json": "JSON",
    "jsonl": "JSON",
    "ndjson": "JSON",
}
_SQLITE: Final = ("sqlite", "sqlite3", "db3")
_SQLITE_HEADER: Final = b"SQLite format 3\0"
_ACCEPTED: Final = (
    "Use the path of a DuckDB file, such as chats.duckdb, or a URL, such as duckdb:///chats.duckdb or "
    "postgres://USER@HOST/DATABASE. To list all kinds, run: zendesk-chat destinations"
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
        return self.path or scheme_of(self.url)


def check_schema(schema: str | None, path: str | None, name: str = "--schema") -> None:
    """Check the name of a schema, for a DuckDB file if there is a path. The user calls it ``name``. Raises ConfigError."""
    if schema is None:
        return
    if not schema or schema.lower() in _RESERVED:
        raise ConfigError(f"{name}: {schema!r} cannot be used. Choose another name, such as acme.")
    if path is not None and schema.lower() == Path(path).stem.lower():
        raise ConfigError(
            f"{name} {schema}: the file {Path(path).name} has the same name, and DuckDB would take {schema}.chats for a "
            "table of the file itself. Choose another schema, or rename the file."
        )


def duckdb_path(text: str, name: str = "--to", schema: str | None = None, schema_name: str = "--schema") -> str | None:
    """Return the path of a DuckDB file; None for the URL of another database.

    Args:
        text: A path that ends in .duckdb, .ddb or .db, or a URL.
        name: What the user calls it, for messages. They never show a URL, which may contain a password.
        schema: The schema that the user names beside it.
        schema_name: What the user calls the schema.

    Raises:
        ConfigError: It names something else.
    """
    if text.lower().startswith("jdbc:"):
        near = nearest_scheme(text[len("jdbc:") :].partition(":")[0].lower().replace("sqlserver", "mssql"))
        raise ConfigError(
            f"{name}: JDBC URLs are not supported. " + (f"Write {example_of(near)}." if near in SCHEMES else f"{_ACCEPTED}.")
        )
    scheme = scheme_of(text)
    if scheme in SCHEMES:
        parse_address(text, schema, name, schema_name)
        return None
    if not scheme and not text.lower().startswith("duckdb:"):
        return _plain_path(text, name)
    if scheme not in ("", "duckdb"):
        near = nearest_scheme(scheme)
        hint = f" Did you mean {near}:{'' if near in ('md', 'motherduck', 'ducklake') else '//'}?" if near else ""
        raise ConfigError(f"{name}: {printable(scheme, LONGEST_NAME)}:// is not supported.{hint} {_ACCEPTED}.")
    path = text[len("duckdb:///") :]
    if not text[len("duckdb:") :].startswith("///") or not path or path.startswith(":"):
        raise ConfigError(f"{name}: write the path after three slashes, as in duckdb:///chats.duckdb, or without duckdb:///.")
    return path


def _plain_path(text: str, name: str) -> str:
    shown = printable(text, LONGEST_NAME) if "@" not in text else "..."  # may be a malformed URL with a password
    last = text.replace("\\", "/").rpartition("/")[2]
    if text and (not last or Path(text).is_dir()):
        raise ConfigError(f"{name} {shown}: {_about_directory(text)}")
    if is_sqlite_file(text):
        raise ConfigError(f"{name} {shown}: this is an SQLite file. Use a URL: sqlite:///{shown}.")
    stem, dot, suffix = last.lower().rpartition(".")
    if f"{dot}{suffix}" in SUFFIXES and stem:
        return str(Path(text).expanduser()) if text.startswith("~/") else text
    if suffix in FORMATS:
        example = "file:///data/chats" + ("" if suffix == "parquet" else f"?format={suffix}")
        raise ConfigError(
            f"{name} {shown}: `sync` loads {FORMATS[suffix].title} into a folder. Use its URL, such as {example}."
        )
    if form := _EXPORTS.get(suffix):
        raise ConfigError(
            f"{name} {shown}: `sync` does not write {form} files. Load into a DuckDB file, and export from it with SQL: "
            f"COPY chats TO 'chats.{form.lower()}'."
        )
    if suffix in _SQLITE:
        raise ConfigError(f"{name} {shown}: use a URL for an SQLite file: sqlite:///{shown}.")
    if suffix in SCHEMES:
        raise ConfigError(f"{name} {shown}: use a URL, such as {example_of(suffix)}.")
    raise ConfigError(f"{name} {shown}: this is neither the path of a .duckdb file nor a URL. {_ACCEPTED}.")


def _about_directory(text: str) -> str:
    url = f"file://{printable(real_path(text).as_posix(), LONGEST_NAME)}"
    if is_loaded_folder(text):
        return f"`sync` has loaded files into this directory. Use the same URL as before, such as {url}."
    folder = printable(text.rstrip("/\\"), LONGEST_NAME)
    return f"this is a directory. Name a file in it: {folder}/chats.duckdb. For Parquet files, use its URL: {url}."


def is_loaded_folder(path: str) -> bool:
    """Return whether ``sync`` has loaded files into a directory."""
    try:
        return any(Path(path).glob("*/_dlt_pipeline_state"))
    except OSError:  # it cannot be read
        return False


def is_sqlite_file(path: str) -> bool:
    """Return whether this is the path of an SQLite database."""
    try:
        if not Path(path).is_file():  # a pipe would wait
            return False
        with Path(path).open("rb") as file:
            return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    except (OSError, ValueError):  # it cannot be read
        return False


def real_path(path: str) -> Path:
    """Return a path without symbolic links; unchanged if that is impossible, as for a link to itself."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError):  # a link to itself
        return Path(path)
