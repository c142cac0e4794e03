"""Singer's catalog: what discovery prints, and what a user selected in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_schema import Schema
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.redaction.redactor import Redactor, redactor
from zendesk_chat.redaction.rules import ANY_KEY, Path, Redaction, Rule
from zendesk_chat.redaction.schemas import redacted_schema
from zendesk_chat.singer.streams import TapStream

AGAIN: Final = "Pass the output of --discover, in which you may change `selected`."


class Metadata(msgspec.Struct, frozen=True):
    """The metadata of a stream, whose breadcrumb is empty, or of one of its fields."""

    breadcrumb: list[str]
    metadata: dict[str, object]

    def selected(self, *, default: bool) -> bool:
        """Return whether to read it. ``default`` is for one about which neither the user nor the tap decided."""
        inclusion, chosen = self.metadata.get("inclusion"), self.metadata.get("selected")
        if chosen is None:
            chosen = self.metadata.get("selected-by-default", default)
        return inclusion == "automatic" or (inclusion != "unsupported" and bool(chosen))

    @property
    def path(self) -> Path:
        """The path of a field: ("history", "*", "msg") for ["properties", "history", "items", "properties", "msg"]."""
        words = iter(self.breadcrumb)
        return tuple(ANY_KEY if word == "items" else next(words, "") for word in words)


class Entry(msgspec.Struct, frozen=True):
    """A stream in a catalog."""

    tap_stream_id: str
    metadata: list[Metadata] = []
    schema: dict[str, object] = {}

    @property
    def table(self) -> Metadata:
        """The metadata of the stream itself."""
        return next((item for item in self.metadata if not item.breadcrumb), Metadata([], {}))


class Entries(msgspec.Struct, frozen=True):
    """A catalog."""

    streams: list[Entry]


@dataclass(frozen=True, slots=True)
class Selected:
    """A stream to read.

    Attributes:
        full_table: Whether to read it from the start, so that a target can delete what did not come again.
        schema: The schema of the selected fields.
        select: Removes deselected fields from a record; None if all are selected.
    """

    stream: TapStream
    full_table: bool
    schema: Schema
    select: Redactor | None = None


def catalog_entry(stream: TapStream) -> dict[str, object]:
    """Describe a stream, with metadata for it and for each of its fields, nested ones included."""
    schema, automatic = stream.schema, [["properties", name] for name in stream.automatic]
    forced = {"forced-replication-method": "FULL_TABLE"}
    cursor = {"replication-method": "INCREMENTAL", "replication-key": stream.stream.cursor_field}
    table = {
        "inclusion": "available",
        "selected-by-default": stream.is_default,
        "table-key-properties": stream.key,
        **(cursor if stream.is_incremental else forced),
    }
    inclusions = {True: {"inclusion": "automatic"}, False: {"inclusion": "available"}}
    fields = [{"breadcrumb": path, "metadata": inclusions[path in automatic]} for path in _breadcrumbs(schema)]
    return {
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "key_properties": stream.key,
        "schema": schema.to_json(),
        "metadata": [{"breadcrumb": [], "metadata": table}, *fields],
    }


def parse_catalog(raw: object, streams: Mapping[str, TapStream]) -> list[Selected]:
    """Return what a catalog selects. Raises ConfigError if it is malformed or selects a stream that does not exist."""
    try:
        entries = msgspec.convert(raw, Entries).streams
    except msgspec.ValidationError as error:
        raise ConfigError(f"The catalog is malformed: {error}. {AGAIN}") from None
    chosen = {
        entry.tap_stream_id: entry
        for entry in entries
        if entry.table.selected(default=entry.schema.get("selected") is True)  # where --properties has it
    }
    if unknown := [printable(name, LONGEST_NAME) for name in chosen if name not in streams]:
        known = ", ".join(streams)
        raise ConfigError(f"The catalog selects a stream that does not exist: {unknown[0]}. {AGAIN} The streams are {known}.")
    return [_selected(streams[name], entry) for name, entry in chosen.items()]


def _selected(stream: TapStream, entry: Entry) -> Selected:
    full_table = not stream.is_incremental or entry.table.metadata.get("replication-method") == "FULL_TABLE"
    name, schema = stream.stream.name, stream.schema
    paths = [item.path for item in entry.metadata if item.breadcrumb and not item.selected(default=True)]
    rules = tuple(Rule(name, path, "drop") for path in paths if path not in {(field,) for field in stream.automatic})
    if not rules:
        return Selected(stream, full_table, schema)
    deselected = Redaction(rules, hash_key="")
    return Selected(stream, full_table, redacted_schema(deselected, name, schema), redactor(deselected, name))


def _breadcrumbs(schema: Schema, above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    for name, field in schema.properties.items():
        yield [*above, "properties", name]
        yield from _breadcrumbs(field, (*above, "properties", name))
    if schema.items is not None:
        yield from _breadcrumbs(schema.items, (*above, "items"))
