"""Whatever bytes the API sends: records and a state that can be used, or a typed error that quotes nothing of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import NOW, SECOND, effort, iso
from tests.support.stream_runs import Side, read_one
from zendesk_chat.airbyte.inputs import parse_state
from zendesk_chat.errors import ConnectorError, RequestRejectedError, ServerError
from zendesk_chat.request import Request
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, StateBlob

T = TypeVar("T")
MARK = "SECRET-MARK"
RAW = "@raw@"  # a string that stands for what Python's json would not write
exactly = effort(75)

Then = Literal["the last again", "nothing", "refused"]


@dataclass(slots=True)
class Bodies:
    """A fetch function that answers with one body after the other, and refuses what cannot be decoded as the client does."""

    bodies: Sequence[bytes]
    then: Then = "the last again"
    requests: int = 0

    def __call__(self, request: Request[T]) -> T:
        assert all(len(str(value)) < 50 for value in request.params.values()), "fits into a URL"
        number = self.requests
        self.requests += 1
        assert self.requests <= 3 * len(self.bodies) + 12, "does not end"
        if number >= len(self.bodies) and self.then != "the last again":
            raise ServerError("no more") if self.then == "nothing" else RequestRejectedError("refused")
        try:
            return request.decode(self.bodies[min(number, len(self.bodies) - 1)])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ServerError("not JSON") from None


@dataclass(slots=True)
class Read:
    """What a read came to."""

    states: list[StateBlob] = field(default_factory=list)
    records: int = 0
    error: ConnectorError | None = None


def refuse(token: str) -> NoReturn:
    raise AssertionError(f"{token} is not JSON")


def read(name: str, fetch: Bodies, bounds: Bounds, state: StateBlob | None = None) -> Read:
    """Read to the end; whatever is not a typed error propagates."""
    stream, result = STREAMS[name], Read()
    try:
        for batch in read_one(stream, Side(fetch), stream.load_state(state) if state else None, bounds):
            for record in batch.records:
                assert isinstance(record, bytes)
                assert not set(record) & set(b"\r\n")
                found = json.loads(record.decode(), parse_int=str, parse_float=str, parse_constant=refuse)
                assert isinstance(found, dict)
                assert found
            blob = msgspec.json.decode(msgspec.json.encode(stream.dump_state(batch.position)))
            json.dumps(blob, allow_nan=False).encode()
            result.states.append(blob)
            result.records += len(batch.records)
            assert not any(MARK in note for note in batch.notes)
    except ConnectorError as error:
        result.error = error
    reported = "an end" if result.error is None else str(result.error)
    assert reported
    assert MARK not in reported
    return result


def check(name: str, bodies: Sequence[bytes], then: Then, bounds: Bounds) -> Read:
    """Read, and read on from the last state, as the platform would hand it back."""
    result = read(name, Bodies(bodies, then), bounds)
    for state in result.states:
        message = {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
        handed_back = parse_state([message])
        assert handed_back == ({name: state} if state else {})
        position = STREAMS[name].load_state(state)
        assert not isinstance(position, ExportPosition) or position.time <= max(bounds.start, NOW) * SECOND
    if result.states:
        later = Bounds(bounds.start, bounds.now + 60, bounds.lookback, bounds.incremental)
        read(name, Bodies(bodies, then), later, result.states[-1])
    return result


strings = st.sampled_from(
    ["", "7", "1e9", " ", "\u2028", "\U0001f600\n", "nan", "9" * 5000, iso(NOW * SECOND, decimals=True)]
) | st.text(max_size=4)
marked = strings.map(lambda text: f"{MARK}{text}")
unusual = st.sampled_from(
    [
        "1e400",
        "-1e999",
        "9" * 400,
        "9" * 5000,
        "NaN",
        "[1e400, -Infinity]",
        "1.0",
        "-0",
        '"\\ud800"',
        '"\\u0000"',
        '"\x01"',
        "00",
        "tru",
    ]
).map(lambda text: f"{RAW}{text}")
numbers = (
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63, 2**64, 10**29, -(10**30), 1e300, 0.5, NOW, NOW * SECOND, NOW + 86_400])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
times = st.sampled_from(
    [
        *(iso((NOW - age) * SECOND, decimals=True) for age in (0, 1, 100, 5000, 90_000)),
        "2023-11-14T22:13:20+02:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2023-11-14",
    ]
)
leaves = st.none() | st.booleans() | numbers | marked | strings | times | unusual
fields = st.sampled_from(
    [
        "id",
        "agent_id",
        "start_time",
        "timestamp",
        "update_timestamp",
        "updated_timestamp",
        "unread",
        "enabled",
        "account_key",
        "data",
        "count",
    ]
)
jsons = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields | marked, inner, max_size=4),
    max_leaves=6,
)
plain: st.SearchStrategy[Any] = st.sampled_from([None, -1, 10**40, "", True, 1.5]) | st.builds(dict) | st.builds(list) | times
deep = st.builds(
    lambda opening, depth: f"{RAW}{opening * depth}1{(']' if opening == '[' else '}') * depth}",
    st.sampled_from(["[", '{"id":']),
    st.sampled_from([60, 500, 980, 1100, 20_000]),
)


def chat(number: int) -> dict[str, Any]:
    stamp = iso((NOW - 10_000 + 50 * number) * SECOND, decimals=False)
    return {"id": f"2311.{MARK}{number}", "update_timestamp": stamp, "unread": number % 2, "message": MARK}


def span(number: int) -> dict[str, Any]:
    return {"agent_id": number, "start_time": iso((NOW - 10_000 + 50 * number) * SECOND + 7, decimals=True), "status": MARK}


def listed(number: int) -> dict[str, Any]:
    return {"id": number, "enabled": number % 2, "account_key": MARK, "name": f"{MARK}{number}"}


def event(number: int) -> dict[str, Any]:
    stamp = iso((NOW - 10_000 + 50 * number) * SECOND, decimals=number % 2 == 1)
    return {"id": f"{MARK}{number}", "timestamp": stamp, "value": MARK, "agent_id": number}


def page(stream: str, first: int, size: int) -> Any:
    """A page as the API documents it."""
    name = "chats" if STREAMS[stream].extraction else stream
    at = range(first, first + size)
    if name in ("conversions", "department_events", "agent_events"):
        end = NOW - 10_000 + 50 * (first + size - 1)
        return {name: list(map(event, at)), "count": size, "end_time": end, "next_page": f"https://{MARK}.example.com/"}
    if name == "agent_routing_settings":
        return {"data": [{**listed(number), "agent_id": number} for number in at]}
    if name in ("chats", "agent_timeline"):
        rows = [chat(number) if name == "chats" else span(number) for number in at]
        end = NOW - 10_000 + 50 * (first + size - 1)
        ends = (
            {"end_time": end, "end_id": rows[-1]["id"] if rows else ""} if name == "chats" else {"end_time": end * SECOND + 7}
        )
        return {name: rows, "count": len(rows), "next_page": f"https://{MARK}.example.com/", **ends}
    if name in ("accounts", "routing_settings"):
        return listed(first) if name == "accounts" else {"data": listed(first)}
    if name == "bans":
        return {"ip_address": [listed(number) for number in at[::2]], "visitor": [listed(number) for number in at[1::2]]}
    return [listed(number) for number in at]


def positions(value: Any) -> list[tuple[Any, Any]]:
    """Every position in a JSON value that something can be put into."""
    keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [position for key in keys for position in ((value, key), *positions(value[key]))]


def mutate(draw: st.DrawFn, holder: Any, key: Any) -> None:
    """Do something to one position."""
    match draw(st.sampled_from(["replace", "drop", "replace", "replace", "deep", "repeat", "add"])):
        case "drop":
            del holder[key]
        case "replace":
            holder[key] = draw(unusual | plain | jsons)
        case "deep":
            holder[key] = draw(deep)
        case "repeat" if isinstance(holder, list):
            holder.append(holder[key])
        case _ if isinstance(holder, dict):
            holder[draw(fields | marked)] = draw(unusual | jsons)
        case _:
            holder.insert(key, draw(jsons))


@st.composite
def mutated(draw: st.DrawFn, name: str, first: int) -> Any:
    """A page of which some parts are missing, others, or too many."""
    value = page(name, first, draw(st.sampled_from([5, 3, 1, 7, 6, 2, 0])))
    for _ in range(draw(st.integers(0, 3))):
        if found := positions(value):
            mutate(draw, *draw(st.sampled_from(found)))
    if isinstance(value, dict) and isinstance(rows := value.get(name), list) and draw(st.booleans()):
        value["count"] = len(rows)
    return value


def written(value: Any, *, indent: int | None, ascii_only: bool) -> bytes:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    parts = text.split(f'"{RAW}')
    complete = parts[0]
    for part in parts[1:]:  # up to the quote that ends the text, which no escape precedes
        end = next(at for at, letter in enumerate(part) if letter == '"' and (at - len(part[:at].rstrip("\\"))) % 2 == 0)
        complete += json.loads(f'"{part[:end]}"') + part[end + 1 :]
    return complete.encode(errors="surrogatepass")


@st.composite
def bodies(draw: st.DrawFn, name: str, number: int) -> bytes:
    """One answer: a page, more or less, a JSON value, or bytes."""
    kind = draw(st.sampled_from(["page", "page", "page", "page", "page", "json", "bytes", "cut"]))
    if kind == "bytes":
        return draw(st.binary(max_size=20)) + draw(st.sampled_from([b"", MARK.encode(), b"<html>" + MARK.encode()]))
    value = draw(jsons | deep) if kind == "json" else draw(mutated(name, draw(st.sampled_from([1 + 5 * number, 1]))))
    body = written(value, indent=draw(st.sampled_from([None, 1])), ascii_only=draw(st.booleans()))
    if kind == "cut":
        at = draw(st.integers(0, len(body)))
        return body[:at] + draw(st.sampled_from([b"", b"\xff" + body[at:], b"\x00" + body[at:], b"\r\n" + body[at:]]))
    return body


thens: st.SearchStrategy[Then] = st.sampled_from(["the last again", "nothing", "refused"])
bounds = st.builds(
    Bounds,
    st.sampled_from([0, 0, NOW - 9_900, NOW + 5]),
    st.just(float(NOW)),
    st.sampled_from([0, 600, 10_000]),
    st.booleans(),
)


@pytest.mark.parametrize("name", STREAMS)
@exactly
@given(data=st.data(), then=thens, wanted=bounds)
def test_no_answer_whatever_causes_anything_but_records_or_a_typed_error(
    name: str, data: st.DataObject, then: Then, wanted: Bounds
) -> None:
    sent = [data.draw(bodies(name, number)) for number in range(data.draw(st.sampled_from([3, 2, 1])))]
    check(name, sent, then, wanted)


@pytest.mark.parametrize("name", STREAMS)
def test_the_pages_that_are_mutated_are_valid_before(name: str) -> None:
    valid = [json.dumps(page(name, first, 5)).encode() for first in (1, 6)]
    if name == "agent_events":
        valid.insert(0, json.dumps(page(name, 0, 0)).encode())  # the one that reports the unit
    empty = [json.dumps(page(name, 11, 0)).encode()] if STREAMS[name].cursor_field else []
    result = check(name, valid + empty, "the last again", Bounds(0, NOW))
    assert result.error is None
    pages = 2 if STREAMS[name].cursor_field else 1
    one = name in ("accounts", "routing_settings")
    assert result.records == pages * (1 if one else 5)


def test_marked_parts_that_are_unusual_are_written_as_such() -> None:
    assert written({"a": f"{RAW}1e400", "b": [f'{RAW}"\\ud800"', f"{RAW}NaN"]}, indent=None, ascii_only=True) == (
        b'{"a": 1e400, "b": ["\\ud800", NaN]}'
    )
