"""Time spans of agents in one status: ``GET incremental/agent_timeline``, ordered by start, in microseconds."""

from __future__ import annotations

from typing import Final

import msgspec

from zendesk_chat.streams.exports.export import Export, Row
from zendesk_chat.streams.keys import text_key, usable
from zendesk_chat.streams.records import decode_fields, digest, micros_of, with_fields


class _Span(msgspec.Struct):
    agent_id: object = None
    start_time: object = None


_decoder: Final = msgspec.json.Decoder(_Span)


def span_row(raw: msgspec.Raw) -> Row | None:
    """Return key and time of a span; None if it is not an object.

    The API sends spans without an id, so ``id`` is ``{agent_id}|{start_time}`` with all its microseconds, because an agent may
    change status twice within one second. A span without a start or an agent is identified by its content.
    """
    record = bytes(raw)
    span = decode_fields(record, _decoder, _Span())
    if span is None:
        return None
    start = span.start_time or digest(record)
    key = f"{span.agent_id}|{start}" if usable(span.agent_id) else text_key(record)
    return Row(key, micros_of(span.start_time), with_fields(record, id=key))


AGENT_TIMELINE: Final = Export("agent_timeline", span_row, unit=1, key="agent_id", inclusive=False)
