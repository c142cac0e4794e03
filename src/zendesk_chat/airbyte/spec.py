"""The ``spec`` command."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from zendesk_chat.airbyte.messages import Writer


def spec(writer: Writer) -> int:
    """Describe what a configuration looks like. Returns the exit code."""
    writer.spec(msgspec.json.decode((files("zendesk_chat.airbyte") / "spec.json").read_bytes()))
    return 0
