"""Exports of records that have an id and a timestamp: conversions, department events and agent events.

Conversions and department events: ``GET incremental/conversions`` and ``incremental/department_events``, in seconds. Zendesk
does not document that they are ordered by their ``timestamp`` rather than by a later change, as chats are.

Agent events (limited availability): ``GET incremental/agent_events``, chronological. The table of its parameters has
microseconds, while a client of it sends seconds and gets an ``end_time`` with a fraction. It always returns complete records,
and ``fields`` does not apply to it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from zendesk_chat.streams.exports.export import Export, ExportPage, Row, keyless_row
from zendesk_chat.streams.keys import usable
from zendesk_chat.streams.records import SECOND_US, decode_answer, decode_fields, micros_of


class _Conversions(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="conversions")


class _DepartmentEvents(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="department_events")


class _AgentEvents(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="agent_events")


class _Event(msgspec.Struct, gc=False):
    id: object = None
    timestamp: object = None


_decoder: Final = msgspec.json.Decoder(_Event)


def event_row(raw: msgspec.Raw) -> Row | None:
    """Return key and time of a record, unchanged unless its ``id`` has to be made; None where it is no object."""
    event = decode_fields(raw, _decoder, _Event())
    if event is None:
        return None
    record, time = bytes(raw), micros_of(event.timestamp)
    if usable(event.id):
        return Row(str(event.id), time, record)
    return keyless_row(record, time)


CONVERSIONS: Final = Export(
    stream="conversions",
    path="incremental/conversions",
    fields="conversions(*)",
    unit=SECOND_US,
    decode=partial(decode_answer, decoder=msgspec.json.Decoder(_Conversions)),
    row=event_row,
    ordered=False,
)
DEPARTMENT_EVENTS: Final = Export(
    stream="department_events",
    path="incremental/department_events",
    fields="department_events(*)",
    unit=SECOND_US,
    decode=partial(decode_answer, decoder=msgspec.json.Decoder(_DepartmentEvents)),
    row=event_row,
    ordered=False,
)
AGENT_EVENTS: Final = Export(
    stream="agent_events",
    path="incremental/agent_events",
    fields="",
    unit=SECOND_US,
    decode=partial(decode_answer, decoder=msgspec.json.Decoder(_AgentEvents)),
    row=event_row,
    inclusive=False,
    either_unit=True,
)
