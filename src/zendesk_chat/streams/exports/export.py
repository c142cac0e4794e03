"""What an incremental export is: a declaration, and the source that streams read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.exports.times import RECENT_US
from zendesk_chat.streams.keys import text_key
from zendesk_chat.streams.positions import ExportPosition, dump_export, load_export
from zendesk_chat.streams.records import SECOND_US, with_fields
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds, RawRecord, StateBlob, record_redactor

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record of a page.

    Attributes:
        key: Its primary key.
        time: Its cursor, microseconds since 1970; None where it has none.
        record: What to write.
    """

    key: str
    time: int | None
    record: RawRecord


class ExportPage(msgspec.Struct, kw_only=True):
    """The envelope of an export; a subclass names the field of its rows."""

    rows: list[msgspec.Raw]
    count: object = None
    end_time: object = None
    end_id: object = None


@dataclass(frozen=True, slots=True)
class Export:
    """An incremental export.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        fields: The ``fields`` parameter that asks for complete records; "" where there is none.
        unit: Microseconds in one unit of ``start_time``.
        decode: Turns a body into its envelope.
        row: Turns a raw record into a row; None where it is no object.
        key: The field that makes a record's key.
        inclusive: Whether the records at ``start_time`` itself are known to be among the answer.
        ordered: Whether records are known to come in the order of their time, and not of a later change.
        either_unit: Whether ``start_time`` may be in microseconds though ``unit`` is seconds; each run finds out first.
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    path: str
    fields: str
    unit: int
    decode: Callable[[bytes], ExportPage]
    row: Callable[[msgspec.Raw], Row | None]
    key: str = "id"
    inclusive: bool = True
    ordered: bool = True
    either_unit: bool = False
    redact: Callable[[bytes], bytes] | None = None

    def read(
        self, fetch: AnyFetcher, positions: Sequence[ExportPosition | None], bounds: Bounds
    ) -> Iterator[Sequence[Batch[ExportPosition]]]:
        """Read the pages once for several streams, each from a position of its own."""
        from zendesk_chat.streams.exports.shared_pages import read_together  # late, because it reads this declaration

        return read_together(self, fetch, positions, bounds)

    def probe(self, bounds: Bounds) -> Request[object]:
        """Ask for one record from the start date on."""
        start = min(bounds.start * SECOND_US, int(bounds.now * SECOND_US) - RECENT_US) // self.unit
        return Request(self.path, self.decode, {**self.complete_records, "limit": 1, "start_time": start}, FEW_ATTEMPTS)

    def load_state(self, stream: str, cursor_field: str, state: StateBlob) -> ExportPosition | None:
        """Parse a stored state of any known form; None starts from the beginning. Raises StateError."""
        return load_export(stream, cursor_field, state)

    def dump_state(self, cursor_field: str, position: ExportPosition) -> StateBlob:
        """Return the state to store for a position."""
        return dump_export(cursor_field, position, micros=self.unit == 1 or self.either_unit)

    def redacted(self, redaction: Redaction) -> Export:
        """Return the export with its records redacted before anything else is made of them."""
        return replace(self, redact=record_redactor(redaction, self.stream))

    @property
    def complete_records(self) -> dict[str, str | int]:
        """The parameters that ask for complete records."""
        return {"fields": self.fields} if self.fields else {}


def keyless_row(record: RawRecord, time: int | None) -> Row:
    """Return the row of a record without a key: its ``id`` is made from its content."""
    key = text_key(record)
    return Row(key, time, with_fields(record, id=key))
