"""Records extracted from chats as columns, without being encoded and decoded in between."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from zendesk_chat.streams.derived.extracted import ABSENT, DecodedRecords, ExtractedRecords, Naming
from zendesk_chat.tables.columns import UNFIT, Array, null_column, to_column, to_text
from zendesk_chat.tables.table import ColumnType, StreamTable


class ExtractedReader:
    """Reads the records of a table that are still decoded."""

    def __init__(self, table: StreamTable) -> None:
        self._columns = table.columns
        self._fields = table.schema.properties

    def columns(self, records: ExtractedRecords) -> Sequence[Array]:
        """Return the decoded records as columns; none if there are no such records, or one may not fit its column."""
        decoded = records.decoded()
        naming = records.naming
        if not len(decoded) or not self._holds(naming):
            return ()
        try:
            return [
                self._column(name, kind, decoded) if name in naming.fields else null_column(kind, len(decoded))
                for name, kind in self._columns.items()
            ]
        except UNFIT:
            return ()

    def _holds(self, naming: Naming) -> bool:
        """Whether the table has a column for each field, and none of text for other values than strings and integers."""
        fields = self._fields
        return fields.keys() >= {*naming.fields} and all(
            {"string", "integer"}.issuperset(fields[name].present_types)
            for name in naming.fields
            if self._columns[name] == "text"
        )

    def _column(self, name: str, kind: ColumnType, records: DecodedRecords) -> Array:
        values = records.column(name)
        if kind == "json":
            absent, encode = ABSENT, msgspec.json.encode
            return to_column(kind, [None if value is None or value is absent else encode(value) for value in values])
        if kind == "text" and self._fields[name].allows("integer"):
            return to_text(values)
        return to_column(kind, values)
