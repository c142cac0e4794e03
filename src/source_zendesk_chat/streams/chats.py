"""Chats, and offline messages among them: ``GET incremental/chats``, ordered by update time."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from source_zendesk_chat.errors import RecordShapeError
from source_zendesk_chat.streams.exports import Export, ExportPage, Row, decode_page
from source_zendesk_chat.streams.records import SECOND_US, micros_of, with_fields


class _Page(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="chats")


class _Chat(msgspec.Struct, gc=False):
    id: Any = None
    update_timestamp: Any = None
    updated_timestamp: Any = None  # two clients look for this spelling too
    unread: Any = None


_decoder: Final = msgspec.json.Decoder(_Chat)


def chat_row(raw: msgspec.Raw) -> Row:
    """Key and time of a chat; ``unread`` becomes a boolean where the API sends 1 or 0."""
    try:
        chat = _decoder.decode(raw)
    except msgspec.ValidationError:
        raise RecordShapeError("chats: Zendesk sent a record that is no object. Please report this.") from None
    if not isinstance(chat.id, str | int) or chat.id == "":
        raise RecordShapeError("chats: Zendesk sent a chat without its `id`. Please report this.")
    record = bytes(raw)
    if chat.unread in (0, 1) and not isinstance(chat.unread, bool):
        record = with_fields(record, unread=bool(chat.unread))
    return Row(str(chat.id), micros_of(chat.update_timestamp or chat.updated_timestamp), record)


CHATS: Final = Export(
    stream="chats",
    path="incremental/chats",
    fields="chats(*)",
    unit=SECOND_US,
    decode=decode_page(_Page),
    row=chat_row,
)
