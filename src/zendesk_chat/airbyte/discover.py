"""The ``discover`` command."""

from __future__ import annotations

from zendesk_chat.airbyte.catalog import airbyte_streams
from zendesk_chat.airbyte.inputs import read_config
from zendesk_chat.airbyte.messages import Writer, failure_type
from zendesk_chat.errors import ConfigError
from zendesk_chat.streams.catalog import Catalog


def discover(writer: Writer, config_path: str) -> int:
    """Describe the streams there are, without asking Zendesk. Returns the exit code."""
    try:
        catalog = Catalog(read_config(config_path, writer).redaction)
    except ConfigError as error:
        writer.error(str(error), failure_type(error))
        return 1
    writer.catalog(airbyte_streams(catalog.streams.values()))
    return 0
