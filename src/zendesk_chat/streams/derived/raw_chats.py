"""Chats read from their raw JSON, whatever is in them."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, Final, TypeVar

import msgspec

from zendesk_chat.streams.derived.fitting import text_of
from zendesk_chat.streams.stream import RawRecord

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
LONGEST_INTEGER: Final = 300  # digits; msgspec holds somewhat more
T = TypeVar("T")


class Chat(msgspec.Struct, gc=False):
    """What tells a chat apart."""

    id: Any = None
    update_timestamp: Any = None
    updated_timestamp: Any = None  # two clients look for this spelling too


def read_chat(record: RawRecord, decoder: msgspec.json.Decoder[T]) -> T | None:
    """A chat, in which numbers that cannot be held are text; None where it is nested too deeply."""
    try:
        return decoder.decode(record)
    except UNREADABLE:
        pass
    try:
        return decoder.decode(_mended(record))
    except (*UNREADABLE, ValueError):
        return None


def updated(chat: Chat) -> str | None:
    """When a chat was last changed."""
    time = chat.update_timestamp or chat.updated_timestamp
    return text_of(time) if time else None


def _mended(record: RawRecord) -> bytes:
    """The record without what msgspec refuses in JSON: numbers beyond range, halves of surrogate pairs, odd bytes."""
    text = record.decode(errors="replace")
    value = json.loads(text, strict=False, parse_int=_integer, parse_float=_float, parse_constant=str)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if isfinite(number) else digits
