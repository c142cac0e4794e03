"""What there is to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from source_zendesk_chat.errors import ConfigError
from source_zendesk_chat.streams.registry import STREAMS


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that can be read.

    Attributes:
        name: What to ask for.
        primary_key: Top-level fields that identify a record; empty when there is exactly one record.
        cursor_field: The field that orders it; None when it is read whole each time.
        schema: JSON schema of its records (draft-07).
        parent_field: The field that names the record of which this one is a part, where ``Batch.parents`` tells whose parts are
            to be replaced; else None.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    schema: Mapping[str, Any] = field(repr=False)
    parent_field: str | None = None


def list_streams() -> tuple[StreamInfo, ...]:
    """All streams."""
    return tuple(stream_info(name) for name in STREAMS)


def stream_info(name: str) -> StreamInfo:
    """One stream. Raises ConfigError where there is none of that name."""
    if name not in STREAMS:
        raise ConfigError(f"There is no stream {name!r}. There are: {', '.join(STREAMS)}.")
    stream = STREAMS[name]
    return StreamInfo(name, stream.primary_key, stream.cursor_field, stream.schema(), stream.parent_field)


def chosen(names: Iterable[str] | None) -> list[StreamInfo]:
    """The named streams, each once; all where None is given."""
    if isinstance(names, str):
        raise ConfigError("streams: give a list of names.")
    return [stream_info(name) for name in (STREAMS if names is None else dict.fromkeys(names))]
