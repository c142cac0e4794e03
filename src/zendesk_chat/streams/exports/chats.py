"""Chats, and offline messages among them: ``GET incremental/chats``, ordered by update time."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

import msgspec

from zendesk_chat.streams.exports.export import Export, ExportPage, Row, keyless_row
from zendesk_chat.streams.keys import usable
from zendesk_chat.streams.records import SECOND_US, decode_answer, decode_fields, micros_of, with_fields


class _Page(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="chats")


class _Chat(msgspec.Struct, gc=False):
    id: object = None
    update_timestamp: object = None
    updated_timestamp: object = None  # two clients look for this spelling too
    unread: object = None


class _PlainChat(msgspec.Struct, gc=False):
    """A chat that needs no change, as almost all are."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    update_timestamp: Annotated[str, msgspec.Meta(min_length=1)]
    unread: bool | None = None


_decoder: Final = msgspec.json.Decoder(_Chat)
_plain: Final = msgspec.json.Decoder(_PlainChat)


def chat_row(raw: msgspec.Raw) -> Row | None:
    """Return key and time of a chat; None where it is no object.

    ``unread`` becomes a boolean where the API sends 1 or 0, and ``id`` is made from the content where there is none.
    """
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
    time = micros_of(chat.update_timestamp or chat.updated_timestamp)
    if usable(chat.id):
        return Row(str(chat.id), time, record)
    return keyless_row(record, time)


CHATS: Final = Export(
    stream="chats",
    path="incremental/chats",
    fields="chats(*)",
    unit=SECOND_US,
    decode=partial(decode_answer, decoder=msgspec.json.Decoder(_Page)),
    row=chat_row,
)
