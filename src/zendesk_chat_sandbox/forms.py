"""The forms in which rows have been seen over the years, chosen by switches."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Final
from zlib import crc32

from zendesk_chat_sandbox.http_messages import Record, encode
from zendesk_chat_sandbox.switches import Switches
from zendesk_chat_sandbox.timestamps import SECOND_US, iso_micros, parse_seconds

# A recording of 2017 has none of these keys in history items.
_NEWER_ITEM_KEYS: Final = frozenset({"index", "sender_type", "source", "agent_id", "nick"})
_OLD_SHORTCUT_EVERY: Final = 2
_OLD_AGENT_EVERY: Final = 3


def has_usual_chats(switches: Switches) -> bool:
    """Return whether chats are shown as they are stored."""
    chosen = (switches.history, switches.chat_agent_ids, switches.chat_department_ids)
    return chosen == ("seconds", "string", "int")


def chat_body(switches: Switches, body: bytes) -> bytes:
    """Return an encoded chat in the form that the switches choose."""
    return body if has_usual_chats(switches) else encode(chat_form(switches, json.loads(body)))


def chat_form(switches: Switches, chat: Record) -> Record:
    """Return a chat in the form that the switches choose."""
    if has_usual_chats(switches):
        return chat
    shown = dict(chat)
    mark = crc32(str(chat.get("id")).encode())
    history, agents, engagements = chat.get("history"), chat.get("agent_ids"), chat.get("engagements")
    if switches.history == "fractions" and isinstance(history, list):
        shown["history"] = with_fractions(history)
    if isinstance(agents, list):
        shown["agent_ids"] = [_id_as(switches.chat_agent_ids, agent, mark + number) for number, agent in enumerate(agents)]
    if "department_id" in chat:
        shown["department_id"] = _id_as(switches.chat_department_ids, chat["department_id"], mark)
    if isinstance(engagements, list):
        shown["engagements"] = [_engagement(switches, one, mark + number) for number, one in enumerate(engagements)]
    return shown


def _engagement(switches: Switches, engagement: Record, mark: int) -> Record:
    return engagement | {
        "agent_id": _id_as(switches.chat_agent_ids, engagement.get("agent_id"), mark),
        "department_id": _id_as(switches.chat_department_ids, engagement.get("department_id"), mark),
    }


def _id_as(kind: str, identity: object, mark: int) -> object:
    """Return an id as a number or as a string; "mixed" goes by ``mark``, which is the same each time for one row."""
    if identity is None:
        return None
    as_string = kind == "string" or (kind == "mixed" and mark % 2 == 0)
    return str(identity) if as_string else int(str(identity))


def with_fractions(history: Sequence[Record]) -> list[Record]:
    """Return history items as in 2017: fractions of seconds tell them apart, there is no ``index`` and no sender.

    Two items of 09:00:01 get the times 09:00:01.333333 and 09:00:01.666666.
    """
    items: list[Record] = []
    for stamp, group in groupby(history, key=lambda item: str(item["timestamp"])):
        together = list(group)
        second_us = parse_seconds(stamp) * SECOND_US
        for position, item in enumerate(together, 1):
            timestamp = iso_micros(second_us + position * SECOND_US // (len(together) + 1))
            items.append({key: value for key, value in item.items() if key not in _NEWER_ITEM_KEYS} | {"timestamp": timestamp})
    return items


def list_row(switches: Switches, resource: str, number: int, record: Record) -> Record:
    """Return row ``number`` of a list in the form that the switches choose."""
    shown = record
    if switches.enabled_as == "int" and "enabled" in record:
        shown = shown | {"enabled": int(bool(record["enabled"]))}
    missing = _missing_keys(resource, number, record) if switches.old_rows == "incomplete" else frozenset()
    return {key: value for key, value in shown.items() if key not in missing} if missing else shown


def _missing_keys(resource: str, number: int, record: Record) -> frozenset[str]:
    """Return the keys that an old row lacks; the recordings of 2017 show which."""
    if resource == "bans" and record.get("created_at") is None:
        return frozenset({"created_at"})
    if resource == "shortcuts" and number % _OLD_SHORTCUT_EVERY == 0:
        return frozenset({"id", "scope"})
    if resource == "agents" and number % _OLD_AGENT_EVERY == 0:
        return frozenset({"role_id", "skills"})
    return frozenset()


def ban_lists(switches: Switches, lists: dict[str, list[Record]]) -> Record:
    """Return a page of bans; a list without bans is empty, null or absent."""
    if switches.empty_bans == "absent":
        return {kind: bans for kind, bans in lists.items() if bans}
    if switches.empty_bans == "null":
        return {kind: bans or None for kind, bans in lists.items()}
    return dict(lists)
