"""The records that a sandbox account holds, those of derived streams included; imports nothing of the connector."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from zendesk_chat_sandbox import Sandbox
from zendesk_chat_sandbox.seed_settings import routing_of

Record = dict[str, Any]
CONVERSION = ("timestamp", "goal_id", "goal_name", "attribution")
SESSION = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")
VISITOR = ("name", "email", "phone", "notes", "banned", "external_id")


def chat_events(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``history``: ids of messages and agents as text, ids of departments as numbers."""
    return [
        {**as_event(item), **made} for item, made in items(chats, "history", lambda item: (item["timestamp"], item["type"]))
    ]


def chat_engagements(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``engagements``, whose own id is ``engagement_id``."""
    return [
        {**item, "engagement_id": item["id"], **made} for item, made in items(chats, "engagements", lambda item: (item["id"],))
    ]


def chat_webpaths(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``webpath``, those that are bare arrays included."""
    return [{**as_page(item), **made} for item, made in items(chats, "webpath", page_key)]


def chat_conversions(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``conversions``, with the id that they have."""
    cut = items(chats, "conversions", lambda item: (item["id"],))
    return [{**dict.fromkeys(CONVERSION), **item, **made, "id": item["id"]} for item, made in cut]


def visitors(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Each visitor as the chat shows it that began last, and of several of one second the one that changed last."""
    seen = sorted((chat for chat in chats if "visitor" in chat), key=lambda chat: (chat["timestamp"], chat["update_timestamp"]))
    latest = {chat["visitor"]["id"]: chat for chat in seen}
    return [
        {
            **dict.fromkeys(VISITOR),
            **chat["visitor"],
            **{name: chat["session"].get(name) for name in SESSION},
            "last_chat_id": chat["id"],
            "last_chat_timestamp": chat["timestamp"],
            "chat_update_timestamp": chat["update_timestamp"],
        }
        for chat in latest.values()
    ]


DERIVED: dict[str, Callable[[Iterable[Mapping[str, Any]]], list[Record]]] = {
    make.__name__: make for make in (chat_conversions, chat_engagements, chat_events, chat_webpaths, visitors)
}


def items(chats: Iterable[Mapping[str, Any]], name: str, key: Callable[[Any], tuple[str, ...]]) -> Iterator[tuple[Any, Record]]:
    """Each item of a list of each chat, and the fields that are made for it."""
    for chat in chats:
        met: Counter[str] = Counter()
        for position, item in enumerate(chat.get(name) or []):
            identity = "|".join((chat["id"], *key(item)))
            met[identity] += 1
            numbered = identity if met[identity] == 1 else f"{identity}|{met[identity]}"
            at = chat["update_timestamp"]
            yield item, {"id": numbered, "chat_id": chat["id"], "chat_update_timestamp": at, "position": position}


def as_event(item: Mapping[str, Any]) -> Record:
    """An item of history with ids of one type each."""
    event = dict(item)
    for name in {"department_id", "prev_department_id"} & event.keys():
        value = event[name]
        if isinstance(value, str):
            event[name] = int(value) if re.fullmatch(r"\d+", value) else None
            if event[name] is None:
                event["as_sent"] = {**event.get("as_sent", {}), name: value}
    for name in {"msg_id", "agent_id"} & event.keys():
        event[name] = event[name] if event[name] is None else str(event[name])
    return event


def as_page(item: Any) -> Record:
    """An opened page; of a bare array the parts that can be told apart: here its only address."""
    if isinstance(item, dict):
        return dict(item)
    second, address, _ = item
    time = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"timestamp": time, "from": None, "to": address, "title": None, "as_sent": {"item": item}}


def page_key(item: Any) -> tuple[str, str]:
    page = as_page(item)
    return page["timestamp"], hashlib.blake2b(page["to"].encode(), digest_size=8).hexdigest()


def truth(sandbox: Sandbox, stream: str) -> list[dict[str, Any]]:
    """The records of a stream as the account holds them: with what the source promises to change, and nothing else."""
    account = sandbox.account
    if stream in DERIVED:
        return DERIVED[stream](truth(sandbox, "chats"))
    if stream in account.events:
        return [with_key(stream, json.loads(body)) for body in account.events[stream].bodies.values()]
    if stream in account.lists:
        return list(account.lists[stream].values())
    if stream == "chats":
        return [as_chat(sandbox, identity) for identity in account.chat_ids()]
    single = {"accounts": account.settings, "routing_settings": account.routing_settings}
    return [single[stream]] if stream in single else [routing_of(agent) for agent in account.lists["agents"].values()]


def as_chat(sandbox: Sandbox, identity: str) -> dict[str, Any]:
    """A chat, or what is left of a deleted one; whether it is unread is always a boolean."""
    chats = sandbox.account.chats
    chat = json.loads(chats.tombstone(identity)) if identity in chats.deleted else sandbox.account.chat(identity)
    return {**chat, "unread": bool(chat["unread"])} if "unread" in chat else chat


def with_key(stream: str, event: dict[str, Any]) -> dict[str, Any]:
    """An event, whose key is made where it is a span of an agent's time."""
    return {**event, "id": f"{event['agent_id']}|{event['start_time']}"} if stream == "agent_timeline" else event


def by_content(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Records in a form that compares by content whatever their order; half a surrogate pair, which is no text, as U+FFFD."""
    texts = [json.dumps(record, sort_keys=True, ensure_ascii=False) for record in records]
    return sorted(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts)
