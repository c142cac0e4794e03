"""The streams that can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zendesk_chat.errors import ConfigError
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Stream

if TYPE_CHECKING:
    from zendesk_chat.library.account import Account


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream that can be read.

    Attributes:
        primary_key: Top-level fields that identify a record; empty if there is only one record.
        cursor_field: The field that orders the stream; None if each read reads it completely.
        schema: JSON schema of its records (draft-07).
        parent_field: The field with the id of the chat that a record was extracted from, if ``Batch.parents`` lists chats whose
            records to replace; otherwise None.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    schema: Mapping[str, object] = field(repr=False)
    parent_field: str | None = None


def list_streams(account: Account | None = None) -> tuple[StreamInfo, ...]:
    """Return all streams. With an account, their schemas describe the redacted records."""
    return tuple(
        StreamInfo(stream.name, stream.primary_key, stream.cursor_field, stream.schema.to_json(), stream.parent_field)
        for stream in (account.catalog if account else Catalog()).streams.values()
    )


def chosen(account: Account, names: Iterable[str] | None) -> list[Stream]:
    """Return the named streams, each once, or all if there are no names. Raises ConfigError for an unknown name."""
    if isinstance(names, str):
        raise ConfigError("streams: must be a list of names.")
    return account.catalog.select(names)
