"""The ``discover`` command."""

from __future__ import annotations

from zendesk_chat.airbyte.catalog import airbyte_streams
from zendesk_chat.airbyte.inputs import read_config
from zendesk_chat.airbyte.messages import Writer, failure_type
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.streams.registry import streams_for


def discover(writer: Writer, config_path: str) -> int:
    """Describe the streams, without a request to Zendesk. Returns the exit code."""
    try:
        streams, _ = streams_for(read_config(config_path, writer).redaction)
    except ConfigError as error:
        writer.error(str(error), failure_type(error))
        return ExitCode.INCOMPLETE
    writer.catalog(airbyte_streams(streams.values()))
    return ExitCode.COMPLETE
