"""A stream as a table. Its columns are derived from the JSON schema of its records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from zendesk_chat.json_schema import JSON_TYPES, Schema
from zendesk_chat.streams.derived.visitors import LAST_CHAT

if TYPE_CHECKING:
    from zendesk_chat.streams.stream import Stream

ColumnType: TypeAlias = Literal["text", "bigint", "double", "bool", "timestamp", "json"]
"""A column's type in dlt's terms."""

EXTRA: Final = "_extra"
"""JSON column for the fields of a record that its schema does not name; null if there are none."""

UNPARSED: Final = "_unparsed"
"""JSON column for original values that did not fit their column's type, which is null; null if all fitted."""


@dataclass(frozen=True)  # without slots, for `cached_property`
class StreamTable:
    """A stream as a table.

    Attributes:
        primary_key: Top-level fields that identify a record; empty if there is only one record.
        cursor_field: The field that orders the stream; None if every run reads it completely.
        parent_field: The field with the key of the record that this one is nested in, if a parent's children are replaced
            together. Each record then has a value in it.
        latest_by: Of two records with the same key, the one with the larger value in this field stays, whichever arrived first;
            null is the smallest. If None, the last to arrive stays. The key of such a table is one field.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    schema: Schema
    parent_field: str | None = None
    latest_by: str | None = None

    @classmethod
    def of(cls, stream: Stream) -> StreamTable:
        """Return the table of a stream."""
        return cls(stream.name, stream.primary_key, stream.cursor_field, stream.schema, stream.parent_field, stream.latest_by)

    @property
    def source_field(self) -> str | None:
        """The field with the id of the chat that a record was extracted from; None for one of the API's own records."""
        return self.parent_field or (LAST_CHAT if self.latest_by and LAST_CHAT in self.columns else None)

    @property
    def mirrors(self) -> bool:
        """Whether each complete list replaces the table, so that deleted records disappear."""
        return self.cursor_field is None or not self.primary_key

    @cached_property
    def columns(self) -> dict[str, ColumnType]:
        """The type of each column for a field of the schema, by name."""
        return {name: column_type(field) for name, field in self.schema.properties.items()}


def column_type(field: Schema) -> ColumnType:
    """Return the type of the column for a field.

    A field of several types gets the type that fits them all best: boolean and integer share a boolean column, a scalar that
    may also be a string is text, and a field that may be an object or array is JSON.
    """
    if field.types == JSON_TYPES or field.allows("object", "array"):
        return "json"
    if field.allows("string"):
        return "timestamp" if field.present_types == ("string",) and field.format == "date-time" else "text"
    if field.allows("boolean"):
        return "bool"
    if field.allows("number"):
        return "double"
    return "bigint" if field.allows("integer") else "json"
