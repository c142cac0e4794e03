"""Agents' spans of one status: ``GET incremental/agent_timeline``, ordered by their start, in microseconds."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from source_zendesk_chat.errors import RecordShapeError
from source_zendesk_chat.streams.exports import Export, ExportPage, Row, decode_page
from source_zendesk_chat.streams.records import digest, micros_of, with_fields


class _Page(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="agent_timeline")


class _Span(msgspec.Struct):
    agent_id: Any = None
    start_time: Any = None


_decoder: Final = msgspec.json.Decoder(_Span)


def span_row(raw: msgspec.Raw) -> Row:
    """Key and time of a span.

    The API gives spans no id, so ``id`` is made: ``{agent_id}|{start_time}`` with all its microseconds, since an agent may
    change status twice within one second. A span without a start is told apart by its content.
    """
    record = bytes(raw)
    try:
        span = _decoder.decode(record)
    except msgspec.ValidationError:
        raise RecordShapeError("agent_timeline: Zendesk sent a record that is no object. Please report this.") from None
    if not isinstance(span.agent_id, str | int) or span.agent_id == "":
        raise RecordShapeError("agent_timeline: Zendesk sent a span without its `agent_id`. Please report this.")
    key = f"{span.agent_id}|{span.start_time or digest(record)}"
    return Row(key, micros_of(span.start_time), with_fields(record, id=key))


AGENT_TIMELINE: Final = Export(
    stream="agent_timeline",
    path="incremental/agent_timeline",
    fields="agent_timeline(*)",
    unit=1,
    decode=decode_page(_Page),
    row=span_row,
    inclusive=False,
)
