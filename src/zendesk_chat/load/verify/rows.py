"""Rows of a table in the file, and the account's records in the same form, so that they can be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, cast

import msgspec
import pyarrow as pa

from zendesk_chat.json_types import Json
from zendesk_chat.load.file.stored import Stored
from zendesk_chat.streams.records import raw_fields
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.sql import quoted
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

Key: TypeAlias = str | int
Redacted: TypeAlias = Literal["alike", "partly", "otherwise"]
"""Whether all rows, some or none were loaded with the redaction rules in the configuration."""

Row: TypeAlias = Mapping[str, Json]
"""The values of a row by column: JSON is decoded, times are microseconds since 1970."""

ONLY_ROW: Final = ""
"""The key of the only row in a table without a key."""


class Current(NamedTuple):
    """A record of the account as a row, and the names of the fields that it has."""

    row: Row
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A table of the file whose rows are compared.

    Attributes:
        columns: The stream's columns that the table has.
        json: The JSON columns among them.
        selected: The columns for SQL, each converted to a value of ``Row``.
        reader: Converts records to rows, like ``sync``.
        redaction: Which rows were loaded with the redaction rules in the configuration.
    """

    stored: Stored
    table: StreamTable
    columns: tuple[str, ...]
    json: frozenset[str]
    selected: str
    reader: RecordReader
    redaction: Redacted

    @classmethod
    def of(cls, stored: Stored, table: StreamTable, redaction: Redacted) -> ComparedTable | None:
        """Return the table of a stream; None if the file has none."""
        types = stored.column_types(table.name)
        columns = tuple(name for name in (*table.columns, EXTRA, UNPARSED) if name in types)
        if not set(table.primary_key) <= set(columns) or not columns:
            return None
        selected = ", ".join(f"{_converted(name, types[name])} AS {quoted(name)}" for name in columns)
        json = frozenset(name for name in columns if table.columns.get(name, "json") == "json")
        return cls(stored, table, columns, json, selected, RecordReader(table), redaction)

    @property
    def key(self) -> str:
        """The column of the key; "" if the table has one row."""
        return self.table.primary_key[0] if self.table.primary_key else ""

    @property
    def is_repairable(self) -> bool:
        """Whether rows may be written. Under other redaction rules they would not match the existing ones."""
        return self.redaction != "otherwise"

    @property
    def alive(self) -> str:
        """The SQL condition for rows that are not deleted in Zendesk."""
        return "deleted IS NOT TRUE" if "deleted" in self.columns else "true"

    def count(self, condition: str = "true") -> int:
        """Return the number of rows that satisfy an SQL condition."""
        ((rows,),) = self.stored.rows(f"SELECT count(*) FROM {self.name} WHERE {condition}")
        return int(rows)

    def known(self, keys: Collection[Key], condition: str = "true") -> set[Key]:
        """Return the keys that have a row which satisfies an SQL condition."""
        sql = f"SELECT {quoted(self.key)} FROM {self.name} WHERE {quoted(self.key)} IN (SELECT unnest(?)) AND {condition}"
        return {key for (key,) in self.stored.rows(sql, [list(keys)])} if keys else set()

    def rows(self) -> dict[Key, Row]:
        """Return all rows by their keys."""
        return self._by_key(self.stored.dicts(f"SELECT {self.selected} FROM {self.name}"))

    def rows_where(self, column: str, values: Collection[Key]) -> dict[Key, Row]:
        """Return the rows that have one of these values in a column, by their keys."""
        sql = f"SELECT {self.selected} FROM {self.name} WHERE {quoted(column)} IN (SELECT unnest(?))"
        return self._by_key(self.stored.dicts(sql, [list(values)])) if values else {}

    def of_records(self, records: Sequence[bytes]) -> dict[Key, Current]:
        """Return records of the account as rows by key. Of several with the same key, the last one counts."""
        found = self.reader.read(records).select(self.columns)
        comparable = [field.with_type(pa.int64()) if pa.types.is_timestamp(field.type) else field for field in found.schema]
        rows: Sequence[Row] = found.cast(pa.schema(comparable)).to_pylist()
        fields = [frozenset(raw_fields.decode(record)) for record in records]
        return {
            key: Current(self._decoded(row), names)
            for row, names in zip(rows, fields, strict=True)
            if (key := self._key_of(row)) is not None
        }

    def redacted_otherwise(self, keys: Collection[Key]) -> set[Key]:
        """Return the keys whose rows were loaded with other redaction rules: only the keys are comparable."""
        if self.redaction == "alike" or not keys:
            return set()
        if self.redaction == "otherwise":
            return set(keys)
        sql = f"SELECT key FROM {self.stored.table('_sync_outdated')} WHERE stream = ? AND key IN (SELECT unnest(?))"
        outdated = {key for (key,) in self.stored.rows(sql, [self.table.name, [str(key) for key in keys]])}
        return {key for key in keys if str(key) in outdated}

    def repeated(self) -> set[Key]:
        """Return the keys that several rows have."""
        if not self.key:
            return set()
        key = quoted(self.key)
        sql = f"SELECT {key} FROM {self.name} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
        return {key for (key,) in self.stored.rows(sql)}

    def has_values(self, column: str) -> bool:
        """Whether any row has a value in a column."""
        return bool(self.stored.rows(f"SELECT 1 FROM {self.name} WHERE {quoted(column)} IS NOT NULL LIMIT 1"))

    @property
    def name(self) -> str:
        """Its name for SQL."""
        return self.stored.table(self.table.name)

    def _by_key(self, rows: Iterable[Row]) -> dict[Key, Row]:
        return {key: self._decoded(row) for row in rows if (key := self._key_of(row)) is not None}

    def _key_of(self, row: Row) -> Key | None:
        return cast("Key | None", row[self.key]) if self.key else ONLY_ROW

    def _decoded(self, row: Row) -> Row:
        return {name: _decoded(value) if name in self.json else value for name, value in row.items()}


def _converted(name: str, kind: str) -> str:
    """Return a column for SQL as a value that Python can compare."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({quoted(name)})"
    return f"{quoted(name)}::VARCHAR" if kind == "JSON" else quoted(name)


def _decoded(text: Json) -> Json:
    if not isinstance(text, str):
        return text
    try:
        return cast("Json", msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):  # a number that Python cannot represent, or nested too deeply
        return text
