"""Chats, read for what is nested in them."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec

from zendesk_chat.streams.derived.fitting import text_of
from zendesk_chat.streams.stream import RawRecord

UNREADABLE: Final = (msgspec.DecodeError, RecursionError)
LONGEST_INTEGER: Final = 300  # digits; msgspec holds somewhat more
PATHS_OF_CHAT: Final = {"chat_id": ("id",), "chat_update_timestamp": ("update_timestamp",)}
"""The paths in a chat of the fields that each record nested in it gets from it."""


class Chat(msgspec.Struct, gc=False):
    """What identifies a chat."""

    id: Any = None
    update_timestamp: Any = None
    updated_timestamp: Any = None  # two clients read this spelling too


C = TypeVar("C", bound=Chat)


def read_chat(record: RawRecord, decoder: msgspec.json.Decoder[C]) -> C | None:
    """Decode a chat; a number that is too large for Python becomes a string. None where it is nested too deeply."""
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
