"""Read any JSON record: DuckDB's reader, which keeps what does not fit its column instead of refusing the record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa

from zendesk_chat.tables.repair import repair_text, wrap_unreadable
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

if TYPE_CHECKING:
    from zendesk_chat.streams.stream import RawRecord

_MEMORY_LIMIT: Final = "512MB"  # of the reader; a segment of 8 MB needs a tenth of it, a record of 50 MB most of it
_CASTS: Final[dict[ColumnType, str]] = {
    "text": "{field}",
    "json": "{field}::VARCHAR",
    # A cast alone would round 12.7 to 13 and read 0x10.
    "bigint": r"CASE WHEN regexp_full_match({text}, '-?[0-9]+(\.0+)?') THEN TRY_CAST({text} AS BIGINT) END",
    "double": "CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END",
    "bool": "CASE {text} WHEN 'true' THEN true WHEN '1' THEN true WHEN 'false' THEN false WHEN '0' THEN false END",
    # A cast alone would also read the words epoch and infinity, and years that no other program reads.
    "timestamp": "CASE WHEN regexp_matches({text}, '^[0-9]{{4}}-') THEN TRY_CAST({text} AS TIMESTAMPTZ) END",
}


def open_reader() -> duckdb.DuckDBPyConnection:
    """Return a private in-memory database for ``read_leniently``; the caller closes it."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{_MEMORY_LIMIT}'; SET temp_directory = ''")
    return connection


def read_leniently(reader: duckdb.DuckDBPyConnection, table: StreamTable, records: Sequence[RawRecord]) -> pa.Table:
    """Return the records as rows, one for each, in their order: the columns, then ``_extra`` and ``_unparsed``.

    A value that does not fit its column is null there and stands in ``_unparsed``; fields without a column that are
    not null stand in ``_extra``. What is no valid JSON is repaired, and kept as a string if it cannot be.
    """
    try:
        return _read_lines(reader, table, pa.array(records, pa.string()))
    except (duckdb.Error, pa.ArrowInvalid):
        return _read_lines(reader, table, pa.array(_readable(reader, records), pa.string()))


def _read_lines(reader: duckdb.DuckDBPyConnection, table: StreamTable, lines: pa.StringArray) -> pa.Table:
    return _query(reader, lines, _parse_sql(table))


def _query(reader: duckdb.DuckDBPyConnection, lines: pa.StringArray, sql: str) -> pa.Table:
    relation = reader.from_arrow(pa.table({"line": lines})).query("lines", sql)
    assert relation is not None  # noqa: S101  it is for statements that return nothing
    result: pa.Table = relation.to_arrow_table()
    return result


def _parse_sql(table: StreamTable) -> str:
    """Return a query that reads each line's columns in one pass."""
    columns = table.columns
    structure = json.dumps({name: "VARCHAR" if kind == "text" else "JSON" for name, kind in columns.items()})
    selected = [
        f"{_CASTS[kind].format(field=_field(name), text=_text(name))} AS {_identifier(name)}" for name, kind in columns.items()
    ]
    misfits = [
        f"CASE WHEN {_field(name)} IS NOT NULL AND {_identifier(name)} IS NULL THEN {_entry(name, _field(name))} END"
        for name, kind in columns.items()
        if kind not in ("text", "json")
    ]
    return f"""
        SELECT {", ".join(selected)}, extra AS {EXTRA}, {_object(misfits)} AS {UNPARSED}
        FROM (SELECT json_transform(line, {_literal(structure)}) AS fields, {_unknown_fields(columns)} AS extra FROM lines)
    """  # noqa: S608  names of fields, quoted


def _unknown_fields(known: Iterable[str]) -> str:
    """Return an expression for a JSON object of a line's unknown fields that are not null, by name; null if none."""
    names = ", ".join(map(_literal, known))
    fields = "list_zip(json_keys(line), json_extract(line, '$.*'))"
    unknown = f"list_sort(list_filter({fields}, lambda f: f[1] NOT IN ({names}) AND f[2]::VARCHAR <> 'null'))"
    entries = f"list_transform({unknown}, lambda f: to_json(f[1]) || ':' || f[2]::VARCHAR)"
    return f"nullif('{{' || array_to_string({entries}, ',') || '}}', '{{}}')"


def _readable(reader: duckdb.DuckDBPyConnection, records: Sequence[RawRecord]) -> Iterator[str]:
    texts = [repair_text(record) for record in records]
    valid = _query(reader, pa.array(texts, pa.string()), "SELECT json_valid(line) AS valid FROM lines")
    for record, text, usable in zip(records, texts, valid.column("valid").to_pylist(), strict=True):
        yield text if usable else wrap_unreadable(record)


def _object(entries: Sequence[str]) -> str:
    """Return an expression for a JSON object of the entries that are not null, itself null when none is left."""
    if not entries:
        return "NULL::VARCHAR"
    return f"nullif('{{' || concat_ws(',', {', '.join(entries)}) || '}}', '{{}}')"


def _entry(name: str, value: str) -> str:
    return f"{_literal(json.dumps(name, ensure_ascii=False) + ':')} || {value}"


def _field(name: str) -> str:
    return f"fields.{_identifier(name)}"


def _text(name: str) -> str:
    return f"(fields.{_identifier(name)} ->> '$')"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
