"""The ``profile`` command: null rates and types of a DuckDB file that ``sync`` filled. It never shows record contents."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import msgspec

from zendesk_chat.engine.drift import MAX_UNKNOWN_FIELDS, DriftDetector, is_personal, shown_name
from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode
from zendesk_chat.load.console import PlainConsole, error_console, say
from zendesk_chat.load.database import find_database
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.opening import open_read_only
from zendesk_chat.load.file.stored import check_is_file
from zendesk_chat.load.file.tables import existing_schema, find_tables
from zendesk_chat.load.profile_report import print_profile
from zendesk_chat.load.selection import choose_streams
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.records import iso_seconds
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.sql import quoted
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

_JSON_TYPES: Final = {
    "NULL": "null",
    "BOOLEAN": "boolean",
    "UBIGINT": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "VARCHAR": "string",
    "ARRAY": "array",
    "OBJECT": "object",
}
"""JSON types by DuckDB's names of them."""

_COLUMN_TYPES: Final[dict[str, ColumnType]] = {
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "JSON": "json",
}
"""Column types by DuckDB's names of them; any other is text."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Attributes:
        nulls: Rows without a value.
        null_share: The same as a share of all rows, from 0 to 1; 0 in an empty table.
        distinct: An estimate of the number of different values; None for JSON.
    """

    name: str
    type: ColumnType
    nulls: int
    null_share: float
    distinct: int | None


@dataclass(frozen=True, slots=True)
class TableProfile:
    """One stream's table.

    Attributes:
        time_field: The column of ``first`` and ``last``: the cursor if that is a time, else the first column of times.
        first: The earliest time as ISO 8601, rounded down to the second; None without any.
        last: The latest time likewise.
        columns: The columns of the schema that the table has.
    """

    stream: str
    rows: int
    time_field: str | None
    first: str | None
    last: str | None
    columns: tuple[ColumnProfile, ...]
    drift: tuple[SchemaChange, ...]

    @property
    def empty_columns(self) -> int:
        """How many columns have no value in any row."""
        return sum(column.nulls == self.rows > 0 for column in self.columns)

    @property
    def unknown_fields(self) -> int:
        """How many fields are not in the schema."""
        return len({change.path for change in self.drift if not change.known})


def run_profile(options: argparse.Namespace) -> int:
    """Profile a file and print the result. Returns the exit code."""
    console = error_console()
    try:
        names = choose_streams(options.streams)
        database = find_database(options, os.environ)
        path = duckdb_file(database.file)
        with console.status("opening the database") as status:
            streams = {stream.name: stream for stream in Catalog().select(names)}
            profiles = profile(path, streams, lambda name: status.update(f"reading {name}"), database.schema)
        missing = set(names) - {profile.stream for profile in profiles} if options.streams else set()
        if missing or not profiles:
            raise ConfigError(
                f"{path} has no table for {', '.join(sorted(missing)) or 'any stream'}. Create it with `zendesk-chat sync`."
            )
    except ConnectorError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE if isinstance(error, ConfigError) else ExitCode.INCOMPLETE
    if not _is_of_sync(path, database.schema):
        say(
            console,
            f"warning: `sync` did not create {path}. Columns that `sync` does not have are not shown.",
            "yellow",
        )
    if options.json:
        sys.stdout.write(to_json(profiles).decode())
    else:
        print_profile(profiles, PlainConsole(), every_column=bool(options.streams))
    return ExitCode.COMPLETE


def duckdb_file(text: str) -> str:
    """Return the path of a DuckDB file, given as a path or as the URL of ``sync --to``.

    Raises:
        ConfigError: It is something else, or there is no such file.
    """
    path = (duckdb_path(text, "FILE") or "") if text.startswith("duckdb:") else text
    check_is_file(path, "profile")
    if not Path(path).is_file():
        raise ConfigError(f"There is no file {path}. Create it with `zendesk-chat sync`.")
    return path


def _is_of_sync(path: str, schema: str) -> bool:
    with explained(f"reading {path}"), open_read_only(path) as connection:
        return "_sync_account" in find_tables(connection, existing_schema(connection, schema))


def profile(
    path: str,
    streams: Mapping[str, Stream],
    observe: Callable[[str], object] = lambda _stream: None,
    schema: str = "main",
) -> list[TableProfile]:
    """Describe the tables of these streams in a DuckDB file, opened read-only. Streams without a table are skipped.

    Args:
        path: Path of the file.
        streams: The streams by name.
        observe: Called with the name of each stream before its table is read.
        schema: The schema of the tables.

    Raises:
        DestinationError: The file cannot be opened or read, for example because another program writes to it.
    """
    profiles = []
    with explained(f"reading {path}"), open_read_only(path) as connection:
        schema = existing_schema(connection, schema)
        found = find_tables(connection, schema)
        for stream in streams.values():
            table = StreamTable.of(stream)
            # With their own types: a column of hashes is text, whatever the schema has.
            if table.name in found:
                present = {name: _COLUMN_TYPES.get(kind, "text") for name, kind in found[table.name].columns.items()}
                observe(stream.name)
                profiles.append(_profile_table(connection, quoted(schema, table.name), table, present))
    return profiles


def to_json(profiles: Sequence[TableProfile]) -> bytes:
    """Return the profiles as a JSON array of objects."""
    objects = [asdict(profile) for profile in profiles]
    for found, profile in zip(objects, profiles, strict=True):
        for change in found["drift"]:
            del change["stream"]
        found |= {"empty_columns": profile.empty_columns, "unknown_fields": profile.unknown_fields}
    return msgspec.json.format(msgspec.json.encode(objects), indent=2) + b"\n"


def _profile_table(
    connection: duckdb.DuckDBPyConnection, source: str, table: StreamTable, present: Mapping[str, ColumnType]
) -> TableProfile:
    columns = {name: present[name] for name in table.columns if name in present}
    times = [name for name, kind in columns.items() if kind == "timestamp"]
    time_field = table.cursor_field if table.cursor_field in times else next(iter(times), None)
    time = f'"{time_field}"' if time_field else "NULL::TIMESTAMPTZ"
    selected = ["count(*)", f"epoch_us(min({time}))", f"epoch_us(max({time}))"]
    for name, kind in columns.items():
        selected += [f'count("{name}")', "NULL" if kind == "json" else f'approx_count_distinct("{name}")']
    ((rows, first, last, *figures),) = connection.sql(f"SELECT {', '.join(selected)} FROM {source}").fetchall()
    each = zip(columns.items(), figures[::2], figures[1::2], strict=True)
    return TableProfile(
        table.name,
        rows,
        time_field,
        None if first is None else iso_seconds(first),
        None if last is None else iso_seconds(last),
        tuple(_column(name, kind, rows, held, distinct) for (name, kind), held, distinct in each),
        tuple(_drift(connection, source, table, columns, present)),
    )


def _column(name: str, kind: ColumnType, rows: int, held: int, distinct: int | None) -> ColumnProfile:
    about = None if distinct is None else min(distinct, held)  # the estimate may be more than there are values
    return ColumnProfile(name, kind, rows - held, (rows - held) / rows if rows else 0.0, about)


def _drift(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    table: StreamTable,
    columns: Mapping[str, ColumnType],
    present: Collection[str],
) -> Iterator[SchemaChange]:
    if EXTRA in present:
        yield from _unknown_fields(table.name, _fields_in(connection, source, EXTRA))
    if UNPARSED in present:
        for name, found, rows in _fields_in(connection, source, UNPARSED):
            schema = table.schema.properties.get(name)
            yield SchemaChange(table.name, shown_name(name), schema.present_types if schema else (), found, rows)
    for name, kind in columns.items():
        if kind == "json":
            yield from _drift_inside(connection, source, table, name)


def _unknown_fields(stream: str, fields: Iterable[tuple[str, str, int]]) -> Iterator[SchemaChange]:
    """Yield a change for each field, and one for all further fields if the names are data: too many, or personal data."""
    names: set[str] = set()
    data: set[str] = set()
    for name, found, rows in fields:
        if name in names or (len(names) < MAX_UNKNOWN_FIELDS and not is_personal(name)):
            names.add(name)
            yield SchemaChange(stream, shown_name(name), (), found, rows)
        elif found not in data:
            data.add(found)
            yield SchemaChange(stream, "*", (), found)


def _fields_in(connection: duckdb.DuckDBPyConnection, source: str, column: str) -> Iterator[tuple[str, str, int]]:
    """Yield the fields of the objects in a JSON column: name, JSON type, and number of rows."""
    sql = f"""
        SELECT name, json_type(field) AS kind, count(*)
        FROM (
            SELECT unnest(json_keys({column})) AS name, unnest(json_extract({column}, '$.*')) AS field
            FROM {source}
        )
        GROUP BY ALL ORDER BY ALL
    """
    for name, kind, rows in connection.execute(sql).fetchall():
        yield name, _JSON_TYPES.get(kind, "number"), rows


def _drift_inside(
    connection: duckdb.DuckDBPyConnection, source: str, table: StreamTable, column: str
) -> Iterator[SchemaChange]:
    detector = DriftDetector(table.name, table.schema.properties[column])
    result = connection.execute(f'SELECT "{column}"::VARCHAR FROM {source} WHERE "{column}" IS NOT NULL')
    while values := result.fetchmany(500):
        for change in detector.observe([text.encode() for (text,) in values]):
            yield replace(change, path=f"{column}.{change.path}" if change.path else column)
