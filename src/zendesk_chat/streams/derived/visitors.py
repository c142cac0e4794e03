"""Visitors as their chats show them: the API has no list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from zendesk_chat.streams.derived.extract import AS_SENT, split_names
from zendesk_chat.streams.derived.fitting import Schema, fit_fields, text_of
from zendesk_chat.streams.derived.raw_chats import Chat, read_chat, updated
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.records import micros_of
from zendesk_chat.streams.stream import Children, RawRecord

FROM_VISITOR: Final = ("name", "email", "phone", "notes", "banned", "external_id")
FROM_SESSION: Final = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")
FROM_CHAT: Final = ("last_chat_id", "last_chat_timestamp", "chat_update_timestamp")
TAKEN: Final = frozenset((*FROM_CHAT, *FROM_SESSION, AS_SENT))


class _Chat(Chat, gc=False):
    timestamp: Any = None
    visitor: Any = None
    session: Any = None


_decoder: Final = msgspec.json.Decoder(_Chat)


def visitors(schema: Schema) -> Callable[[Sequence[RawRecord]], Children]:
    """The function that makes a record of each visitor, from the latest chat with that visitor.

    The latest is the one that began last; of several the one that was changed last, and of these the last to come.
    """
    fit_all = fit_fields(schema)
    nulls = dict.fromkeys(name for name in (*FROM_VISITOR, *FROM_SESSION) if name in schema["properties"])

    def record_of(visitor_id: str, chat: _Chat) -> dict[str, Any]:
        session = chat.session if isinstance(chat.session, dict) else {}
        fields, aside = split_names(chat.visitor, TAKEN)
        fields |= {name: session[name] for name in FROM_SESSION if name in session}
        fitted = fit_all(fields, "", aside)
        time = updated(chat)
        known = {
            "id": visitor_id,
            "last_chat_id": text_of(chat.id),
            "last_chat_timestamp": text_of(chat.timestamp) or time,
            "chat_update_timestamp": time,
        }
        return nulls | fitted | known | ({AS_SENT: aside} if aside else {})

    def derive(records: Sequence[RawRecord]) -> Children:
        latest: dict[str, _Chat] = {}
        chats = {text_of(chat.id): chat for record in records if (chat := read_chat(record, _decoder))}
        for chat in (chat for chat_id, chat in chats.items() if not is_made(chat_id)):
            visitor_id = text_of(chat.visitor.get("id")) if isinstance(chat.visitor, dict) else ""
            if visitor_id and (visitor_id not in latest or _moment(chat) >= _moment(latest[visitor_id])):
                latest[visitor_id] = chat
        return Children([msgspec.json.encode(record_of(*visitor)) for visitor in latest.items()])

    return derive


def _moment(chat: _Chat) -> tuple[int, int]:
    """When a chat began and was last changed, so far as it says so."""
    update = updated(chat)
    return micros_of(chat.timestamp or update) or 0, micros_of(update) or 0
