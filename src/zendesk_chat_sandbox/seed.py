"""Builds a complete account from a seed: the same seed, size and time give the same bytes."""

import json
from random import Random
from typing import Any, Final

from zendesk_chat_sandbox.account import Account
from zendesk_chat_sandbox.chat_store import ChatEntry
from zendesk_chat_sandbox.clock import SandboxClock, Timestamp, to_epoch
from zendesk_chat_sandbox.feeds import Feed
from zendesk_chat_sandbox.http_messages import Record, encode
from zendesk_chat_sandbox.seed_chats import ChatMaker, Draft, Times
from zendesk_chat_sandbox.seed_events import (
    agent_events,
    crowded_spans,
    department_events,
    event_key,
    status_changes,
    timeline,
)
from zendesk_chat_sandbox.seed_lists import MAKERS, SIZES, Lists
from zendesk_chat_sandbox.seed_settings import make_account, make_routing_settings
from zendesk_chat_sandbox.seed_times import arrival_times, history_days, late_update
from zendesk_chat_sandbox.seed_visitors import RETURNING_SHARE
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, iso_seconds, parse_seconds

# One bulk edit (say, tags renamed) touched these chats in one second; more of them than fit on a page of 1,000.
BURST_DAYS_AGO: Final = 20
BURST_MOST: Final = 1_300
BURST_SHARE: Final = 0.26
_LONGEST_CHAT_SECONDS: Final = 3 * 3_600
_CONVERSION_SHARE: Final = 0.27
"""Of the chats that can lead to a goal."""
_CONVERSION_DELAY_SECONDS: Final = 1.5 * DAY_SECONDS
_EVENTS_PER_CHAT: Final = {"agent_timeline": 0.75, "agent_events": 0.6, "department_events": 0.05}
_EVENTS_LEAST: Final = 12
_RECENT_ENGAGEMENTS_PER_EVENT: Final = 0.5


def build_account(
    seed: int, chats: int, clock: SandboxClock, until: Timestamp | None = None, returning: float = RETURNING_SHARE
) -> Account:
    """Build an account with so many chats, whose history ends at ``until``, by default at the clock's now.

    ``returning`` is the share of the chats whose visitor returns.
    """
    random = Random(seed)  # noqa: S311 -- a seed is wanted, secrets are not
    now = clock.seconds() if until is None else int(to_epoch(until))
    lists: Lists = {}
    for resource, maker in MAKERS.items():
        records = lists.setdefault(resource, {})
        for number in range(SIZES[resource]):
            record = maker(random, number, lists, now)
            identity = record["id"]
            records[identity if isinstance(identity, int) else str(identity)] = record
    account = Account(
        clock=clock,
        random=random,
        chat_maker=ChatMaker(random, lists, seed, returning),
        lists=lists,
        settings=make_account(iso_seconds(now - 2_000 * DAY_SECONDS)),
        routing_settings=make_routing_settings(),
    )
    _seed_chats(account, chats, now)
    _seed_events(account, chats, now)
    return account


def _load_events(feed: Feed, resource: str, records: list[Record]) -> None:
    feed.load((*event_key(resource, record), encode(record)) for record in records)


def _seed_events(account: Account, chats: int, now: int) -> None:
    random, maker = account.random, account.chat_maker
    most = {resource: max(_EVENTS_LEAST, int(chats * share)) for resource, share in _EVENTS_PER_CHAT.items()}
    today = now // DAY_SECONDS
    days = range(today - history_days(chats) + 1, today + 1)
    agents = [agent["id"] for agent in account.lists["agents"].values()]
    changes = status_changes(random, maker.rota, days, now, most["agent_timeline"])
    spans = timeline(changes, agents, maker.engagements) + crowded_spans(account.lists, now)
    _load_events(account.events["agent_timeline"], "agent_timeline", spans)
    recent = maker.engagements[-int(most["agent_events"] * _RECENT_ENGAGEMENTS_PER_EVENT) :]
    events = agent_events(random, changes, agents, recent, most["agent_events"])
    _load_events(account.events["agent_events"], "agent_events", events)
    departments = list(account.lists["departments"])
    events = department_events(random, departments, days, now, most["department_events"])
    _load_events(account.events["department_events"], "department_events", events)


def _seed_chats(account: Account, count: int, now: int) -> None:
    random, maker = account.random, account.chat_maker
    burst = now - BURST_DAYS_AGO * DAY_SECONDS
    starts = arrival_times(random, count, now)
    old = [number for number, start in enumerate(starts) if start <= burst - _LONGEST_CHAT_SECONDS]
    in_burst = set(random.sample(old, min(len(old), BURST_MOST, int(count * BURST_SHARE))))
    entries: list[ChatEntry] = []
    conversions: list[Record] = []
    for number, start in enumerate(starts):
        draft = maker.draft(start)
        end = min(start + draft.duration, now - 1)
        updated = burst if number in in_burst else late_update(random, end, now)
        converted = _conversion_time(random, draft, end, burst if number in in_burst else now)
        times = Times(end - draft.duration, max(updated, converted or 0), converted)
        entry = maker.finish(draft, times)
        entries.append(entry)
        if converted is not None:
            conversions.append(_conversion_row(entry))
    account.chats.load(entries)
    _load_events(account.events["conversions"], "conversions", conversions)


def _conversion_time(random: Random, draft: Draft, end: int, before: int) -> int | None:
    """Return when a chat that ended at ``end`` leads to a goal, or None if it does not before a given time."""
    if not draft.goals or random.random() > _CONVERSION_SHARE:
        return None
    timestamp = end + 60 + int(random.expovariate(1 / _CONVERSION_DELAY_SECONDS))
    return timestamp if timestamp < before else None


def _conversion_row(entry: ChatEntry) -> Record:
    """The conversion that is in a chat, as the export has it: with the chat's id, without names."""
    record: dict[str, Any] = json.loads(entry.body)["conversions"][0]
    attribution = {name: record["attribution"][name] for name in ("agent_id", "department_id")}
    chat = {"chat_id": entry.identity, "chat_timestamp": iso_seconds(entry.created)}
    return record | {"attribution": attribution | chat}


def oldest_chat(account: Account) -> str:
    """Return a start date that includes the complete history, at midnight."""
    created = account.chats.created
    first = created[0][0] if created else account.clock.seconds() - history_days(0) * DAY_SECONDS
    return iso_seconds(parse_seconds(iso_seconds(first - DAY_SECONDS)[:10]))


__all__ = ["BURST_DAYS_AGO", "BURST_MOST", "BURST_SHARE", "build_account", "oldest_chat"]
