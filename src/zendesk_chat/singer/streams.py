"""The streams of the tap: those of the connector, with the names and keys of Singer's own tap for Zendesk Chat.

That tap (singer-io/tap-zendesk-chat 0.5) has eight streams. Their tables in a target stay valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from zendesk_chat.json_schema import Schema
from zendesk_chat.redaction.redactor import redactor
from zendesk_chat.redaction.rules import Redaction
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.stream import Stream

ACCOUNT: Final = "accounts"
SHORTCUTS: Final = "shortcuts"
NAMES: Final = {ACCOUNT: "account"}  # the others have the connector's names
KEYS: Final = {
    SHORTCUTS: ("name",),
    # A target keeps the last record of a key, and an old chat that was edited comes after a new one.
    "visitors": ("id", "last_chat_timestamp"),
}
SHORTCUT: Final = (
    b'{"name":"jo@example.com +1 212 555 0142 203.0.113.7 4111 1111 1111 1111"}'  # to see what a redaction changes
)


@dataclass(frozen=True, slots=True)
class TapStream:
    """A stream as a target sees it.

    Attributes:
        name: Its ``tap_stream_id``, and the name of its table.
        stream: The connector's stream.
        key: The fields that identify a record.
    """

    name: str
    stream: Stream
    key: tuple[str, ...]

    @property
    def is_incremental(self) -> bool:
        """Whether a run can read only what changed. Lists are complete in each run, so that a target sees deletions."""
        return isinstance(self.stream.source, Export)

    @property
    def is_default(self) -> bool:
        """Whether it is read if nothing was selected. What is extracted from chats is in ``chats`` already."""
        return self.stream.extraction is None

    @property
    def automatic(self) -> frozenset[str]:
        """The fields that cannot be deselected."""
        return frozenset({*self.key, *filter(None, [self.stream.cursor_field])})

    @property
    def schema(self) -> Schema:
        """The JSON schema of its records, as targets understand it."""
        return _for_targets(self.stream.schema)


def tap_streams(catalog: Catalog, redaction: Redaction | None = None) -> Mapping[str, TapStream]:
    """Return the streams of a catalog, which has this redaction, by the name that a target sees."""
    streams = [_tap_stream(stream, redaction) for stream in catalog.streams.values()]
    return {stream.name: stream for stream in streams}


def _tap_stream(stream: Stream, redaction: Redaction | None) -> TapStream:
    key = KEYS.get(stream.name, stream.primary_key)
    if stream.name == SHORTCUTS and redaction and (redact := redactor(redaction, SHORTCUTS)) and redact(SHORTCUT) != SHORTCUT:
        key = stream.primary_key  # a redacted name identifies nothing
    if stream.name == ACCOUNT:  # to an account that is part of a Zendesk Suite, the API responds with 403
        stream = replace(stream, optional=True)
    return TapStream(NAMES.get(stream.name, stream.name), stream, key)


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
