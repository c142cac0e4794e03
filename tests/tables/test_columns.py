"""Values as columns: quickly where they are usual, and never otherwise than leniently."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from tests.support.loads import CHATS
from tests.support.model import effort
from zendesk_chat.streams.records import in_slices
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.columns import UNFIT, Array, to_column, to_json, to_text
from zendesk_chat.tables.lenient import NULL, read_leniently

days = st.from_regex(r"(0000|0001|1969|2024|2026|9999)-(0?[1-9]|1[0-3]|00)-(0?[1-9]|[23][0-9])", fullmatch=True)
times_of_day = st.from_regex(r"([T ](0?[0-9]|2[0-4])(:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,7})?)?)?)?", fullmatch=True)
zones = st.sampled_from(["", "Z", "z", "+02", "-0330", "+05:45", "+24:00", "-01:00", "+01:00:00", " UTC", " Z"])
times = st.builds("{}{}{}".format, days, times_of_day, zones)


@effort(300)
@given(st.lists(times, min_size=1, max_size=3))
def test_a_time_is_read_as_it_is_leniently(strings: list[str]) -> None:
    records = [json.dumps({"id": "A", "update_timestamp": text}).encode() for text in strings]
    read = RecordReader(CHATS).read(records)
    lenient = [read_leniently(CHATS.columns, record) for record in records]
    position = list(CHATS.columns).index("update_timestamp")
    expected = to_column("timestamp", [row.values[position] for row in lenient])
    assert read.column("update_timestamp").combine_chunks().equals(expected)
    assert read.column("_unparsed").to_pylist() == [row.unparsed and row.unparsed.decode() for row in lenient]


def values_of(column: Array) -> list[object]:
    return [value.as_py() for value in column]


def test_json_keeps_its_bytes() -> None:
    values = [Raw(b'{"a": 1.50}'), NULL, Raw(b"null"), Raw('"\u00e4"'.encode()), Raw(b"[]")]
    assert values_of(to_json(values)) == ['{"a": 1.50}', None, None, '"\u00e4"', "[]"]
    assert values_of(to_json([])) == []
    assert to_json([NULL]).null_count == 1


def test_json_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid):
        to_json([Raw(b'"\xff"')])


def test_integers_among_strings_become_text() -> None:
    assert values_of(to_text(["a", None, 5, 2**70])) == ["a", None, "5", str(2**70)]


@pytest.mark.parametrize(("kind", "value"), [("bigint", 2**63), ("bool", 1), ("timestamp", "2026-01-01"), ("text", 5)])
def test_a_value_that_does_not_fit_is_refused(kind: str, value: str | int) -> None:
    with pytest.raises(UNFIT):
        to_column(kind, [None, value])  # type: ignore[arg-type]  # a parameter of the test


def test_slices_have_at_most_so_many_bytes_or_one_record() -> None:
    records = [b"x" * size for size in (3, 4, 4, 20, 1, 9, 0)]
    assert [[len(record) for record in part] for part in in_slices(records, 10)] == [[3, 4], [4], [20], [1, 9, 0]]
    assert list(in_slices([], 10)) == []
