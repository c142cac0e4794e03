"""The streams as targets see them, what discovery prints of them, and what a user selected.

Names and keys are those of singer-io's tap for Zendesk Chat (0.5), which has eight of the streams. Its tables stay valid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_schema import Schema
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.redaction.redactor import Redactor, redactor
from zendesk_chat.redaction.rules import ANY_KEY, Path, Redaction, Rule
from zendesk_chat.redaction.schemas import redacted_schema
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.stream import Stream

ACCOUNT: Final = "accounts"
SHORTCUTS: Final = "shortcuts"
NAMES: Final = {ACCOUNT: "account"}  # the others have the connector's names
# A target keeps the last record of a key, and an old chat that was edited comes after a new one.
KEYS: Final = {SHORTCUTS: ("name",), "visitors": ("id", "last_chat_timestamp")}
FULL_TABLE: Final = "FULL_TABLE"


class Metadata(msgspec.Struct, frozen=True):
    """The metadata of a stream, whose breadcrumb is empty, or of one of its fields."""

    breadcrumb: list[str]
    metadata: dict[str, object]

    def selected(self, *, default: object) -> bool:
        """Return whether to read it. ``default`` is for one about which neither the user nor the tap decided."""
        return bool(self.metadata.get("selected", self.metadata.get("selected-by-default", default)))

    @property
    def path(self) -> Path:
        """The path of a field: ("history", "*", "msg") for ["properties", "history", "items", "properties", "msg"]."""
        words = iter(self.breadcrumb)
        return tuple(ANY_KEY if word == "items" else next(words, "") for word in words)


class Entry(msgspec.Struct, frozen=True):
    """A stream in a catalog. Catalogs for ``--properties`` may select it in ``schema``."""

    tap_stream_id: str
    metadata: list[Metadata] = []
    schema: dict[str, object] = {}

    @property
    def table(self) -> Metadata:
        """The metadata of the stream itself."""
        return next((item for item in self.metadata if not item.breadcrumb), Metadata([], {}))


class Selection(msgspec.Struct, frozen=True):
    """A catalog as the user edited it."""

    streams: list[Entry]


@dataclass(frozen=True, slots=True)
class TapStream:
    """A stream as a target sees it.

    Attributes:
        name: Its ``tap_stream_id``, and the name of its table.
        stream: The connector's stream.
        key: The fields that identify a record.
        schema: The JSON schema of its records, as targets understand it.
        full_table: Whether each run reads it completely, so that a target can delete what is gone. Lists always are.
        deselect: Removes deselected fields from a record; None if all are selected.
    """

    name: str
    stream: Stream
    key: tuple[str, ...]
    schema: Schema
    full_table: bool
    deselect: Redactor | None = None

    @property
    def cursor(self) -> list[str]:
        """The field that orders its records, if it has one."""
        return [self.stream.cursor_field] if self.stream.cursor_field else []

    def entry(self) -> dict[str, object]:
        """Describe the stream in a catalog, with metadata for it and for each of its fields, nested ones included."""
        incremental = {"replication-method": "INCREMENTAL", "replication-key": self.stream.cursor_field}
        table = {
            "inclusion": "available",
            "selected-by-default": self.stream.extraction is None,  # ``chats`` contains what is extracted from it
            "table-key-properties": self.key,
            **({"forced-replication-method": FULL_TABLE} if self.full_table else incremental),
        }
        automatic = [["properties", name] for name in (*self.key, *self.cursor)]
        inclusions = {True: {"inclusion": "automatic"}, False: {"inclusion": "available"}}
        fields = [{"breadcrumb": path, "metadata": inclusions[path in automatic]} for path in _breadcrumbs(self.schema)]
        described = {"tap_stream_id": self.name, "stream": self.name, "key_properties": self.key}
        return {**described, "schema": self.schema.to_json(), "metadata": [{"breadcrumb": [], "metadata": table}, *fields]}

    def selected(self, entry: Entry) -> TapStream:
        """Return the stream as an entry of a catalog selects it. Keys and the cursor cannot be deselected."""
        full_table = self.full_table or entry.table.metadata.get("replication-method") == FULL_TABLE
        automatic, name = [(field,) for field in (*self.key, *self.cursor)], self.stream.name
        paths = [item.path for item in entry.metadata if item.breadcrumb and not item.selected(default=True)]
        rules = Redaction(tuple(Rule(name, path, "drop") for path in paths if path not in automatic), hash_key="")
        schema = redacted_schema(rules, name, self.schema)
        return replace(self, full_table=full_table, schema=schema, deselect=redactor(rules, name))


def tap_streams(catalog: Catalog) -> Mapping[str, TapStream]:
    """Return the streams of a catalog by the name that a target sees."""
    return {NAMES.get(name, name): _tap_stream(stream, catalog) for name, stream in catalog.streams.items()}


def select(selection: Selection, streams: Mapping[str, TapStream]) -> list[TapStream]:
    """Return what a catalog selects. Raises ConfigError if it selects a stream that does not exist."""
    chosen = [entry for entry in selection.streams if entry.table.selected(default=entry.schema.get("selected"))]
    if unknown := [printable(entry.tap_stream_id, LONGEST_NAME) for entry in chosen if entry.tap_stream_id not in streams]:
        raise ConfigError(f"The catalog selects an unknown stream: {unknown[0]}. The streams are {', '.join(streams)}.")
    return [streams[entry.tap_stream_id].selected(entry) for entry in chosen]


def _tap_stream(stream: Stream, catalog: Catalog) -> TapStream:
    key = KEYS.get(stream.name, stream.primary_key)
    if stream.name == SHORTCUTS and catalog.redaction_of(SHORTCUTS):  # a redacted name identifies nothing
        key = stream.primary_key
    # Accounts that are part of a Zendesk Suite lack the stream: the API responds with 403.
    stream = replace(stream, optional=stream.optional or stream.name == ACCOUNT)
    is_list = not isinstance(stream.source, Export)
    return TapStream(NAMES.get(stream.name, stream.name), stream, key, _for_targets(stream.schema), full_table=is_list)


def _for_targets(schema: Schema) -> Schema:
    """Return a schema without Airbyte's keywords, and without items that may be objects or arrays, as in ``webpath``.

    For those, target-postgres would create a column of strings. It stores an array of anything as JSON.
    """
    items = schema.items
    return replace(
        schema,
        annotations={name: value for name, value in schema.annotations.items() if not name.startswith("airbyte_")},
        properties={name: _for_targets(inner) for name, inner in schema.properties.items()},
        items=None if items is None or (items.allows("object") and items.allows("array")) else _for_targets(items),
    )


def _breadcrumbs(schema: Schema, above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    for name, field in schema.properties.items():
        yield [*above, "properties", name]
        yield from _breadcrumbs(field, (*above, "properties", name))
    if schema.items is not None:
        yield from _breadcrumbs(schema.items, (*above, "items"))
