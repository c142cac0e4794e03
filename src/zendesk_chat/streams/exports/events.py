"""Exports of records that have an id and a timestamp: conversions, department events and agent events.

Conversions and department events, in seconds: Zendesk does not document whether they are ordered by their ``timestamp`` or,
like chats, by a later change.

Agent events (limited availability), chronological: the parameter table documents microseconds, but a client sends seconds and
gets an ``end_time`` with a fraction. The endpoint always returns complete records, and ``fields`` does not apply to it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from zendesk_chat.streams.exports.export import Export, Row, row_of
from zendesk_chat.streams.records import decode_fields, micros_of


class _Event(msgspec.Struct, gc=False):
    id: object = None
    timestamp: object = None


_decoder: Final = msgspec.json.Decoder(_Event)


def event_row(raw: msgspec.Raw) -> Row | None:
    """Return key and time of a record; None if it is not an object."""
    event = decode_fields(raw, _decoder, _Event())
    return None if event is None else row_of(event.id, micros_of(event.timestamp), bytes(raw))


CONVERSIONS: Final = Export("conversions", event_row, ordered=False)
DEPARTMENT_EVENTS: Final = Export("department_events", event_row, ordered=False)
AGENT_EVENTS: Final = Export("agent_events", event_row, fields=False, inclusive=False, either_unit=True)
