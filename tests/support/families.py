"""Children and their parents: small derived streams, pages of them, and what the tables are to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.load_runs import TIME, encode, rows
from zendesk_chat.engine.events import PageRead
from zendesk_chat.json_schema import Schema
from zendesk_chat.tables.table import StreamTable

TEXT = {"type": ["null", "string"]}
EVENTS = StreamTable(
    "chat_events",
    ("id",),
    "chat_update_timestamp",
    Schema.parse({"properties": {"id": TEXT, "chat_id": TEXT, "chat_update_timestamp": TIME, "msg": TEXT}}),
    parent_field="chat_id",
)
VISITORS = StreamTable(
    "visitors",
    ("id",),
    "last_chat_timestamp",
    Schema.parse({"properties": {"id": TEXT, "last_chat_timestamp": TIME, "name": TEXT}}),
    latest_by="last_chat_timestamp",
)

Family: TypeAlias = tuple[str, Iterable[str], bool]
"""A parent, its children's keys, and whether these are all that it has."""
Held: TypeAlias = dict[str, tuple[str, str]]
"""A table of children: parent and text by key."""


def family_page(families: Iterable[Family], text: str, **state: Any) -> PageRead:
    """A page of children; all have the same text."""
    families = list(families)
    records = [{"id": key, "chat_id": parent, "msg": text} for parent, keys, _ in families for key in keys]
    return PageRead("chat_events", encode(records), state, parents=[parent for parent, _, whole in families if whole])


def after_page(held: Mapping[str, tuple[str, str]], families: Iterable[Family], text: str) -> Held:
    """What a table holds after such a page."""
    families = list(families)
    emptied = {parent for parent, _, whole in families if whole}
    kept = {key: row for key, row in held.items() if row[0] not in emptied}
    return kept | {key: (parent, text) for parent, keys, _ in families for key in keys}


def held_events(path: Path) -> Held:
    """The table of children; every key is there once."""
    found = rows(path, "SELECT id, chat_id, msg FROM chat_events")
    held = {key: (parent, text) for key, parent, text in found}
    assert len(held) == len(found), "a key is there twice"
    return held


def visitor_page(visitors: Iterable[tuple[str, int | None]], text: str, **state: Any) -> PageRead:
    """A page of visitors: each a key and the minute of its last chat; all have the same name."""
    records = [{"id": key, "last_chat_timestamp": minute and time_of(minute), "name": text} for key, minute in visitors]
    return PageRead("visitors", encode(records), state)


def time_of(minute: int) -> str:
    return f"2026-03-14T09:{minute:02d}:00Z"


def held_visitors(path: Path) -> dict[str, tuple[int | None, str]]:
    """The table of visitors: minute and name by key; every key is there once."""
    found = rows(path, "SELECT id, minute(last_chat_timestamp), name FROM visitors")
    held = {key: (minute, name) for key, minute, name in found}
    assert len(held) == len(found), "a key is there twice"
    return held
