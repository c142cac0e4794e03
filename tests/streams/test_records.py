"""Records are the API's own JSON on one line; keys, times and digests are taken from them and nothing is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import effort
from zendesk_chat.errors import EnvelopeError
from zendesk_chat.streams.exports.agent_timeline import span_row
from zendesk_chat.streams.exports.chats import chat_row
from zendesk_chat.streams.exports.export import Row
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.lists.answers import array
from zendesk_chat.streams.records import digest, iso_micros, iso_seconds, micros_of, with_fields

exactly = effort(300)
strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(strings, jsons, max_size=5)
indents = st.sampled_from([None, 0, 2, "\t"])


def only(body: bytes) -> bytes:
    (record,) = array(body)
    return bytes(record)


@exactly
@given(st.lists(objects, max_size=4), indents, st.booleans(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_each_record_is_one_line_that_equals_what_was_sent(
    rows: list[dict[str, Any]], indent: str | int | None, ascii_only: bool, newline: str
) -> None:
    text = json.dumps(rows, indent=indent, ensure_ascii=ascii_only)
    lines = [bytes(record) for record in array((text.replace("\n", newline)).encode())]
    assert list(map(json.loads, lines)) == rows
    assert not any(line.count(b"\n") + line.count(b"\r") for line in lines)
    for line in lines:
        line.decode()


def test_a_record_on_one_line_keeps_its_bytes() -> None:
    record = b'{"a": 1.10, "b":1E5,  "c":"\\u00e9\\/", "d":12345678901234567890123, "e":1e400, "f":-0.0}'
    assert only(b"[" + record + b"]") == record


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (b'"\\ud800"', "�"),
        (b'"\\udc00\\ud83d"', "��"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"a\nb"', "a\nb"),
        (b'"a\r\nb"', "a\r\nb"),
        (b'"a\tb\x00\x1f"', "a\tb\x00\x1f"),
        (b'"\xff\xfe"', "��"),
        (b'"\xed\xa0\x80"', "���"),
        (b'"\xe2\x80\xa8\xc2\x85"', "\u2028\x85"),
        (b"NaN", None),
        (b"[Infinity, -Infinity]", [None, None]),
        (b"1e-400", 0.0),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_what_is_not_quite_json_is_repaired(sent: bytes, value: object) -> None:
    line = only(b'[{"v":' + sent + b',"rest":1.50}]')
    assert json.loads(line) == {"v": value, "rest": 1.5}
    assert b"\n" not in line
    assert b"\r" not in line
    line.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"[",
        b'[{"a":1}',
        b'[{"a":1}] x',
        b"<html></html>",
        b"[{'a':1}]",
        b'[{"a":01}]',
        b'["\\q"]',
        b"\xff",
        b"[,]",
        b"\x00",
    ],
)
def test_what_is_no_json_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        array(body)
    assert not isinstance(caught.value, msgspec.ValidationError)


@pytest.mark.parametrize("body", [b"null", b"{}", b"7", b'"x"', b"true", b'\n{"a":\n1}', b"[" * 9000 + b"]" * 9000])
def test_json_of_another_form_is_an_envelope_error(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        array(body)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_nesting_is_passed_on_or_refused(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for depth in (50, 500, 900, 1100, 20_000):
        record = opening * depth + b"1" + closing * depth
        for body in (b"[" + record + b"]", b"[\n" + record + b"]", b'["\xff",' + record + b"]"):
            try:
                rows = array(body)
            except EnvelopeError:
                assert depth > 500
            else:
                assert bytes(rows[-1]) == record
                assert len(digest(bytes(rows[-1]))) == 16


def test_numbers_keep_their_digits_in_an_answer_that_is_repaired() -> None:
    sent = (
        b'[{"avg":23.5000,"large":-0.10e5,"integer":12345678901234567890123,"text":"\xff","like":"\xee\x80\x80 \\uE001 1.50"}]'
    )
    (record,) = array(sent)
    for digits in (b":23.5000,", b":-0.10e5,", b":12345678901234567890123,", b" \xee\x80\x81 1.50"):
        assert digits in bytes(record)


@exactly
@given(st.binary(max_size=30) | st.text(max_size=20).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_are_records_or_a_typed_error(body: bytes) -> None:
    for text in (body, b"[" + body + b"]", b'[{"a":"' + body + b'"}]'):
        try:
            rows = array(text)
        except (msgspec.DecodeError, EnvelopeError):
            continue
        for row in rows:
            line = bytes(row)
            json.loads(line.decode())
            assert b"\n" not in line
            assert digest(line) == digest(line)


@exactly
@given(objects, st.randoms(use_true_random=False), indents)
def test_a_digest_is_of_the_content_and_not_of_its_order_or_spaces(
    row: dict[str, Any], chance: Any, indent: str | None
) -> None:
    keys = list(row)
    chance.shuffle(keys)
    shuffled = {key: row[key] for key in keys}
    assert digest(json.dumps(row).encode()) == digest(json.dumps(shuffled, indent=indent, ensure_ascii=False).encode())


@exactly
@given(jsons, jsons)
def test_digests_of_different_contents_differ(one: Any, other: Any) -> None:
    first, second = json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True)
    assert (digest(first.encode()) == digest(second.encode())) == (first == second)


@pytest.mark.parametrize("number", [b"1e400", b"-1e999", b"9" * 5000])
def test_a_number_beyond_all_bounds_has_a_digest(number: bytes) -> None:
    assert digest(b'{"a":' + number + b"}") != digest(b'{"a":' + number + b"9}")


@exactly
@given(objects, objects)
def test_setting_fields_leaves_the_others(row: dict[str, Any], values: dict[str, Any]) -> None:
    assert json.loads(with_fields(json.dumps(row).encode(), **values)) == row | values


@exactly
@given(objects, st.sampled_from([0, 1, True, False, None, "1", 2, "absent"]))
def test_a_chat_is_passed_on_but_for_unread_as_a_boolean(row: dict[str, Any], unread: object) -> None:
    row |= {"id": "2311.1.a", "update_timestamp": "2023-11-14T22:13:20Z"}
    sent = json.dumps(row if unread == "absent" else {**row, "unread": unread}).encode()
    chat = chat_row(msgspec.Raw(sent))
    assert chat is not None
    assert (chat.key, chat.time) == ("2311.1.a", 1_700_000_000_000_000)
    found = json.loads(chat.record)
    if type(unread) is int and unread in (0, 1):
        assert found == {**row, "unread": bool(unread)}
        assert found["unread"] is bool(unread)
    else:
        assert chat.record == sent


@pytest.mark.parametrize("row", [b"[]", b"1", b"null", b'"x"'])
@pytest.mark.parametrize("row_of", [chat_row, span_row])
def test_a_row_that_is_no_object_is_no_record(row_of: Callable[[msgspec.Raw], Row | None], row: bytes) -> None:
    assert row_of(msgspec.Raw(row)) is None


@pytest.mark.parametrize("key", [..., None, "", [], 1.5, {}, True])
@pytest.mark.parametrize(("row_of", "name"), [(chat_row, "id"), (span_row, "agent_id")])
def test_a_record_without_its_key_gets_an_id_that_is_always_the_same_for_its_content(
    row_of: Callable[[msgspec.Raw], Row | None], name: str, key: object
) -> None:
    def made(**fields: object) -> Row:
        row = row_of(msgspec.Raw(json.dumps(fields if key is ... else {**fields, name: key}).encode()))
        assert row is not None
        assert json.loads(row.record) == {**fields, **({} if key is ... else {name: key}), "id": row.key}
        return row

    first = made(a=1, b=2)
    assert is_made(first.key)
    assert made(b=2, a=1).key == first.key
    assert made(a=1, b=3).key != first.key


def test_a_number_beyond_range_does_not_lose_its_record() -> None:
    row = chat_row(msgspec.Raw(b'{"id": "c1", "update_timestamp": 1e400, "message": "hi"}'))
    assert row is not None
    assert b'"message":"hi"' in row.record


@pytest.mark.parametrize(
    ("name", "time"), [("update_timestamp", 1_700_000_000_000_000), ("updated_timestamp", 1_700_000_000_000_000), ("x", None)]
)
def test_both_spellings_of_the_update_time_are_read(name: str, time: int | None) -> None:
    sent = json.dumps({"id": 7, name: "2023-11-14T22:13:20Z"}).encode()
    assert chat_row(msgspec.Raw(sent)) == Row("7", time, sent)


def span_of(fields: dict[str, Any]) -> Row:
    row = span_row(msgspec.Raw(json.dumps(fields).encode()))
    assert row is not None
    return row


spans = st.tuples(st.integers(1, 3), st.integers(0, 5).map(lambda part: 1_700_000_000_000_000 + part))


@exactly
@given(spans, spans)
def test_spans_have_an_id_of_their_own_down_to_the_microsecond(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = (span_of({"agent_id": agent, "start_time": iso_micros(at)}) for agent, at in (one, other))
    assert (first.key == second.key) == (one == other)
    assert first.time == one[1]
    assert json.loads(first.record) == {"agent_id": one[0], "start_time": iso_micros(one[1]), "id": first.key}


def test_the_id_of_a_span_stays_while_its_content_changes() -> None:
    first, second = (span_of({"duration": n, "agent_id": 1, "start_time": "2024-02-09T13:12:16.817973Z"}) for n in (1, 2))
    assert first.key == second.key == "1|2024-02-09T13:12:16.817973Z"
    assert first.record != second.record


@pytest.mark.parametrize("span", [{"agent_id": 1, "start_time": None}, {"agent_id": 1}, {"agent_id": "1", "start_time": ""}])
def test_a_start_that_is_missing_is_not_made_up(span: dict[str, Any]) -> None:
    row = span_of(span)
    assert row.time is None
    assert json.loads(row.record) == {**span, "id": row.key}
    assert row.key == span_of(dict(reversed(span.items()))).key
    assert row.key != span_of({**span, "status": "away"}).key


@exactly
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001  Hypothesis adds the zone
def test_times_come_back(timestamp: datetime) -> None:
    micros = micros_of(timestamp.isoformat())
    assert micros is not None
    assert micros_of(iso_micros(micros)) == micros
    assert micros_of(iso_seconds(micros)) == micros // 1_000_000 * 1_000_000


@pytest.mark.parametrize("text", [None, 7, "", "soon", "2024-13-01T00:00:00Z", "2024-02-30", [], {}, True, "\ud800"])
def test_what_is_no_time_is_none(text: object) -> None:
    assert micros_of(text) is None
