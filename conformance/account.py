"""The account that is read: a sandbox in this process, what it holds, and what happens to it between two syncs."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from zendesk_chat_sandbox import Sandbox, Switches

Record = Mapping[str, Any]

HISTORY_UNTIL: Final = "2024-06-01T00:00:00Z"  # the same data on every day
GRACE_SECONDS: Final = 300  # what is younger than that, the API does not promise to show
SETTLED_SECONDS: Final = 2 * GRACE_SECONDS
INCREMENTAL: Final = ("agent_timeline", "agents", "bans", "chats")


def account(chats: int = 250, **switches: Any) -> Sandbox:
    """An account whose exports come in several small pages, with many chats in one second."""
    return Sandbox(
        chats=chats, history_until=HISTORY_UNTIL, switches=Switches(**{"rate_limit": 0, "export_page_cap": 50, **switches})
    )


def empty_account() -> Sandbox:
    """An account in which nothing was ever made; its settings are there."""
    sandbox = account(chats=0)
    for records in sandbox.account.lists.values():
        records.clear()
    for feed in sandbox.account.events.values():
        for identity in list(feed.bodies):
            feed.remove(identity)
    return sandbox


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """The configuration that reads all of a sandbox."""
    return {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "acme",
        "credentials": {"credentials": "access_token", "access_token": sandbox.token},
        "api_url": sandbox.url,
        "requests_per_minute": 10_000,
        **more,
    }


def truth(sandbox: Sandbox, stream: str) -> list[Record]:
    """The records of a stream as the account holds them, with the few changes that the README promises."""
    held = sandbox.account
    if stream == "chats":
        chats = [
            json.loads(held.chats.tombstone(id_)) if id_ in held.chats.deleted else held.chat(id_) for id_ in held.chat_ids()
        ]
        return [{**chat, "unread": bool(chat["unread"])} if "unread" in chat else chat for chat in chats]
    if stream == "agent_timeline":
        spans = [json.loads(body) for body in held.events[stream].bodies.values()]
        return [{**span, "id": f"{span['agent_id']}|{span['start_time']}"} for span in spans]
    if stream == "accounts":
        return [held.settings]
    if stream == "routing_settings":
        return [held.routing_settings]
    return list(held.lists[stream].values())


def live_a_little(sandbox: Sandbox, seconds_ago: float = SETTLED_SECONDS) -> dict[str, list[Record]]:
    """New and edited chats, spans, agents and bans; returns what is new or different of each stream."""
    before = {stream: by_content(truth(sandbox, stream)) for stream in INCREMENTAL}
    held, at = sandbox.account, time.time() - seconds_ago
    held.add_generated("chats", 7, at=at)
    for identity in held.chat_ids()[:4]:
        held.edit_chat(identity, at=at + 1, rating="good", comment="Thank you")
    held.add_generated("agent_timeline", 3, at=at)
    held.add_generated("bans", 2)
    held.edit("agents", next(iter(held.lists["agents"])), {"display_name": "Zoë"})
    return {
        stream: [record for record in truth(sandbox, stream) if by_content([record])[0] not in before[stream]]
        for stream in INCREMENTAL
    }


def by_content(records: Iterable[Record]) -> list[str]:
    """Records in a form that compares by content whatever their order; half a surrogate pair, which is no text, as U+FFFD."""
    texts = [json.dumps(record, sort_keys=True, ensure_ascii=False) for record in records]
    return sorted(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts)
