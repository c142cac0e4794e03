"""Keys of records: the API's own ids, and derived ids for records without one."""

from __future__ import annotations

import re
from typing import Final, TypeGuard

import msgspec

from zendesk_chat.streams.records import digest

MADE_PREFIX: Final = "no-id-"
"""The prefix of the ids that ``text_key`` makes. The API has no such ids."""

INTEGER: Final = re.compile(r"\d{1,30}", re.ASCII)
LARGEST_ID: Final = 10**30
UNUSED_DIGEST_BITS: Final = 11  # 53 bits remain: the precision of a JSON reader with floating-point numbers


def usable(key: object) -> TypeGuard[str | int]:
    """Return whether a value can be a record's key."""
    return isinstance(key, str | int) and not isinstance(key, bool) and key != ""


def text_key(content: bytes) -> str:
    """Make an id for a record without one. Equal content gets the same id in every run."""
    return f"{MADE_PREFIX}{digest(content)}"


def number_key(content: bytes) -> int:
    """Make a numeric id for a record without one. It is negative, so it is not the id of another record."""
    return -1 - (int(digest(content), 16) >> UNUSED_DIGEST_BITS)


def is_made(key: str) -> bool:
    """Return whether ``text_key`` made this id."""
    return key.startswith(MADE_PREFIX)


def list_position(key: str | int | None) -> int:
    """Return the number in an id, which orders its list, or a negative number derived from any other id."""
    if isinstance(key, int) and 0 <= key < LARGEST_ID:
        return key
    return int(key) if isinstance(key, str) and INTEGER.fullmatch(key) else number_key(msgspec.json.encode(key))


def keyless_note(stream: str, key: str, fallback: str = "") -> str:
    """Return the note about records without ``key``. ``fallback`` identifies them, or "" if their id is derived."""
    source = f"Their `{fallback}` is used as their id." if fallback else "Their ids are derived from their content."
    return f"{stream}: Zendesk sent records without `{key}`. {source}"


def skipped_note(stream: str) -> str:
    """Return the note about rows that are not records."""
    return f"{stream}: Zendesk sent rows that are not JSON objects. They are skipped. The other rows are read."
