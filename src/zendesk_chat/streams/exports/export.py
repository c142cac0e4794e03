"""What an incremental export is: a declaration, and the source that streams read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import msgspec

from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.exports.times import RECENT_US
from zendesk_chat.streams.keys import text_key, usable
from zendesk_chat.streams.positions import ExportPosition, dump_export, load_export
from zendesk_chat.streams.records import SECOND_US, decode_answer, with_fields
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds, Endpoint, RawRecord, StateBlob


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record of a page.

    Attributes:
        key: The primary key of the record.
        time: The cursor of the record in microseconds since 1970; None if it has none.
        record: The record to write.
    """

    key: str
    time: int | None
    record: RawRecord


class ExportPage(msgspec.Struct, kw_only=True):
    """The envelope of an export. A subclass names the field of its rows."""

    rows: list[msgspec.Raw]
    count: object = None
    end_time: object = None
    end_id: object = None


@dataclass(frozen=True, slots=True)
class Export(Endpoint):
    """An incremental export: ``GET incremental/{stream}``, which returns rows under the name of the stream.

    Attributes:
        row: Converts a raw record to a row; None if it is not an object.
        unit: Microseconds in one unit of ``start_time``.
        key: The field that contains a record's key.
        fields: Whether complete records must be requested with a ``fields`` parameter.
        inclusive: Whether the response is known to include the records at ``start_time`` itself.
        ordered: Whether records are known to be ordered by their time, and not by a later change.
        either_unit: Whether ``start_time`` may be in microseconds although ``unit`` is seconds. Each run finds out first.
    """

    row: Callable[[msgspec.Raw], Row | None]
    unit: int = SECOND_US
    key: str = "id"
    fields: bool = True
    inclusive: bool = True
    ordered: bool = True
    either_unit: bool = False

    load_state = staticmethod(load_export)

    def read(
        self, fetch: AnyFetcher, positions: Sequence[ExportPosition | None], bounds: Bounds
    ) -> Iterator[Sequence[Batch[ExportPosition]]]:
        """Read the pages once for several streams, each from its own position."""
        from zendesk_chat.streams.exports.shared_pages import read_together  # late, because it reads this declaration

        return read_together(self, fetch, positions, bounds)

    def probe(self, bounds: Bounds) -> Request[object]:
        """Return a request for one record from the start date on."""
        start = min(bounds.start * SECOND_US, int(bounds.now * SECOND_US) - RECENT_US) // self.unit
        return Request(self.path, self.decode, {**self.complete_records, "limit": 1, "start_time": start}, FEW_ATTEMPTS)

    def dump_state(self, cursor_field: str, position: ExportPosition) -> StateBlob:
        """Return the state to store for a position."""
        return dump_export(cursor_field, position, micros=self.unit == 1 or self.either_unit)

    @property
    def path(self) -> str:
        """The path of the endpoint."""
        return f"incremental/{self.stream}"

    @property
    def complete_records(self) -> dict[str, str | int]:
        """Return the parameters that request complete records."""
        return {"fields": f"{self.stream}(*)"} if self.fields else {}

    def decode(self, body: bytes) -> ExportPage:
        """Decode a response. Raises msgspec.DecodeError or EnvelopeError."""
        return decode_answer(body, _page_decoder(self.stream))


def row_of(key: object, time: int | None, record: RawRecord) -> Row:
    """Return the row of a record. A record without a usable key gets an ``id`` derived from its content."""
    if usable(key):
        return Row(str(key), time, record)
    made = text_key(record)
    return Row(made, time, with_fields(record, id=made))


@cache
def _page_decoder(rows: str) -> msgspec.json.Decoder[ExportPage]:
    field = ("rows", list[msgspec.Raw], msgspec.field(name=rows))
    return msgspec.json.Decoder(cast("type[ExportPage]", msgspec.defstruct("Page", [field], bases=(ExportPage,), kw_only=True)))
