"""The account that is read: a sandbox in this process, what it holds, and what happens to it between two syncs."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tests.support.children import DERIVED
from zendesk_chat_sandbox import Sandbox, Switches
from zendesk_chat_sandbox.seed_settings import routing_of

Record = Mapping[str, Any]

HISTORY_UNTIL: Final = "2024-06-01T00:00:00Z"  # the same data on every day
GRACE_SECONDS: Final = 300  # what is younger than that, the API does not promise to show
SETTLED_SECONDS: Final = 2 * GRACE_SECONDS
TIMED: Final = ("agent_events", "agent_timeline", "chats", "conversions", "department_events")
INCREMENTAL: Final = (*TIMED, *DERIVED, "agent_routing_settings", "agents", "bans")


def account(chats: int = 250, **switches: Any) -> Sandbox:
    """An account whose exports come in several small pages, with many chats in one second. No visitor returns.

    A visitor who returns would come with several pages, and each record of this account comes once.
    """
    chosen = Switches(**{"rate_limit": 0, "export_page_cap": 50, **switches})
    return Sandbox(chats=chats, history_until=HISTORY_UNTIL, returning_visitors=0, switches=chosen)


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
    if stream in DERIVED:
        return list(DERIVED[stream](truth(sandbox, "chats")))
    if stream in held.events:
        return [with_key(stream, json.loads(body)) for body in held.events[stream].bodies.values()]
    if stream in held.lists:
        return list(held.lists[stream].values())
    if stream == "chats":
        return [as_chat(sandbox, identity) for identity in held.chat_ids()]
    single = {"accounts": held.settings, "routing_settings": held.routing_settings}
    return [single[stream]] if stream in single else [routing_of(agent) for agent in held.lists["agents"].values()]


def as_chat(sandbox: Sandbox, identity: str) -> Record:
    """A chat, or what is left of a deleted one; whether it is unread is always a boolean."""
    chats = sandbox.account.chats
    chat = json.loads(chats.tombstone(identity)) if identity in chats.deleted else sandbox.account.chat(identity)
    return {**chat, "unread": bool(chat["unread"])} if "unread" in chat else chat


def with_key(stream: str, event: dict[str, Any]) -> Record:
    """An event, whose key is made where it is a span of an agent's time."""
    return {**event, "id": f"{event['agent_id']}|{event['start_time']}"} if stream == "agent_timeline" else event


def live_a_little(sandbox: Sandbox, seconds_ago: float = SETTLED_SECONDS) -> dict[str, list[Record]]:
    """New and edited chats, events, agents and bans; returns what is new of each stream, of an edited chat all that it has."""
    before = {stream: by_content(truth(sandbox, stream)) for stream in INCREMENTAL}
    held, at = sandbox.account, time.time() - seconds_ago
    held.add_generated("chats", 7, at=at)
    for identity in held.chat_ids()[:4]:
        late = {"id": f"{identity}.late", "timestamp": "2024-06-01T00:00:00Z", "goal_id": 1, "goal_name": "Return"}
        known: Any = held.chat(identity).get("conversions", [])
        held.edit_chat(identity, at=at + 1, rating="good", comment="Thank you", conversions=[*known, late])
    for stream in set(TIMED) - {"chats"}:
        held.add_generated(stream, 3, at=at)
    held.add_generated("bans", 2)
    held.edit("agents", next(iter(held.lists["agents"])), {"display_name": "Zoë", "skills": [4711]})
    return {
        stream: [record for record in truth(sandbox, stream) if by_content([record])[0] not in before[stream]]
        for stream in INCREMENTAL
    }


def by_content(records: Iterable[Record]) -> list[str]:
    """Records in a form that compares by content whatever their order; half a surrogate pair, which is no text, as U+FFFD."""
    texts = [json.dumps(record, sort_keys=True, ensure_ascii=False) for record in records]
    return sorted(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts)
