"""The table of visitors shows each as the last of their chats in the file does, whatever becomes of the chats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loads import EACH_PAGE, load, rows
from tests.support.model import effort
from zendesk_chat.engine.events import Event, PageRead, StreamCompleted, StreamStarted
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import PageRecords
from zendesk_chat.tables.table import StreamTable

Chat: TypeAlias = tuple[int, str | None, str]
"""Number, which is also the minute when the chat began; visitor, None in a deleted chat; the visitor's name."""

CHATS: st.SearchStrategy[Chat] = st.tuples(st.integers(0, 5), st.sampled_from(["v", "w", None]), st.sampled_from("abc"))
PAGES = st.lists(st.lists(CHATS, max_size=4), min_size=1, max_size=6)


def encoded(chat: Chat, updated: int) -> bytes:
    number, visitor, name = chat
    times = {"timestamp": f"2026-03-14T09:{number:02d}:00Z", "update_timestamp": f"2026-03-15T09:{updated:02d}:00Z"}
    shown = {} if visitor is None else {"visitor": {"id": visitor, "name": name}, "session": {"city": name.upper()}}
    return json.dumps({"id": f"2603.1.{number}", **times, **shown, "deleted": visitor is None}).encode()


def events_of(pages: Sequence[Sequence[Chat]], names: Sequence[str], first: int = 0) -> list[Event]:
    events: list[Event] = [StreamStarted(name) for name in names]
    for number, page in enumerate(pages, first):
        records = PageRecords([encoded(chat, number) for chat in page])
        for name in names:
            extractor = STREAMS[name].extractor
            children = extractor.extract(records) if extractor else None
            found, parents = (children.records, children.parents) if children else (records, ())
            events.append(PageRead(name, found, {"page": number}, parents=parents))
    return [*events, *(StreamCompleted(name, SyncStats()) for name in names)]


def load_pages(path: Path, pages: Sequence[Sequence[Chat]], *names: str, first: int = 0, each: bool = False) -> None:
    tables = [StreamTable.of(STREAMS[name]) for name in names]
    load(path, events_of(pages, names, first), tables=tables, limits=EACH_PAGE if each else None)


def visitors(path: Path) -> dict[str, tuple[str, str, str]]:
    found = rows(path, "SELECT id, name, city, last_chat_id FROM visitors")
    held = {visitor: (name, city, chat) for visitor, name, city, chat in found}
    assert len(held) == len(found), "a visitor is there twice"
    return held


def expected(pages: Sequence[Sequence[Chat]]) -> dict[str, tuple[str, str, str]]:
    chats = {chat[0]: chat for page in pages for chat in page}
    shown = {visitor: (name, name.upper(), f"2603.1.{number}") for number, visitor, name in sorted(chats.values()) if visitor}
    return {visitor: shown[visitor] for visitor in shown}


@pytest.mark.parametrize("names", [("chats", "visitors"), ("visitors", "chats")])
def test_a_visitor_whose_chats_were_all_deleted_is_gone(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "chats.duckdb"
    load_pages(path, [[(1, "v", "a"), (2, "v", "b"), (3, "w", "c")]], *names)
    assert visitors(path) == {"v": ("b", "B", "2603.1.2"), "w": ("c", "C", "2603.1.3")}
    load_pages(path, [[(2, None, "")]], *names, first=1)
    assert visitors(path) == {"v": ("a", "A", "2603.1.1"), "w": ("c", "C", "2603.1.3")}, "as the earlier chat shows it"
    load_pages(path, [[(1, None, "")]], *names, first=2)
    assert visitors(path) == {"w": ("c", "C", "2603.1.3")}


def test_a_chat_that_was_merged_into_another_visitor_moves(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    load_pages(path, [[(1, "v", "a"), (2, "w", "b")]], "chats", "visitors")
    load_pages(path, [[(1, "w", "c")]], "chats", "visitors", first=1)
    assert visitors(path) == {"w": ("b", "B", "2603.1.2")}


def test_without_a_table_of_chats_the_visitor_goes_until_a_later_chat(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    load_pages(path, [[(1, "v", "a"), (2, "v", "b")]], "visitors")
    load_pages(path, [[(2, None, "")]], "visitors", first=1)
    assert visitors(path) == {}
    load_pages(path, [[(3, "v", "c")]], "visitors", first=2)
    assert visitors(path) == {"v": ("c", "C", "2603.1.3")}


@given(PAGES, st.booleans(), st.integers(0, 5))
@effort(40)
def test_visitors_are_what_the_chats_in_the_file_show(pages: list[list[Chat]], each: bool, cut: int) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "chats.duckdb"
        load_pages(path, pages[:cut], "chats", "visitors", each=each)
        load_pages(path, pages[cut:], "chats", "visitors", first=cut, each=each)
        assert visitors(path) == expected(pages)
