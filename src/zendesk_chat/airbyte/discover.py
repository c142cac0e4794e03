"""The ``discover`` command: the streams as an Airbyte catalog."""

from __future__ import annotations

from zendesk_chat.airbyte.inputs import read_config
from zendesk_chat.airbyte.messages import Writer, failure_type
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Stream


def discover(writer: Writer, config_path: str) -> int:
    """Describe the streams, without a request to Zendesk. Return the exit code."""
    try:
        catalog = Catalog(read_config(config_path, writer).redaction)
    except ConfigError as error:
        writer.error(str(error), failure_type(error))
        return ExitCode.INCOMPLETE
    writer.catalog([_airbyte_stream(stream) for stream in catalog.streams.values()])
    return ExitCode.COMPLETE


def _airbyte_stream(stream: Stream) -> dict[str, object]:
    cursor = {
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": [stream.cursor_field],
        "is_resumable": True,
    }
    return {
        "name": stream.name,
        "json_schema": stream.schema.to_json(),
        "supported_sync_modes": ["full_refresh"],
        "is_resumable": False,
        "source_defined_primary_key": [[field] for field in stream.primary_key],
        **(cursor if stream.cursor_field else {}),
    }
