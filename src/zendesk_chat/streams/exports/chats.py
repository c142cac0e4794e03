"""Chats, including offline messages: ``GET incremental/chats``, ordered by update time."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from zendesk_chat.streams.exports.export import Export, Row, row_of
from zendesk_chat.streams.records import decode_fields, micros_of, with_fields


class _Chat(msgspec.Struct, gc=False):
    id: object = None
    update_timestamp: object = None
    updated_timestamp: object = None  # two clients read this spelling too
    unread: object = None


class _PlainChat(msgspec.Struct, gc=False):
    """A chat that needs no change, like almost all chats."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    update_timestamp: Annotated[str, msgspec.Meta(min_length=1)]
    unread: bool | None = None


_decoder: Final = msgspec.json.Decoder(_Chat)
_plain: Final = msgspec.json.Decoder(_PlainChat)


def chat_row(raw: msgspec.Raw) -> Row | None:
    """Return key and time of a chat; None if it is not an object. If ``unread`` is 1 or 0, it becomes a boolean."""
    try:
        plain = _plain.decode(raw)
    except msgspec.ValidationError:
        return _unusual_row(raw)
    return Row(plain.id, micros_of(plain.update_timestamp), bytes(raw))


def _unusual_row(raw: msgspec.Raw) -> Row | None:
    chat = decode_fields(raw, _decoder, _Chat())
    if chat is None:
        return None
    record = bytes(raw)
    if chat.unread in (0, 1) and not isinstance(chat.unread, bool):
        record = with_fields(record, unread=bool(chat.unread))
    return row_of(chat.id, micros_of(chat.update_timestamp or chat.updated_timestamp), record)


CHATS: Final = Export("chats", chat_row)
