"""The streams as Airbyte's catalog describes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zendesk_chat.streams.stream import Stream


def airbyte_streams(streams: Iterable[Stream]) -> list[dict[str, Any]]:
    """The AirbyteStream of each stream, with the schema of its records."""
    return [_airbyte_stream(stream) for stream in streams]


def _airbyte_stream(stream: Stream) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": stream.name,
        "json_schema": stream.schema.to_json(),
        "supported_sync_modes": ["full_refresh"],
        "is_resumable": False,
        "source_defined_primary_key": [[field] for field in stream.primary_key],
    }
    if stream.cursor_field:
        described |= {
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": [stream.cursor_field],
            "is_resumable": True,
        }
    return described
