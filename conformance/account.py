"""The account that is read: a sandbox in this process, what it holds, and what happens to it between two syncs."""

import time
from collections.abc import Mapping
from typing import Any, Final

from tests.support.oracle import DERIVED, by_content, truth
from zendesk_chat_sandbox import Sandbox, Switches

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
