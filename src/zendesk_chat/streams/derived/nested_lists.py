"""The nested lists of chats that are streams of their own."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from zendesk_chat.json_types import Json
from zendesk_chat.streams.derived.extract import NestedList
from zendesk_chat.streams.positions import FIRST_MICROSECOND_VALUE, FIRST_MILLISECOND_VALUE, LATEST_US
from zendesk_chat.streams.records import SECOND_US, iso_seconds, micros_of

MAX_CONVERSIONS: Final = 20  # "the last 20 conversions" of a chat; read 2026-11-22
EARLIEST_EPOCH: Final = 10**9  # the year 2001 in seconds; smaller numbers are not times
DIGEST_BYTES: Final = 8


def event_key(chat_id: str, timestamp: str, kind: str) -> str:
    """Return the id of an event. It does not depend on the message, so it stays the same when the message changes."""
    return f"{chat_id}|{timestamp}|{kind}"


def engagement_key(chat_id: str, engagement_id: str) -> str:
    """Return the id of an engagement. Its own id is only known to be unique within its chat."""
    return f"{chat_id}|{engagement_id}"


def page_key(chat_id: str, timestamp: str, url: str) -> str:
    """Return the id of a visited page, with a digest of its URL, which may be longer than destinations allow for a key."""
    digest = blake2b(url.encode(), digest_size=DIGEST_BYTES).hexdigest()
    return f"{chat_id}|{timestamp}|{digest}"


def conversion_key(chat_id: str, conversion_id: str, timestamp: str, goal_id: str | int) -> str:
    """Return the id of a conversion: its own, or a derived one if it has none."""
    return conversion_id or f"{chat_id}|{timestamp}|{goal_id}"


def page_of_values(values: Sequence[Json]) -> dict[str, Json]:
    """Return the fields of a page that is sent as a bare array in an undocumented order.

    The first value that is a time is the ``timestamp``. The first URL is ``from`` and the second ``to``; a single one is
    ``to``. The first other string is the ``title``.

    ``["2024-05-06T09:55:00Z", "https://example.com/", "Home"]`` has the ``timestamp``, ``to`` and ``title`` in this order.
    """
    times = [time for value in values if (time := _time(value))]
    strings = [value for value in values if isinstance(value, str) and value and not _time(value)]
    addresses = [text for text in strings if "://" in text]
    titles = [text for text in strings if "://" not in text]
    named = dict(zip(("to",) if len(addresses) == 1 else ("from", "to"), addresses, strict=False))
    return {**named, **dict(zip(("timestamp",), times, strict=False)), **dict(zip(("title",), titles, strict=False))}


def _time(value: object) -> str | None:
    """Return a time (a string, or seconds, milliseconds or microseconds since 1970) as a string; None for any other value."""
    if isinstance(value, str):
        return None if micros_of(value) is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not EARLIEST_EPOCH <= value < LATEST_US:
        return None
    unit = 1 if value >= FIRST_MICROSECOND_VALUE else 1000 if value >= FIRST_MILLISECOND_VALUE else SECOND_US
    return iso_seconds(int(value * unit))


CHAT_EVENTS: Final = NestedList(
    name="history",
    key_fields=("timestamp", "type"),
    key=event_key,
    drifting=("msg_id", "department_id", "prev_department_id", "agent_id"),
)
CHAT_ENGAGEMENTS: Final = NestedList(
    name="engagements",
    key_fields=("id",),
    key=engagement_key,
    renamed={"id": "engagement_id"},
    drifting=("agent_id", "department_id"),
)
CHAT_WEBPATHS: Final = NestedList(
    name="webpath",
    key_fields=("timestamp", "to"),
    key=page_key,
    always=("timestamp", "from", "to", "title"),
    from_array=page_of_values,
)
CHAT_CONVERSIONS: Final = NestedList(
    name="conversions",
    key_fields=("id", "timestamp", "goal_id"),
    key=conversion_key,
    always=("timestamp", "goal_id", "goal_name", "attribution"),
    capacity=MAX_CONVERSIONS,
)
