"""No record is lost, whatever is in it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.loads import CHATS, chat, completed, encode, load, rows, started, without_nulls
from zendesk_chat.engine.events import PageRead
from zendesk_chat.tables import spool
from zendesk_chat.tables.arrow import arrow_schema, record_reader
from zendesk_chat.tables.lenient import open_reader, read_leniently
from zendesk_chat.tables.strict import row_decoder
from zendesk_chat.tables.table import StreamTable, column_type

Read = Callable[[Sequence[bytes]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def reader() -> Iterator[duckdb.DuckDBPyConnection]:
    with contextlib.closing(open_reader()) as reader:
        yield reader


@pytest.fixture
def read(reader: duckdb.DuckDBPyConnection) -> Read:
    read_records = record_reader(reader, CHATS)
    return lambda records: [without_nulls(row) for row in read_records(records).to_pylist()]


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
    assert column_type(field) == expected


FITTING = [
    ("department_id", "12", 12),
    ("department_id", '"12"', 12),
    ("department_id", "12.0", 12),
    ("department_id", "-9223372036854775808", -(2**63)),
    ("duration", "3", 3.0),
    ("duration", "123456789012345678901234567890", 1.2345678901234568e29),
    ("duration", '"1.5"', 1.5),
    ("missed", "true", True),
    ("unread", "1", True),
    ("unread", "0", False),
    ("comment", "5", "5"),
    ("comment", "2.50", "2.5"),
    ("comment", '{"a":[1]}', '{"a":[1]}'),
    ("comment", r'"a\u0000b"', "a\0b"),
    ("comment", r'"\ud83d\ude00"', "\U0001f600"),
    ("comment", r'"\ud83d"', "\ufffd"),
    ("comment", r'"a\udc00\ud83d\ude00\\ud83d"', "a\ufffd\U0001f600\\ud83d"),
    ("visitor", '{"a":1,"a":2}', '{"a":1,"a":2}'),
    ("visitor", "[1]", "[1]"),
    ("visitor", r'{"a":"\u0000"}', r'{"a":"\u0000"}'),
    ("visitor", r'{"a":"\uD83D"}', '{"a":"\ufffd"}'),
    ("visitor", "123456789012345678901234567890", "123456789012345678901234567890"),
    ("update_timestamp", '"2026-03-14T09:21:01.301292Z"', datetime(2026, 3, 14, 9, 21, 1, 301292, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01+02:00"', datetime(2026, 3, 14, 7, 21, 1, 0, UTC)),
    ("update_timestamp", '"2026-03-14T09:21:01"', datetime(2026, 3, 14, 9, 21, 1, 0, UTC)),
    ("update_timestamp", '"2026-03-14"', datetime(2026, 3, 14, 0, 0, 0, 0, UTC)),
]
MISFITTING = [
    ("department_id", "12.7"),
    ("department_id", "9223372036854775808"),
    ("department_id", '"unlimited"'),
    ("department_id", "true"),
    ("department_id", "[1]"),
    ("duration", '"unlimited"'),
    ("duration", "1e400"),
    ("missed", "2"),
    ("missed", '"yes"'),
    ("update_timestamp", '"2017-04-24T12:45:32+00:00Z"'),
    ("update_timestamp", '"2026-02-30T00:00:00Z"'),
    ("update_timestamp", '"infinity"'),
    ("update_timestamp", '""'),
    ("update_timestamp", "1710000000"),
]


def test_values_that_fit_their_column(read: Read) -> None:
    records = [f'{{"id":"x","{field}":{text}}}'.encode() for field, text, _ in FITTING]
    assert read(records) == [{"id": "x", field: value} for field, _, value in FITTING]


def test_values_that_do_not_fit_are_kept_beside(read: Read) -> None:
    records = [f'{{"id":"x","{field}":{text}}}'.encode() for field, text in MISFITTING]
    assert read(records) == [{"id": "x", "_unparsed": f'{{"{field}":{text}}}'} for field, text in MISFITTING]


def test_unknown_fields_are_kept_as_they_are(read: Read) -> None:
    record = rb'{"new":{"b":[1,null]},"id":"x","ID":"X","q\"/~\u00e9 \'":1,"null":null,"":0}'.replace(rb"\'", b"'")
    (row,) = read([record])
    assert row.pop("id") == "x"
    assert json.loads(row.pop("_extra")) == {"new": {"b": [1, None]}, "ID": "X", "q\"/~é '": 1, "": 0}
    assert row == {}


def test_thousands_of_unknown_fields_take_little_time(read: Read) -> None:
    unknown = {f"key {number}": [number, {"a": 1.0}] for number in range(5000)}
    began = time.process_time()
    (row, other) = read([json.dumps({"id": "x", **unknown}).encode(), b'{"id":"y","key 7":null}'])
    assert time.process_time() - began < 3
    assert json.loads(row["_extra"]) == unknown
    assert other == {"id": "y"}


def test_odd_records_keep_their_order_among_plain_ones(read: Read) -> None:
    records = encode(chat(number) for number in range(6))
    records[1] = b'{"id":"broken \xff"}'
    records[3] = b"no json"
    records[4] = b'{"id":"deep","deep":' + b"[" * 5000 + b"]" * 5000 + b"}"
    found = read(records)
    assert [row.get("id") for row in found] == ["2603.1.0000", "broken \ufffd", "2603.1.0002", None, "deep", "2603.1.0005"]
    assert json.loads(found[3]["_extra"]) == {"_unreadable": "no json"}
    assert found[4]["_extra"] == '{"deep":' + "[" * 5000 + "]" * 5000 + "}"


def test_both_ways_of_reading_agree_on_plain_records(reader: duckdb.DuckDBPyConnection) -> None:
    records = encode([*(chat(number) for number in range(3)), {}, chat(4, comment="\0", visitor={}, history=[])])
    assert None not in row_decoder(CHATS)(records)
    strict = record_reader(reader, CHATS)(records)
    assert strict.equals(read_leniently(reader, CHATS, records).cast(arrow_schema(CHATS)))


def test_the_latest_record_of_a_key_is_kept_also_across_pages(
    reader: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = StreamTable("t", ("a", "b"), "c", {"properties": {name: {"type": ["integer"]} for name in "abc"}})
    pages: list[list[dict[str, object]]] = [
        [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 2}, {"a": "?", "b": 1, "c": 3}],
        [{"a": 1, "b": 1, "c": 4}, {"a": 2, "b": 1, "c": 5}, {"a": 1, "b": 1, "c": 6}, {"a": "?", "b": 1, "c": 7}],
    ]
    for segment_bytes, segments in ((spool.SEGMENT_BYTES, [[2, 3, 5, 6, 7]]), (1, [[2, 3], [5, 6, 7]])):
        monkeypatch.setattr(spool, "SEGMENT_BYTES", segment_bytes)
        waiting = spool.Spool(tmp_path / "t.parquet", table)
        for page in pages:
            waiting.append(record_reader(reader, table)(encode(page)))
        rows_left = waiting.rows()
        assert [batch.column("c").to_pylist() for batch in rows_left.batches] == segments
        assert (rows_left.file, rows_left.records) == (None, 5)
        waiting.clear()
        assert list(tmp_path.iterdir()) == []


def test_where_no_key_comes_twice_the_file_is_taken_as_it_is(reader: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    waiting = spool.Spool(tmp_path / "t.parquet", CHATS)
    assert (waiting.rows().file, next(waiting.rows().batches)) == (None, arrow_schema(CHATS).empty_table())
    for number in range(3):
        waiting.append(record_reader(reader, CHATS)(encode([chat(number)])))
    left = waiting.rows()
    assert left.file is not None
    assert pq.read_table(left.file).equals(pa.concat_tables(left.batches))
    assert left.keys.column("id").to_pylist() == ["2603.1.0000", "2603.1.0001", "2603.1.0002"]
    waiting.clear()


def test_odd_records_arrive_in_the_database(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    long = "x" * 10_000_000
    records = [
        b'{"id":"extra","new":{"a":[1]}}',
        b'{"id":"misfit","department_id":"unlimited"}',
        rb'{"id":"lone","history":[{"msg":"\ud83d"}],"comment":"\ud83d"}',
        rb'{"id":"nul","comment":"a\u0000b","visitor":{"name":"\u0000"}}',
        f'{{"id":"long","comment":"{long}"}}'.encode(),
        b'{"id":"deep","visitor":' + b"[" * 3000 + b"]" * 3000 + b"}",
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
    assert found["deep"][1] == "[" * 3000 + "]" * 3000
    assert found["twice"][1] == '{"a":1,"a":2}'
    assert found["digits"][1] == "123456789012345678901234567890"
