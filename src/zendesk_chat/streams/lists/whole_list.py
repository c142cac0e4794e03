"""Lists that come in one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.keys import number_key, text_key
from zendesk_chat.streams.lists.keyed import Keying
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, StateBlob, record_redactor

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction


@dataclass(frozen=True, slots=True)
class WholeList:
    """A list that comes in one answer.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        extract: The records of an answer.
        key: The field that identifies a record, or "" where there is only one record.
        fallback: The field whose value is the key of a record that lacks ``key``; "" where no field is.
        text_keys: Whether the keys are strings, and not numbers.
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    path: str
    extract: Callable[[bytes], Sequence[msgspec.Raw]]
    key: str = "id"
    fallback: str = ""
    text_keys: bool = False
    redact: Callable[[bytes], bytes] | None = None

    def read(self, fetch: Fetch, positions: Sequence[None], _bounds: Bounds) -> Iterator[Sequence[Batch[None]]]:
        """Read the list: one page."""
        rows = fetch(Request(self.path, self.extract))
        make = text_key if self.text_keys else number_key
        keying = Keying(self.stream, self.key, make, self.fallback, self.redact)
        found = keying.keyed(rows)
        if rows and not found:
            raise keying.no_object()
        skipped = len(rows) - len(found)
        batch = Batch([keyed.record for keyed in found], None, len(rows), keying.notes(found, skipped), outside=skipped)
        yield [batch for _ in positions]

    def probe(self, _bounds: Bounds) -> Request[object]:
        """Ask for the list: there is nothing smaller to ask for."""
        return Request(self.path, self.extract, attempts=FEW_ATTEMPTS)

    def load_state(self, _stream: str, _cursor_field: str, _state: StateBlob) -> None:
        """Start from the beginning, as always."""

    def dump_state(self, _cursor_field: str, _position: None) -> StateBlob:
        """Store nothing."""
        return {}

    def redacted(self, redaction: Redaction) -> WholeList:
        """Return the list with its records redacted before anything else is made of them."""
        return replace(self, redact=record_redactor(redaction, self.stream))
