"""Chats, read for the records that are nested in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import Any, Final, TypeVar, cast

import msgspec

from zendesk_chat.streams.derived.fitting import text_of
from zendesk_chat.streams.stream import PageRecords, RawRecord

NULL: Final = msgspec.Raw(b"null")
UNREADABLE: Final = (msgspec.DecodeError, RecursionError)
LONGEST_INTEGER: Final = 300  # digits; msgspec supports slightly more
PATHS_OF_CHAT: Final = {"chat_id": ("id",), "chat_update_timestamp": ("update_timestamp",)}
"""Paths in a chat of the fields that each nested record gets from it."""


class Chat(msgspec.Struct, gc=False):
    """What identifies a chat."""

    id: Any = None
    update_timestamp: Any = None
    updated_timestamp: Any = None  # two clients read this spelling too


class SplitChat(Chat, gc=False):
    """A chat in which everything that becomes a record of its own stays undecoded."""

    timestamp: Any = None
    visitor: msgspec.Raw = NULL
    session: msgspec.Raw = NULL
    history: msgspec.Raw = NULL
    engagements: msgspec.Raw = NULL
    webpath: msgspec.Raw = NULL
    conversions: msgspec.Raw = NULL


C = TypeVar("C", bound=Chat)
_split: Final = msgspec.json.Decoder(SplitChat)


def split_chats(records: Sequence[RawRecord]) -> Sequence[SplitChat | None]:
    """Split chats into the parts that become records; None for a chat that msgspec cannot read."""
    if not isinstance(records, PageRecords):
        return [_split_chat(record) for record in records]
    if records.decoded is None:
        records.decoded = [_split_chat(record) for record in records]
    return cast("Sequence[SplitChat | None]", records.decoded)


def _split_chat(record: RawRecord) -> SplitChat | None:
    try:
        return _split.decode(record)
    except UNREADABLE:
        return None


def read_chat(record: RawRecord, decoder: msgspec.json.Decoder[C]) -> C | None:
    """Decode a chat. A number that is too large for Python becomes a string. Returns None if it is nested too deeply."""
    try:
        return decoder.decode(record)
    except UNREADABLE:
        pass
    try:
        value = json.loads(record, parse_int=_parse_int, parse_float=_parse_float)
        return decoder.decode(msgspec.json.encode(value))
    except (*UNREADABLE, ValueError):
        return None


def updated(chat: Chat) -> str | None:
    """Return when a chat was last changed."""
    time = chat.update_timestamp or chat.updated_timestamp
    return text_of(time) if time else None


def _parse_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


def _parse_float(digits: str) -> float | str:
    number = float(digits)
    return number if isfinite(number) else digits
