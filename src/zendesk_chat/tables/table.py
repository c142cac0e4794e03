"""What a stream becomes in a database: a table whose columns follow from the stream's JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from zendesk_chat.streams.stream import Stream

ColumnType: TypeAlias = Literal["text", "bigint", "double", "bool", "timestamp", "json"]
"""A column's type in dlt's words."""

EXTRA: Final = "_extra"
"""JSON column: the fields of a record that its schema does not name; null when there are none."""

UNPARSED: Final = "_unparsed"
"""JSON column: the original values that did not fit their column's type, which is null; null when all fitted."""


@dataclass(frozen=True, slots=True)
class StreamTable:
    """A stream as a table.

    Attributes:
        name: Of the stream and of the table.
        primary_key: Top-level fields that identify a record; empty when there is exactly one record.
        cursor_field: The field that orders the stream, or None when every run reads it whole.
        schema: JSON schema of its records (draft-07).
        parent_field: The field that names the record of which this one is a child, where a parent's children are replaced all
            at once. Every record has its key then.
        latest_by: Of two records with one key, the one with more in this field stays, whichever came first; null is least. None
            where the last to come stays. Such a table's key is one field.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    schema: Mapping[str, Any]
    parent_field: str | None = None
    latest_by: str | None = None

    @property
    def mirrors(self) -> bool:
        """Whether the table is replaced by each complete list, so that what the source deleted disappears."""
        return self.cursor_field is None or not self.primary_key

    @property
    def columns(self) -> dict[str, ColumnType]:
        """The columns that hold the schema's fields, in its order."""
        return {name: column_type(field) for name, field in self.schema["properties"].items()}


def stream_table(stream: Stream) -> StreamTable:
    """Return the table that a stream is."""
    return StreamTable(
        stream.name, stream.primary_key, stream.cursor_field, stream.schema.to_json(), stream.parent_field, stream.latest_by
    )


def column_type(field: Mapping[str, Any]) -> ColumnType:
    """Return the type of the column that holds a field of this JSON schema.

    A field of several types gets the one that holds them all best: boolean and integer share a boolean column,
    a scalar that may also be text is text, and whatever may be an object or array is JSON.
    """
    declared = field.get("type", [])
    types = ({declared} if isinstance(declared, str) else set(declared)) - {"null"}
    if types & {"object", "array"} or not types:
        return "json"
    if "string" in types:
        return "timestamp" if types == {"string"} and field.get("format") == "date-time" else "text"
    if "boolean" in types:
        return "bool"
    return "double" if "number" in types else "bigint"
