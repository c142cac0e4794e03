"""No record is lost, whatever is in it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.loads import CHATS, chat, completed, encode, load, rows, started, without_nulls
from zendesk_chat.engine.events import PageRead
from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.records import decode_answer
from zendesk_chat.tables import spool
from zendesk_chat.tables.arrow import RecordReader, arrow_schema
from zendesk_chat.tables.strict import StrictReader
from zendesk_chat.tables.table import StreamTable, column_type


def read(records: Sequence[bytes]) -> list[dict[str, Any]]:
    return [without_nulls(row) for row in RecordReader(CHATS).read(records).to_pylist()]


def received(*records: bytes) -> list[bytes]:
    """Records as they come out of an answer of the API, in which what is not quite JSON is repaired."""
    decoder = msgspec.json.Decoder(list[msgspec.Raw])
    return [bytes(record) for record in decode_answer(b"[" + b",".join(records) + b"]", decoder)]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"type": ["null", "string"]}, "text"),
        ({"type": "string"}, "text"),
        ({"type": ["null", "string"], "format": "date-time"}, "timestamp"),
        ({"type": ["null", "string", "integer"], "format": "date-time"}, "text"),
        ({"type": ["null", "string", "integer"]}, "text"),
        ({"type": ["null", "integer"]}, "bigint"),
        ({"type": ["null", "integer", "number"]}, "double"),
        ({"type": ["null", "boolean", "integer"]}, "bool"),
        ({"type": ["null", "string", "object"]}, "json"),
        ({"type": ["null", "array"]}, "json"),
        ({}, "json"),
    ],
)
def test_column_type(field: dict[str, Any], expected: str) -> None:
    assert column_type(Schema.parse(field)) == expected


FITTING = [
    ("department_id", "12", 12),
    ("department_id", '"12"', 12),
    ("department_id", "12.0", 12),
    ("department_id", "-9223372036854775808", -(2**63)),
    ("department_id", '"9223372036854775807.0"', 2**63 - 1),
    ("department_id", '"007"', 7),
    ("department_id", "-0", 0),
    ("department_id", "5e2", 500),
    ("duration", "3", 3.0),
    ("duration", "123456789012345678901234567890", 1.2345678901234568e29),
    ("duration", '"1.5"', 1.5),
    ("duration", '" +1.5e1 "', 15.0),
    ("duration", '".5"', 0.5),
    ("duration", "1e-400", 0.0),
    ("missed", "true", True),
    ("unread", "1", True),
    ("unread", "0", False),
    ("unread", '"false"', False),
    ("unread", '"1"', True),
    ("comment", "5", "5"),
    ("comment", "2.50", "2.50"),
    ("comment", '{"a":[1]}', '{"a":[1]}'),
    ("comment", r'"a\u0000b"', "a\0b"),
    ("comment", r'"\ud83d\ude00"', "\U0001f600"),
    ("visitor", '{"a":1,"a":2}', '{"a":1,"a":2}'),
    ("visitor", "[1]", "[1]"),
    ("visitor", r'{"a":"\u0000"}', r'{"a":"\u0000"}'),
    ("visitor", '{"a": [1.50, 1E5]}', '{"a": [1.50, 1E5]}'),
    ("visitor", '{"a":1e400}', '{"a":1e400}'),
    ("visitor", '"text"', '"text"'),
    ("visitor", "123456789012345678901234567890", "123456789012345678901234567890"),
    ("update_timestamp", '"2026-03-14T09:21:01.301292Z"', datetime(2026, 3, 14, 9, 21, 1, 301292, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01+02:00"', datetime(2026, 3, 14, 7, 21, 1, 0, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01"', datetime(2026, 3, 14, 9, 21, 1, 0, UTC)),
    ("update_timestamp", '"2026-03-14"', datetime(2026, 3, 14, 0, 0, 0, 0, UTC)),
    ("update_timestamp", '"2026-3-4 9:21"', datetime(2026, 3, 4, 9, 21, 0, 0, UTC)),
    ("update_timestamp", '"2026-03-14 10:00:00+02"', datetime(2026, 3, 14, 8, 0, 0, 0, UTC)),
    ("update_timestamp", '"2026-03-14T10:00:00-0330"', datetime(2026, 3, 14, 13, 30, 0, 0, UTC)),
    ("update_timestamp", '"2026-03-14 10:00:00 UTC"', datetime(2026, 3, 14, 10, 0, 0, 0, UTC)),
    ("update_timestamp", '"2026-03-14T24:00:00Z"', datetime(2026, 3, 15, 0, 0, 0, 0, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01.1234567Z"', datetime(2026, 3, 14, 9, 21, 1, 123456, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01.9999999Z"', datetime(2026, 3, 14, 9, 21, 1, 999999, UTC)),
    ("update_timestamp", '"2024-02-29T00:00:00Z"', datetime(2024, 2, 29, 0, 0, 0, 0, UTC)),
    ("update_timestamp", '"0001-01-01"', datetime(1, 1, 1, 0, 0, 0, 0, UTC)),
    ("update_timestamp", '"9999-12-31 23:59:59.999999Z"', datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
]
MISFITTING = [
    ("department_id", "12.7"),
    ("department_id", "9223372036854775808"),
    ("department_id", "1" + "0" * 5000),
    ("department_id", '"5e2"'),
    ("department_id", '" 5"'),
    ("department_id", '"0x10"'),
    ("department_id", '"\u0663"'),
    ("department_id", '"unlimited"'),
    ("department_id", "true"),
    ("department_id", "[1]"),
    ("duration", '"unlimited"'),
    ("duration", "1e400"),
    ("duration", '"nan"'),
    ("duration", '"-inf"'),
    ("duration", '"\u0663"'),
    ("duration", '""'),
    ("duration", "true"),
    ("duration", '{"a":1.50}'),
    ("missed", "2"),
    ("missed", '"yes"'),
    ("missed", '"TRUE"'),
    ("missed", "1.0"),
    ("update_timestamp", '"2017-04-24T12:45:32+00:00Z"'),
    ("update_timestamp", '"2026-02-30T00:00:00Z"'),
    ("update_timestamp", '"infinity"'),
    ("update_timestamp", '""'),
    ("update_timestamp", '"2023-02-29"'),
    ("update_timestamp", '"0000-01-01"'),
    ("update_timestamp", '"10000-01-01"'),
    ("update_timestamp", '"0001-01-01 00:00:00+01"'),
    ("update_timestamp", '"2026-03-14T24:00:01Z"'),
    ("update_timestamp", '"2026-03-14T10:60:00Z"'),
    ("update_timestamp", '"2026-03-14T23:59:60Z"'),
    ("update_timestamp", '"2026-03-14T10:00:00,5Z"'),
    ("update_timestamp", '"2026-03-14T10"'),
    ("update_timestamp", '"20260314"'),
    ("update_timestamp", '" 2026-03-14"'),
    ("update_timestamp", '"2026-03-14T10:00:00z"'),
    ("update_timestamp", '"\u0662026-03-14"'),
    ("update_timestamp", "1710000000"),
]


def test_values_that_fit_their_column() -> None:
    records = [f'{{"id":"x","{field}":{text}}}'.encode() for field, text, _ in FITTING]
    assert read(records) == [{"id": "x", field: value} for field, _, value in FITTING]


def test_values_that_do_not_fit_are_kept_beside() -> None:
    records = [f'{{"id":"x","{field}":{text}}}'.encode() for field, text in MISFITTING]
    assert read(records) == [{"id": "x", "_unparsed": f'{{"{field}":{text}}}'} for field, text in MISFITTING]


def test_unknown_fields_are_kept_as_they_are() -> None:
    record = rb'{"new":{"b":[1,null]},"id":"x","ID":"X","q\"/~\u00e9 \'":1,"null":null,"":0}'.replace(rb"\'", b"'")
    (row,) = read([record])
    assert row.pop("id") == "x"
    assert json.loads(row.pop("_extra")) == {"new": {"b": [1, None]}, "ID": "X", "q\"/~é '": 1, "": 0}
    assert row == {}


def test_thousands_of_unknown_fields_take_little_time() -> None:
    unknown = {f"key {number}": [number, {"a": 1.0}] for number in range(5000)}
    began = time.process_time()
    (row, other) = read([json.dumps({"id": "x", **unknown}).encode(), b'{"id":"y","key 7":null}'])
    assert time.process_time() - began < 3
    assert json.loads(row["_extra"]) == unknown
    assert other == {"id": "y"}


def test_odd_records_keep_their_order_among_plain_ones() -> None:
    records = encode(chat(number) for number in range(4))
    records[1:1] = received(b'{"id":"broken \xff"}', b'{"id":"deep","deep":' + b"[" * 500 + b"]" * 500 + b"}")
    found = read(records)
    ids = ["2603.1.0000", "broken \ufffd", "deep", "2603.1.0001", "2603.1.0002", "2603.1.0003"]
    assert [row.get("id") for row in found] == ids
    assert found[2]["_extra"] == '{"deep":' + "[" * 500 + "]" * 500 + "}"


@pytest.mark.parametrize("field", ["comment", "visitor"])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"a\udc00\ud83d\ude00\\ud83d"', "a\ufffd\U0001f600\\ud83d"),
        (b'"\xff"', "\ufffd"),
        (b'"a\nb"', "a\nb"),
    ],
)
def test_malformed_strings_are_repaired_on_arrival(field: str, sent: bytes, expected: str) -> None:
    (row,) = read(received(b'{"id":"x","%s":%s}' % (field.encode(), sent)))
    assert (json.loads(row[field]) if field == "visitor" else row[field]) == expected


@pytest.mark.parametrize(
    "record",
    [
        b"no json",
        b"[1]",
        b"7",
        b"",
        b'{"id":"x"',
        b'{"id":"\xff"}',
        b'{"id":"x","visitor":"\xff"}',
        b'{"id":"x","new":"\xff"}',
        rb'{"id":"\ud83d"}',
        rb'{"id":"x","visitor":"\ud83d"}',
        b'{"id":"x",\n"id":"y"} {}',
        b'{"id":"x","visitor":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_record_that_cannot_be_read_is_kept_as_a_string(record: bytes) -> None:
    first, row, last = read([*encode([chat(1)]), record, *encode([chat(2)])])
    assert (first["id"], last["id"]) == ("2603.1.0001", "2603.1.0002")
    assert {name: json.loads(value) for name, value in row.items()} == {
        "_extra": {"_unreadable": record.decode(errors="replace")}
    }


def test_numbers_keep_their_digits_in_every_json_column() -> None:
    (row,) = read([b'{"id":"x","visitor":{"a": 1.10},"new":1E5,"more":12345678901234567890123,"duration":[1.50]}'])
    assert row == {
        "id": "x",
        "visitor": '{"a": 1.10}',
        "_extra": '{"more":12345678901234567890123,"new":1E5}',
        "_unparsed": '{"duration":[1.50]}',
    }


def test_of_a_field_that_comes_twice_the_last_value_counts() -> None:
    assert read([b'{"id":"x","id":"y","new":1,"new":2}', b'{"id":"x","id":null}']) == [{"id": "y", "_extra": '{"new":2}'}, {}]


def test_both_ways_of_reading_agree_on_plain_records() -> None:
    records = encode([*(chat(number) for number in range(3)), {}, chat(4, comment="\0", visitor={}, history=[])])
    assert None not in StrictReader.of(CHATS).read(records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StrictReader, "read", lambda _reader, records: [None] * len(records))
        lenient = RecordReader(CHATS).read(records)
    assert RecordReader(CHATS).read(records).equals(lenient)


def test_the_latest_record_of_a_key_is_kept_also_across_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = StreamTable("t", ("a", "b"), "c", Schema(properties=dict.fromkeys("abc", Schema(("integer",)))))
    pages: list[list[dict[str, object]]] = [
        [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 2}, {"a": "?", "b": 1, "c": 3}],
        [{"a": 1, "b": 1, "c": 4}, {"a": 2, "b": 1, "c": 5}, {"a": 1, "b": 1, "c": 6}, {"a": "?", "b": 1, "c": 7}],
    ]
    for segment_bytes, segments in ((spool.SEGMENT_BYTES, [[2, 3, 5, 6, 7]]), (1, [[2, 3], [5, 6, 7]])):
        monkeypatch.setattr(spool, "SEGMENT_BYTES", segment_bytes)
        waiting = spool.Spool(tmp_path / "t.parquet", table)
        for page in pages:
            waiting.append(RecordReader(table).read(encode(page)))
        rows_left = waiting.rows()
        assert [batch.column("c").to_pylist() for batch in rows_left.batches] == segments
        assert (rows_left.file, rows_left.records) == (None, 5)
        waiting.clear()
        assert list(tmp_path.iterdir()) == []


def test_where_no_key_comes_twice_the_file_is_taken_as_it_is(tmp_path: Path) -> None:
    waiting = spool.Spool(tmp_path / "t.parquet", CHATS)
    assert (waiting.rows().file, next(waiting.rows().batches)) == (None, arrow_schema(CHATS).empty_table())
    for number in range(3):
        waiting.append(RecordReader(CHATS).read(encode([chat(number)])))
    left = waiting.rows()
    assert left.file is not None
    assert pq.read_table(left.file).equals(pa.concat_tables(left.batches))
    waiting.clear()


def test_odd_records_arrive_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    long = "x" * 10_000_000
    records = [
        b'{"id":"extra","new":{"a":[1]}}',
        b'{"id":"misfit","department_id":"unlimited"}',
        *received(rb'{"id":"lone","history":[{"msg":"\ud83d"}],"comment":"\ud83d"}'),
        rb'{"id":"nul","comment":"a\u0000b","visitor":{"name":"\u0000"}}',
        f'{{"id":"long","comment":"{long}"}}'.encode(),
        b'{"id":"deep","visitor":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"id":"twice","visitor":{"a":1,"a":2}}',
        b'{"id":"digits","visitor":123456789012345678901234567890}',
        b'{"id":"no key","id":null}',
    ]
    load(path, [*started("chats"), PageRead("chats", records, {"next": 1}), completed("chats")])
    load(path, [*started("chats"), PageRead("chats", records, {"next": 1}), completed("chats")])
    found = {row[0]: row[1:] for row in rows(path, "SELECT id, comment, visitor, history, _extra, _unparsed FROM chats")}
    assert len(rows(path, "SELECT id FROM chats WHERE id IS NOT NULL")) == len(records) - 1
    assert found["extra"] == (None, None, None, '{"new":{"a":[1]}}', None)
    assert found["misfit"] == (None, None, None, None, '{"department_id":"unlimited"}')
    assert found["lone"] == ("\ufffd", None, '[{"msg":"\ufffd"}]', None, None)
    assert found["nul"][:2] == ("a\0b", r'{"name":"\u0000"}')
    assert found["long"][0] == long
    assert found["deep"][1] == "[" * 500 + "]" * 500
    assert found["twice"][1] == '{"a":1,"a":2}'
    assert found["digits"][1] == "123456789012345678901234567890"
