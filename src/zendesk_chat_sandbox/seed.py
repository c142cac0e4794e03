"""Builds a whole account from a seed: the same seed, size and moment give the same bytes."""

import json
from random import Random
from typing import Any, Final

from zendesk_chat_sandbox.account import Account
from zendesk_chat_sandbox.chat_store import ChatEntry
from zendesk_chat_sandbox.clock import Moment, SandboxClock, to_epoch
from zendesk_chat_sandbox.feeds import Feed
from zendesk_chat_sandbox.http_messages import Record, encode
from zendesk_chat_sandbox.seed_chats import ChatMaker, late_update, timing_of
from zendesk_chat_sandbox.seed_events import (
    EVENT_MAKERS,
    HISTORY_DAYS,
    crowded_spans,
    event_key,
    history_times,
)
from zendesk_chat_sandbox.seed_lists import MAKERS, SIZES, Lists
from zendesk_chat_sandbox.seed_settings import make_account, make_routing_settings
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, SECOND_US, iso_seconds, parse_seconds

# One bulk edit (say, tags renamed) touched these chats in one second; more of them than fit on a page of 1,000.
BURST_DAYS_AGO: Final = 20
BURST_MOST: Final = 1_300
BURST_SHARE: Final = 0.26
_CONVERSION_SHARE: Final = 0.04
_EVENTS_PER_CHAT: Final = {"agent_timeline": 0.4, "agent_events": 0.3, "department_events": 0.01}
_EVENTS_LEAST: Final = 12
_MORE_DEPARTMENT_EVENTS_PER_CHAT: Final = 0.04


def build_account(seed: int, chats: int, clock: SandboxClock, until: Moment | None = None) -> Account:
    """Build an account with so many chats, whose history ends at ``until``, by default at the clock's now."""
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
        chat_maker=ChatMaker(random, lists),
        lists=lists,
        settings=make_account(iso_seconds(now - 2_000 * DAY_SECONDS)),
        routing_settings=make_routing_settings(),
    )
    _seed_events(account, chats, now)
    _seed_chats(account, chats, now)
    _seed_more_department_events(account, Random(seed), chats, now)  # noqa: S311 -- as above
    return account


def _load_events(feed: Feed, resource: str, records: list[Record]) -> None:
    feed.load((*event_key(resource, record), encode(record)) for record in records)


def _seed_events(account: Account, chats: int, now: int) -> None:
    for resource, share in _EVENTS_PER_CHAT.items():
        count = max(_EVENTS_LEAST, int(chats * share))
        times = history_times(account.random, count, now * SECOND_US)
        records = [EVENT_MAKERS[resource](account.random, account.lists, time_us) for time_us in times]
        if resource == "agent_timeline":
            records += crowded_spans(account.random, account.lists, now)
        _load_events(account.events[resource], resource, records)


def _seed_more_department_events(account: Account, random: Random, chats: int, now: int) -> None:
    """Add department events from a chance of their own, which leaves all other data as it was."""
    times = history_times(random, int(chats * _MORE_DEPARTMENT_EVENTS_PER_CHAT), now * SECOND_US)
    records = [EVENT_MAKERS["department_events"](random, account.lists, time_us) for time_us in times]
    _load_events(account.events["department_events"], "department_events", records)


def _seed_chats(account: Account, count: int, now: int) -> None:
    random = account.random
    burst = now - BURST_DAYS_AGO * DAY_SECONDS
    ends = [time_us // SECOND_US for time_us in history_times(random, count, now * SECOND_US)]
    old = [number for number, end in enumerate(ends) if end <= burst]
    in_burst = set(random.sample(old, min(len(old), BURST_MOST, int(count * BURST_SHARE))))
    entries: list[ChatEntry] = []
    conversions: list[Record] = []
    for number, end in enumerate(ends):
        updated = burst if number in in_burst else late_update(random, end, now)
        timing = timing_of(random, end, updated)
        converted = random.randint(end, updated) if random.random() < _CONVERSION_SHARE else None
        entry = account.chat_maker.make(timing, converted)
        entries.append(entry)
        if converted is not None:
            conversions.append(_conversion_row(account, entry, converted))
    account.chats.load(entries)
    _load_events(account.events["conversions"], "conversions", conversions)


def _conversion_row(account: Account, entry: ChatEntry, moment: int) -> Record:
    """The conversion that is in a chat, as the export has it: with the chat's id, without names."""
    row = EVENT_MAKERS["conversions"](account.random, account.lists, moment * SECOND_US)
    told: dict[str, Any] = json.loads(entry.body)["conversions"][0]
    attribution = {name: told["attribution"][name] for name in ("agent_id", "department_id")}
    chat = {"chat_id": entry.identity, "chat_timestamp": iso_seconds(entry.created)}
    return row | told | {"attribution": attribution | chat}


def oldest_chat(account: Account) -> str:
    """Return a start date that takes in the whole history, at midnight."""
    created = account.chats.created
    now = account.clock.seconds()
    first = created[0][0] if created else now - HISTORY_DAYS * DAY_SECONDS
    return iso_seconds(parse_seconds(iso_seconds(first - DAY_SECONDS)[:10]))


__all__ = ["BURST_DAYS_AGO", "BURST_MOST", "BURST_SHARE", "build_account", "oldest_chat"]
