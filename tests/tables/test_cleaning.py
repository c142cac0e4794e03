"""What Postgres refuses is changed as little as possible."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.cleaning import Change, Cleaner, about_changes, clean_json, longest_key
from zendesk_chat.tables.table import StreamTable

DEPARTMENTS = StreamTable.of(STREAMS["departments"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r'"a\u0000b"', r'"a\ufffdb"'),
        (r'{"a\u0000":"\u0000\u0000"}', r'{"a\ufffd":"\ufffd\ufffd"}'),
        (r'"\ud800"', r'"\ufffd"'),
        (r'"\udc00\ud83d"', r'"\ufffd\ufffd"'),
        (r'"\\\u0000"', r'"\\\ufffd"'),
        ("[1e400000, -1e-20000]", '["1e400000", "-1e-20000"]'),
        ('{"a":' + "1" * 131_073 + "}", '{"a":"' + "1" * 131_073 + '"}'),
    ],
)
def test_json_that_is_changed(before: str, after: str) -> None:
    assert clean_json(before) == after


@pytest.mark.parametrize(
    "text",
    [
        r'"\ud83d\ude00"',
        r'"\\u0000"',
        r'"\\ud800"',
        r'"\u0001\n\"1e400000"',
        "1e131071",
        "1e-16383",
        "1" * 131_072,
        "0." + "1" * 16_383,
        "[12.5, -0.0, 1E+5, true, null]",
    ],
)
def test_json_that_stays(text: str) -> None:
    assert clean_json(text) == text


def cleaned(records: Iterable[dict[str, Any]], cleaner: Cleaner) -> list[dict[str, Any]]:
    encoded = [json.dumps(record).encode() for record in records]
    rows = cleaner.clean(RecordReader(DEPARTMENTS).read(encoded)).to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_values_are_counted_and_reported_in_one_warning() -> None:
    cleaner = Cleaner(DEPARTMENTS)
    rows = cleaned(
        [
            {"id": 1, "name": "before\0after", "new": {"a": "\0"}},
            {"id": 2, "name": "fine", "description": ""},
            {"id": 3, "name": "\0", "new": 1.5},
        ],
        cleaner,
    )
    assert rows == [
        {"id": 1, "name": "before\ufffdafter", "_extra": r'{"new":{"a": "\ufffd"}}'},
        {"id": 2, "name": "fine", "description": ""},
        {"id": 3, "name": "\ufffd", "_extra": '{"new":1.5}'},
    ]
    assert cleaner.changes == {Change("departments", "name", "nul"): 2, Change("departments", "_extra", "json"): 1}
    assert about_changes(cleaner.changes) == (
        "Postgres does not accept some values, so they were changed. NUL characters became U+FFFD: 2 of departments.name. "
        "NUL characters and halves of surrogate pairs in JSON became U+FFFD, and numbers beyond its range became strings: "
        "1 of departments._extra."
    )


def test_a_string_that_is_too_long_is_cut_between_characters() -> None:
    cleaner = Cleaner(DEPARTMENTS, longest=20)
    rows = cleaned([{"id": 1, "name": "a" + "é" * 20, "new": "b" * 30}], cleaner)
    assert rows == [{"id": 1, "name": "a" + "é" * 9}]
    assert cleaner.changes == {Change("departments", "name", "long"): 1, Change("departments", "_extra", "long"): 1}


def test_the_longest_key_is_that_of_a_row_or_of_its_parent() -> None:
    table = StreamTable.of(STREAMS["chat_events"])
    rows = RecordReader(table).read([b'{"id":"12345","chat_id":"123"}', b'{"id":"1","chat_id":"1234567"}'])
    assert longest_key(table, rows) == 7
    assert longest_key(table, RecordReader(table).read([])) == 0
