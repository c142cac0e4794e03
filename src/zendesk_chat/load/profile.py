"""The ``profile`` command: what is in a DuckDB file that ``sync`` filled. It shows shares and types, never a value."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zendesk_chat.engine.drift import MAX_UNKNOWN_FIELDS, DriftDetector, is_personal, shown_name
from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.failures import explained
from zendesk_chat.load.report import print_whole
from zendesk_chat.load.selection import choose_streams
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.records import iso_seconds
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

_MEMORY_LIMIT: Final = "256MB"
_VALUES_TOGETHER: Final = 500
_BAR_WIDTH: Final = 10
_DATE: Final = len("2026-03-14")
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
"""DuckDB's names of them."""

_COLUMN_TYPES: Final[dict[str, ColumnType]] = {
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "JSON": "json",
}
"""Likewise; whatever else is there is counted as text."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Attributes:
        name: Of the column and of the field.
        type: In dlt's words.
        nulls: Rows without a value.
        null_share: The same as a share of all rows, from 0 to 1; 0 in an empty table.
        distinct: About how many different values there are; None for JSON.
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
        stream: Its name.
        rows: How many there are.
        time_field: The column that ``first`` and ``last`` are from: the cursor where that is a time, else the first that is.
        first: The earliest time as ISO 8601, rounded down to the second; None where there is none.
        last: The latest time likewise.
        columns: Those of the schema that the table has.
        drift: What the schema does not know.
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
        """How many columns hold no value in any row."""
        return sum(column.nulls == self.rows > 0 for column in self.columns)

    @property
    def unknown_fields(self) -> int:
        """How many fields there are that the schema does not know."""
        return len({change.path for change in self.drift if not change.known})


def run_profile(options: argparse.Namespace) -> int:
    """Print what is in a database: ``options.database``, ``streams`` and ``json``. Returns the exit code."""
    console = PlainConsole(stderr=True)
    try:
        names = choose_streams(options.streams)
        path = duckdb_file(options.database)
        with console.status("opening the database") as status:
            streams = {stream.name: stream for stream in Catalog().select(names)}
            profiles = profile(path, streams, lambda name: status.update(f"reading {name}"))
        missing = set(names) - {profile.stream for profile in profiles} if options.streams else set()
        if missing or not profiles:
            raise ConfigError(f"{path} has no table of {', '.join(sorted(missing)) or 'any stream'}. `sync` makes one.")
    except ConnectorError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE if isinstance(error, ConfigError) else ExitCode.INCOMPLETE
    if options.json:
        sys.stdout.write(to_json(profiles).decode())
    else:
        print_profile(profiles, PlainConsole(), every_column=bool(options.streams))
    return ExitCode.COMPLETE


def duckdb_file(text: str) -> str:
    """Return the path of a DuckDB file that is named by it or by a URL as ``sync --to`` takes it.

    Raises:
        ConfigError: It names something else, or there is no such file.
    """
    path = duckdb_path(text) if text.startswith("duckdb:") else text
    if path is None or "://" in path:
        raise ConfigError("`profile` reads DuckDB files only: give the path of one, or a URL like duckdb:///chats.duckdb.")
    if not Path(path).is_file():
        raise ConfigError(f"There is no file {path}. `sync` makes one: see zendesk-chat sync --help.")
    return path


def profile(
    path: str, streams: Mapping[str, Stream], observe: Callable[[str], object] = lambda _stream: None
) -> list[TableProfile]:
    """Read a database and describe the tables of these streams; those that it does not have are left out.

    Args:
        path: Of a DuckDB file. It is opened to be read only.
        streams: By name.
        observe: Is told the name of each stream before its table is read.

    Raises:
        DestinationError: The file cannot be opened or read; while another program writes to it, for example.
    """
    profiles = []
    with explained(f"reading {path}"), _open(path) as connection:
        for stream in streams.values():
            table = StreamTable.of(stream)
            present = _columns_of(connection, table.name)
            if present:
                observe(stream.name)
                profiles.append(_profile_table(connection, table, present))
    return profiles


def to_json(profiles: Sequence[TableProfile]) -> bytes:
    """Return the profiles as a JSON array of objects."""
    return msgspec.json.format(msgspec.json.encode([_to_object(profile) for profile in profiles]), indent=2) + b"\n"


def _to_object(profile: TableProfile) -> dict[str, object]:
    drift = [{name: value for name, value in asdict(change).items() if name != "stream"} for change in profile.drift]
    figures = {"empty_columns": profile.empty_columns, "unknown_fields": profile.unknown_fields}
    return {**asdict(profile), "drift": drift, **figures}


@contextlib.contextmanager
def _open(path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    literal = "'" + path.replace("'", "''") + "'"
    with contextlib.closing(duckdb.connect(config={"memory_limit": _MEMORY_LIMIT})) as connection:
        # duckdb.connect(path) would guess the kind of the file, and download an extension for one of SQLite.
        connection.execute(f"ATTACH {literal} AS profiled (TYPE duckdb, READ_ONLY); USE profiled")
        yield connection


def _columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, ColumnType]:
    """The columns that a table has, with their own types: those that hold hashes are text, whatever the schema says."""
    sql = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'main' AND table_name = ?"
    return {name: _COLUMN_TYPES.get(kind, "text") for name, kind in connection.execute(sql, [table]).fetchall()}


def _profile_table(
    connection: duckdb.DuckDBPyConnection, table: StreamTable, present: Mapping[str, ColumnType]
) -> TableProfile:
    columns = {name: present[name] for name in table.columns if name in present}
    time_field = _time_field(table, columns)
    time = _identifier(time_field) if time_field else "NULL::TIMESTAMPTZ"
    selected = ["count(*)", f"epoch_us(min({time}))", f"epoch_us(max({time}))"]
    selected += [aggregate for name, kind in columns.items() for aggregate in _aggregates(name, kind)]
    rows, first, last, *figures = connection.execute(f"SELECT {', '.join(selected)} FROM {_place(table)}").fetchall()[0]  # noqa: S608
    each = zip(columns.items(), figures[::2], figures[1::2], strict=True)
    return TableProfile(
        table.name,
        rows,
        time_field,
        None if first is None else iso_seconds(first),
        None if last is None else iso_seconds(last),
        tuple(_column(name, kind, rows, held, distinct) for (name, kind), held, distinct in each),
        tuple(_drift(connection, table, columns, present)),
    )


def _column(name: str, kind: ColumnType, rows: int, held: int, distinct: int | None) -> ColumnProfile:
    about = None if distinct is None else min(distinct, held)  # the estimate may be more than there are values
    return ColumnProfile(name, kind, rows - held, (rows - held) / rows if rows else 0.0, about)


def _time_field(table: StreamTable, columns: Mapping[str, ColumnType]) -> str | None:
    times = [name for name, kind in columns.items() if kind == "timestamp"]
    return table.cursor_field if table.cursor_field in times else next(iter(times), None)


def _aggregates(name: str, kind: ColumnType) -> tuple[str, str]:
    column = _identifier(name)
    return f"count({column})", "NULL" if kind == "json" else f"approx_count_distinct({column})"


def _drift(
    connection: duckdb.DuckDBPyConnection, table: StreamTable, columns: Mapping[str, ColumnType], present: Collection[str]
) -> Iterator[SchemaChange]:
    if EXTRA in present:
        yield from _unknown_fields(table.name, _fields_in(connection, table, EXTRA))
    if UNPARSED in present:
        for name, found, rows in _fields_in(connection, table, UNPARSED):
            yield SchemaChange(table.name, shown_name(name), _known(table, name), found, rows)
    for name, kind in columns.items():
        if kind == "json":
            yield from _drift_inside(connection, table, name)


def _unknown_fields(stream: str, fields: Iterable[tuple[str, str, int]]) -> Iterator[SchemaChange]:
    """Yield a change for each field, as long as these are not so many, or such, that they are data rather than names."""
    names: set[str] = set()
    data: set[str] = set()
    for name, found, rows in fields:
        if name in names or (len(names) < MAX_UNKNOWN_FIELDS and not is_personal(name)):
            names.add(name)
            yield SchemaChange(stream, shown_name(name), (), found, rows)
        elif found not in data:
            data.add(found)
            yield SchemaChange(stream, "*", (), found)


def _fields_in(connection: duckdb.DuckDBPyConnection, table: StreamTable, column: str) -> Iterator[tuple[str, str, int]]:
    """Yield the fields of the objects in a JSON column: name, JSON type, and in how many rows."""
    sql = f"""
        SELECT name, json_type(field) AS kind, count(*)
        FROM (SELECT unnest(json_keys({column})) AS name, unnest(json_extract({column}, '$.*')) AS field FROM {_place(table)})
        GROUP BY ALL ORDER BY ALL
    """  # noqa: S608  names of our own
    for name, kind, rows in connection.execute(sql).fetchall():
        yield name, _JSON_TYPES.get(kind, "number"), rows


def _drift_inside(connection: duckdb.DuckDBPyConnection, table: StreamTable, column: str) -> Iterator[SchemaChange]:
    detector = DriftDetector(table.name, table.schema.properties[column])
    name = _identifier(column)
    result = connection.execute(f"SELECT {name}::VARCHAR FROM {_place(table)} WHERE {name} IS NOT NULL")  # noqa: S608  as above
    while values := result.fetchmany(_VALUES_TOGETHER):
        for change in detector.observe([text.encode() for (text,) in values]):
            yield replace(change, path=f"{column}.{change.path}" if change.path else column)


def _known(table: StreamTable, field: str) -> tuple[str, ...]:
    schema = table.schema.properties.get(field)
    return () if schema is None else schema.present_types


def _place(table: StreamTable) -> str:
    return f"main.{_identifier(table.name)}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def print_profile(profiles: Sequence[TableProfile], console: Console, *, every_column: bool = False) -> None:
    """Print a table of the streams, and below, for each of them, the columns with nulls and what the schema does not know.

    Args:
        profiles: In the order to be printed.
        console: Where to.
        every_column: Whether the columns that are never null have a line each as well.
    """
    print_whole(_summary(profiles), console)
    for stream in profiles:
        columns = [column for column in stream.columns if column.nulls or every_column]
        if columns or stream.drift:
            _print_details(stream, columns, console)


def _summary(profiles: Sequence[TableProfile]) -> Table:
    table = Table("stream", box=None, pad_edge=False, header_style="bold")
    for title in ("rows", "from", "to", "columns", "empty", "unknown"):
        table.add_column(title, justify="right", no_wrap=True)
    for stream in profiles:
        table.add_row(
            stream.stream,
            f"{stream.rows:,}",
            (stream.first or "")[:_DATE],
            (stream.last or "")[:_DATE],
            str(len(stream.columns)),
            str(stream.empty_columns),
            Text(str(stream.unknown_fields), style="yellow" if stream.unknown_fields else ""),
        )
    return table


def _print_details(stream: TableProfile, columns: Sequence[ColumnProfile], console: Console) -> None:
    console.print()
    console.print(Text(stream.stream, style="bold"))
    if columns:
        print_whole(_columns_table(columns), console)
    if len(columns) < len(stream.columns):
        console.print(f"never null: {len(stream.columns) - len(columns)} of {len(stream.columns)} columns", highlight=False)
    for change in stream.drift:
        say(console, f"not as documented: {_in_words(change)}", "yellow")


def _columns_table(columns: Sequence[ColumnProfile]) -> Table:
    table = Table("column", "type", "", box=None, pad_edge=False, header_style="bold")
    for title in ("null", "distinct"):
        table.add_column(title, justify="right", no_wrap=True)
    for column in columns:
        distinct = "" if column.distinct is None else f"~{column.distinct:,}"
        bar = ProgressBar(total=1.0, completed=column.null_share, width=_BAR_WIDTH)
        table.add_row(Text(column.name), column.type, bar, _percent(column.null_share), distinct)
    return table


def _percent(share: float) -> str:
    """Return a share in whole per cent; what is not quite none or all does not look so."""
    if 0 < share < 0.01:  # noqa: PLR2004  one per cent
        return "<1 %"
    if 0.99 < share < 1:  # noqa: PLR2004
        return ">99 %"
    return f"{share:.0%}".replace("%", " %")


def _in_words(change: SchemaChange) -> str:
    what = f"{change.found} where {' or '.join(change.known)} is known" if change.known else f"unknown, {change.found}"
    return f"{change.path}: {what}" + ("" if change.rows is None else f", in {change.rows:,} rows")
