"""Extracted records as columns: the same rows whether or not the records are encoded in between."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.test_derived_parts import CHAT, ITEMS, NESTED, drifted, jsons, raw, streams, usually
from zendesk_chat.streams.derived.extracted import ExtractedRecords
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import PageRecords
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.table import StreamTable

EVENT = ITEMS["chat_events"]
UPDATES = ["2024-05-07T08:00:00Z", "2024-05-07T08:00:00.123456+02:00", "2024-05-07 08:00", "2024-02-30T08:00:00Z", "x", None, 5]


def extract(stream: str, *chats: dict[str, Any], encode: bool = False) -> ExtractedRecords:
    extractor = STREAMS[stream].extractor
    assert extractor
    records = extractor.extract(PageRecords([raw(chat) for chat in chats]), encode=encode).records
    assert isinstance(records, ExtractedRecords)
    return records


def reader(stream: str) -> RecordReader:
    return RecordReader(StreamTable.of(STREAMS[stream]))


def items_of(stream: str) -> st.SearchStrategy[Any]:
    """Items that fit the schema, such that do in part, and any others."""
    known = ITEMS[stream]
    keys = {name: st.just(known[name]) for name in NESTED[stream].key_fields if name in known}
    optional = {name: st.just(value) | jsons for name, value in known.items() if name not in keys}
    return st.just(known) | st.fixed_dictionaries(keys, optional=optional) | drifted(stream)


@streams
@usually
@given(st.data())
def test_rows_are_those_of_the_encoded_records(stream: str, data: st.DataObject) -> None:
    items = st.lists(items_of(stream), max_size=4)
    chats = [
        {"id": data.draw(st.sampled_from("ABCD")), "update_timestamp": data.draw(st.sampled_from(UPDATES))}
        | {NESTED[stream].name: data.draw(items)}
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    read = reader(stream).read(extract(stream, *chats))
    encoded = list(extract(stream, *chats))
    assert list(extract(stream, *chats, encode=True)) == encoded
    assert read.equals(reader(stream).read(encoded))
    for most_bytes in (1, 300, 10**6):
        for records in (extract(stream, *chats), encoded):
            tables = list(reader(stream).slices(records, most_bytes))
            assert pa.concat_tables([read.slice(0, 0), *tables]).equals(read)


def test_records_of_regular_and_irregular_chats_keep_their_order() -> None:
    chats = [CHAT | {"id": name, "history": [EVENT | extra] * 2} for name, extra in (("A", {}), ("B", {"new": 1}), ("C", {}))]
    rows = reader("chat_events").read(extract("chat_events", *chats)).to_pylist()
    assert [row["id"].split("|")[0] for row in rows] == ["A", "A", "B", "B", "C", "C"]
    assert [row["position"] for row in rows] == [0, 1] * 3
    assert [row["_extra"] for row in rows] == [None, None, '{"new":1}', '{"new":1}', None, None]


def test_records_can_be_read_as_bytes_before_and_after_their_columns() -> None:
    records = extract("chat_events", CHAT | {"history": [EVENT, EVENT]})
    rows = reader("chat_events").read(records)
    assert len(records) == 2
    assert records[1] == list(records)[1]
    assert b'"id":"2405.1.A|2024-05-06T10:00:01.165000Z|chat.msg|2"' in records[1]
    assert reader("chat_events").read(records).equals(rows)


def test_a_slice_has_at_least_one_chat_and_no_more_bytes_than_that() -> None:
    history = [EVENT] * 10
    chats = [CHAT | {"id": str(number), "history": history} for number in range(20)]
    tables = list(reader("chat_events").slices(extract("chat_events", *chats), len(raw(history)) * 3))
    assert [table.num_rows for table in tables] == [30] * 6 + [20]
    assert [table.num_rows for table in reader("chat_events").slices(extract("chat_events", *chats), 1)] == [10] * 20


def test_a_page_of_very_long_chats_does_not_stay_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    history = [EVENT] * 10
    monkeypatch.setattr("zendesk_chat.streams.derived.extract.DECODED_BYTES", len(raw(history)) * 5)
    chats = [CHAT | {"id": str(number), "history": history} for number in range(8)]
    records = extract("chat_events", *chats)
    assert (len(records.columns()["id"]), len(records.encoded()), len(records)) == (50, 30, 80)
    assert reader("chat_events").read(records).column("position").to_pylist() == [*range(10)] * 8
