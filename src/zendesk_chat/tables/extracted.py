"""Records extracted from chats as columns, without encoding and decoding in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from zendesk_chat.streams.derived.extracted import ABSENT, ExtractedRecords, Naming
from zendesk_chat.tables.columns import UNFIT, Array, to_column, to_text
from zendesk_chat.tables.table import ColumnType, StreamTable


class ExtractedReader:
    """Reads the records of a table that are still decoded."""

    def __init__(self, table: StreamTable) -> None:
        self._columns = table.columns
        self._fields = table.schema.properties

    def columns(self, records: ExtractedRecords) -> Sequence[Array]:
        """Return the decoded records as columns; none if there are no such records, or one may not fit its column."""
        values = records.columns() if self._holds(records.naming) else {}
        if not values:
            return ()
        empty = [None] * len(values["id"])
        try:
            return [self._column(name, kind, values.get(name, empty)) for name, kind in self._columns.items()]
        except UNFIT:
            return ()

    def _holds(self, naming: Naming) -> bool:
        """Return whether the table has a column for each field, and text columns only for strings and integers."""
        fields = self._fields
        return fields.keys() >= {*naming.fields} and all(
            {"string", "integer"}.issuperset(fields[name].present_types)
            for name in naming.fields
            if self._columns[name] == "text"
        )

    def _column(self, name: str, kind: ColumnType, values: Sequence[Any]) -> Array:
        if kind == "json":
            absent, encode = ABSENT, msgspec.json.encode
            return to_column(kind, [None if value is None or value is absent else encode(value) for value in values])
        if kind == "text" and self._fields[name].allows("integer"):
            return to_text(values)
        return to_column(kind, values)
