"""Singer's state: a bookmark for each stream. Those of singer-io's tap for Zendesk Chat are understood.

That tap keeps two times for chats: the end of the last chat, and the time of the last offline message. A chat that it has not
read ends after the first time, an offline message comes after the second one, and each is updated then or later. So all of them
were updated after the earlier time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from zendesk_chat.config import parse_date
from zendesk_chat.errors import ConfigError, StateError
from zendesk_chat.singer.streams import TapStream
from zendesk_chat.streams.records import SECOND_US, iso_seconds
from zendesk_chat.streams.stream import StateBlob

CHATS: Final = "chats"
OLD_TIMES: Final = ("chat.end_timestamp", "offline_msg.timestamp")
MARGIN_SECONDS: Final = 86_400  # that tap searches an index, which may lag
OLD: Final = f"{CHATS}: the state is that of singer-io's tap."
Bookmarks = Mapping[str, StateBlob]


class State(msgspec.Struct, frozen=True):
    """The state as a target stores it."""

    bookmarks: dict[str, dict[str, Any]] = {}


def parse_state(raw: object) -> Bookmarks:
    """Return the bookmarks of a state; none for null. Raises StateError if it is malformed."""
    try:
        return msgspec.convert(raw or {}, State).bookmarks
    except msgspec.ValidationError as error:
        raise StateError(f"The state is malformed: {error}. Pass it as this tap wrote it, or none to start again.") from None


def resume(bookmarks: Bookmarks, stream: TapStream) -> tuple[StateBlob | None, str]:
    """Return the state from which a stream resumes, None for the start date, and what the user should know about it."""
    bookmark = bookmarks.get(stream.name)
    if bookmark is None or bookmark.keys().isdisjoint(OLD_TIMES):
        return bookmark or None, ""
    times = [_seconds(bookmark.get(name)) for name in OLD_TIMES]
    known = [seconds for seconds in times if seconds is not None]
    if len(known) < len(times):
        return None, f"{OLD} It has only one of two times, so everything since the start date is read."
    time = iso_seconds(max(0, min(known) - MARGIN_SECONDS) * SECOND_US)
    return {stream.stream.cursor_field or "": time}, f"{OLD} Reading what changed since {time}, a day before its earlier time."


def _seconds(time: object) -> int | None:
    try:
        return parse_date(str(time), "state")
    except ConfigError:
        return None
