"""Visitors, as their chats show them: the API has no list of visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from zendesk_chat.json_schema import Schema
from zendesk_chat.json_types import Json
from zendesk_chat.streams.derived.chats import UNREADABLE, Chat, SplitChat, read_chat, split_chats, updated
from zendesk_chat.streams.derived.extract import AS_SENT, split_names
from zendesk_chat.streams.derived.fitting import Fitter, text_of
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.records import micros_of
from zendesk_chat.streams.stream import Children, RawRecord

FROM_VISITOR: Final = ("name", "email", "phone", "notes", "banned", "external_id")
FROM_SESSION: Final = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")
LAST_CHAT: Final = "last_chat_id"
FROM_CHAT: Final = {
    LAST_CHAT: ("id",),
    "last_chat_timestamp": ("timestamp",),
    "chat_update_timestamp": ("update_timestamp",),
}
TAKEN: Final = frozenset((*FROM_CHAT, *FROM_SESSION, AS_SENT))


class _Chat(Chat, gc=False):
    timestamp: Any = None
    visitor: Any = None
    session: Any = None


class _Identified(msgspec.Struct, gc=False):
    id: Any = None


_decoder: Final = msgspec.json.Decoder(_Chat)
_identified: Final = msgspec.json.Decoder(_Identified)


@dataclass(frozen=True, slots=True)
class Visitors:
    """The visitor of each chat as a record."""

    @property
    def path(self) -> tuple[str, ...]:
        """The path in a chat of the object that becomes a record."""
        return ("visitor",)

    @property
    def other_paths(self) -> Mapping[str, tuple[str, ...] | None]:
        """Paths in a chat of fields that are not below ``path``."""
        return {**FROM_CHAT, **{name: ("session", name) for name in FROM_SESSION}}

    def extractor(self, schema: Schema) -> VisitorExtractor:
        """Return the extractor for records of a schema."""
        nulls = dict.fromkeys(name for name in (*FROM_VISITOR, *FROM_SESSION) if name in schema.properties)
        return VisitorExtractor(Fitter.of(schema), nulls)


@dataclass(frozen=True, slots=True)
class VisitorExtractor:
    """Makes a record of each visitor, from the latest chat with that visitor.

    The latest chat is the one that began last; of several, the one that was changed last, and of these, the last to arrive.
    """

    fitter: Fitter
    nulls: Mapping[str, None]

    def extract(self, records: Sequence[RawRecord], *, encode: bool = True) -> Children:  # noqa: ARG002  they are so few
        """Return the visitors of these chats as records, which are always encoded."""
        chats: dict[str, tuple[RawRecord, _Chat | SplitChat]] = {}
        for record, split in zip(records, split_chats(records), strict=True):
            if chat := split or read_chat(record, _decoder):
                chats[text_of(chat.id)] = record, chat
        latest: dict[str, tuple[RawRecord, _Chat | SplitChat]] = {}
        for chat_id, (record, chat) in chats.items():
            visitor_id = "" if is_made(chat_id) else _visitor_id(record, chat)
            if visitor_id and (visitor_id not in latest or _times(chat) >= _times(latest[visitor_id][1])):
                latest[visitor_id] = record, chat
        encoded = [msgspec.json.encode(self._record(visitor_id, *chat)) for visitor_id, chat in latest.items()]
        return Children(encoded, [chat_id for chat_id in chats if not is_made(chat_id)], irregular=encoded)

    def _record(self, visitor_id: str, record: RawRecord, chat: _Chat | SplitChat) -> dict[str, Json]:
        visitor, session = _visitor_and_session(record, chat)
        fields, rejected = split_names(visitor, TAKEN)
        fields |= {name: session[name] for name in FROM_SESSION if name in session}
        fitted = self.fitter.fit_fields(fields, "", rejected)
        time = updated(chat)
        known: dict[str, Json] = {
            "id": visitor_id,
            LAST_CHAT: text_of(chat.id),
            "last_chat_timestamp": text_of(chat.timestamp) or time,
            "chat_update_timestamp": time,
        }
        return {**self.nulls, **fitted, **known, **({AS_SENT: rejected} if rejected else {})}


VISITORS: Final = Visitors()


def _visitor_id(record: RawRecord, chat: _Chat | SplitChat) -> str:
    """Return the id of a chat's visitor, or the empty string if it has none."""
    if isinstance(chat, SplitChat):
        try:
            return text_of(_identified.decode(chat.visitor).id)
        except UNREADABLE:
            pass
    visitor, _ = _visitor_and_session(record, chat)
    return text_of(visitor.get("id"))


def _visitor_and_session(record: RawRecord, chat: _Chat | SplitChat) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the visitor and the session of a chat, each an empty object if it is not an object."""
    try:
        if isinstance(chat, SplitChat):
            values = [msgspec.json.decode(chat.visitor), msgspec.json.decode(chat.session)]
        else:
            values = [chat.visitor, chat.session]
    except UNREADABLE:  # a number that is too large for Python
        complete = read_chat(record, _decoder) or _Chat()
        values = [complete.visitor, complete.session]
    visitor, session = (value if isinstance(value, dict) else {} for value in values)
    return visitor, session


def _times(chat: _Chat | SplitChat) -> tuple[int, int]:
    """Return when a chat began and was last changed; 0 if there is no time."""
    update = updated(chat)
    return micros_of(chat.timestamp or update) or 0, micros_of(update) or 0
