"""The JSON schema of each stream's records."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from zendesk_chat.json_schema import Schema

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction


def load_schema(stream: str) -> Schema:
    """Load the schema of a stream's records as the API sends them."""
    return Schema.parse(msgspec.json.decode((files(__name__) / f"{stream}.json").read_bytes(), type=dict[str, object]))


def load_redacted_schema(redaction: Redaction, stream: str) -> Schema:
    """Load the schema of a stream's redacted records."""
    from zendesk_chat.redaction.schemas import redacted_schema  # late, because users without redaction do not need it

    return redacted_schema(redaction, stream, load_schema(stream))
