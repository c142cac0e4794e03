"""What a schema does not know is reported once, whatever the records are, and what it knows is never reported."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import EllipsisType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.support.model import effort
from zendesk_chat.engine import drift
from zendesk_chat.engine.drift import LONGEST_NAME, MAX_CHANGES, MAX_UNKNOWN_FIELDS, DriftDetector
from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.registry import STREAMS

Json = dict[str, Any]
Path = tuple[str | EllipsisType, ...]

exactly = effort(100)
few_names = st.sampled_from(["a", "b", "c", "é", 'q"', "\\", "n\n", "x.y", "*", "\ud800"])
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab\u00e9", max_size=3)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(few_names, inner, max_size=4))
objects = st.dictionaries(few_names, values, max_size=5)
some_types = st.lists(st.sampled_from(TYPES[1:]), unique=True, max_size=3).map(lambda types: ["null", *types])
schemas: st.SearchStrategy[Json] = st.recursive(
    some_types.map(lambda types: {"type": types}) | st.just({}),
    lambda inner: st.builds(
        lambda types, properties, items: {"type": types, "properties": properties, "items": items},
        some_types,
        st.dictionaries(few_names, inner, max_size=4),
        inner,
    ),
    max_leaves=12,
)
record_schemas = st.dictionaries(few_names, schemas, max_size=5).map(
    lambda properties: {"type": "object", "properties": properties} if properties else {"type": "object"}
)
CHAT: Json = {
    "type": "object",
    "properties": {
        "id": {"type": ["null", "string"]},
        "duration": {"type": ["null", "number"]},
        "count": {"type": ["null", "integer"]},
        "visitor": {"type": ["null", "object"], "properties": {"name": {"type": ["null", "string"]}}},
        "session": {"type": ["null", "object"]},
        "tags": {"type": ["null", "array"]},
        "anything": {},
        "history": {
            "type": ["null", "array"],
            "items": {"type": ["null", "object"], "properties": {"msg_id": {"type": ["null", "string", "integer"]}}},
        },
        "webpath": {
            "type": ["null", "array"],
            "items": {
                "type": ["null", "object", "array"],
                "properties": {"to": {"type": ["null", "string"]}},
                "items": {"type": ["null", "string"]},
            },
        },
    },
}


def change(path: str, known: tuple[str, ...], found: str) -> SchemaChange:
    return SchemaChange("chats", path, known, found)


def detector(schema: Json) -> DriftDetector:
    return DriftDetector("chats", Schema.parse(schema))


def lines(*records: Any) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


def conforming(schema: Json) -> st.SearchStrategy[Any]:
    """Values that a schema knows, nothing in them unknown."""
    types = schema.get("type", TYPES)
    types = [types] if isinstance(types, str) else types
    simple: dict[str, st.SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(-5, 5) | st.integers(),
        "number": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "string": st.text("xyz\u00e9", max_size=3),
        "array": st.lists(conforming(schema["items"]) if schema.get("items") else scalars, max_size=3),
        "object": st.fixed_dictionaries({}, optional={k: conforming(v) for k, v in schema["properties"].items()})
        if schema.get("properties")
        else objects,
    }
    return st.one_of([simple[kind] for kind in types])


def json_type(value: Any) -> str:
    by_type = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
        dict: "object",
    }
    return by_type[type(value)]


def fits(found: str, types: Iterable[str]) -> bool:
    return found in types or (found == "integer" and "number" in types)


def offences(schema: Json | None, value: Any, path: Path = ()) -> Iterator[tuple[Path, tuple[str, ...], str]]:
    """Everything in a value that its schema does not know, as often as it is there; `...` stands for an item."""
    declared = [] if schema is None else schema.get("type", TYPES)
    known = tuple(kind for kind in ([declared] if isinstance(declared, str) else declared) if kind != "null")
    found = json_type(value)
    if schema is None or not fits(found, {"null", *known}):
        yield path, known, found
    elif isinstance(value, dict) and schema.get("properties"):
        for name, inner in value.items():
            yield from offences(schema["properties"].get(name), inner, (*path, name))
    elif isinstance(value, list) and schema.get("items"):
        for inner in value:
            yield from offences(schema["items"], inner, (*path, ...))


def plainly(schema: Json, records: Sequence[Any]) -> list[SchemaChange]:
    """The rules in their simplest form."""
    reported: dict[Path, set[str]] = {}
    changes: list[SchemaChange] = []
    for path, known, found in (offence for record in records for offence in offences(schema, record)):
        before = reported.setdefault(path, set())
        if not fits(found, before) and not (found == "null" and before):
            before.add(found)
            changes.append(change(".".join("*" if part is ... else shown(part) for part in path), known, found))
    return changes


def shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]


def changes_by_walking(schema: Json, records: Sequence[bytes]) -> list[SchemaChange]:
    observed = detector(schema)
    return [each for record in records for each in observed.walk(record)]


@exactly
@given(record_schemas, st.data(), st.sampled_from([1, 3, 32]))
def test_changes_are_those_of_a_plain_walk_through_all_records(schema: Json, data: st.DataObject, walks: int) -> None:
    records = data.draw(st.lists(conforming(schema) | objects, max_size=8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "_WALKS_BEFORE_REBUILD", walks)
        observed = detector(schema)
        changes = [each for record in lines(*records) for each in observed.observe([record])]
        assert changes == plainly(schema, records)
        assert observed.observe(lines(*records)) == []


@exactly
@given(record_schemas, st.data())
def test_decoding_finds_what_walking_finds(schema: Json, data: st.DataObject) -> None:
    records = lines(*data.draw(st.lists(conforming(schema) | objects, max_size=8)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift, "_WALKS_BEFORE_REBUILD", 1)
        decoded = detector(schema).observe(records)
        patch.setattr(drift, "_WALKS_BEFORE_REBUILD", 10**9)
        assert decoded == changes_by_walking(schema, records)


@exactly
@given(record_schemas, st.data())
def test_a_record_without_changes_is_valid_and_one_of_another_type_is_not(schema: Json, data: st.DataObject) -> None:
    record = data.draw(conforming(schema) | objects)
    changes = detector(schema).observe(lines(record))
    valid = Draft7Validator(schema).is_valid(record)
    assert changes or valid
    assert not (valid and any(each.known and each.found != "number" for each in changes))


@pytest.mark.parametrize("stream", STREAMS.values(), ids=lambda stream: stream.name)
def test_what_a_stream_documents_is_no_drift(stream: Any) -> None:
    schema = stream.schema.to_json()

    @effort(25)
    @given(st.lists(conforming(schema), max_size=3))
    def conforms(records: list[Any]) -> None:
        assert detector(schema).observe(lines(*records)) == []

    conforms()


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        ({"id": 7}, [change("id", ("string",), "integer")]),
        ({"duration": 7}, []),
        ({"duration": "7"}, [change("duration", ("number",), "string")]),
        ({"count": 1.5}, [change("count", ("integer",), "number")]),
        ({"count": 1.0}, [change("count", ("integer",), "number")]),
        ({"count": True}, [change("count", ("integer",), "boolean")]),
        ({"visitor": []}, [change("visitor", ("object",), "array")]),
        ({"visitor": {"name": None, "vip": True}}, [change("visitor.vip", (), "boolean")]),
        ({"new": None}, [change("new", (), "null")]),
        ({"new": {"inner": {"most": 1}}}, [change("new", (), "object")]),
        ({"session": {"of": ["any", {"kind": 1}]}, "tags": [1, {"x": []}], "anything": {"y": 1}}, []),
        ({"history": [{"msg_id": 1}, None, {"msg_id": "1"}]}, []),
        ({"history": [{"msg_id": 1.5}, {"msg_id": 2.5}]}, [change("history.*.msg_id", ("string", "integer"), "number")]),
        ({"history": [{}, "text"]}, [change("history.*", ("object",), "string")]),
        ({"webpath": [{"to": "x", "at": 1}, ["x"]]}, [change("webpath.*.at", (), "integer")]),
        ({"webpath": [["x", 7]]}, [change("webpath.*.*", ("string",), "integer")]),
        (
            {"id": 7, "a": 1, "b": []},
            [change("id", ("string",), "integer"), change("a", (), "integer"), change("b", (), "array")],
        ),
        ([], [change("", ("object",), "array")]),
    ],
)
def test_rules(record: Any, changes: list[SchemaChange]) -> None:
    observed = detector(CHAT)
    assert observed.observe(lines(record)) == changes
    assert observed.observe(lines(record)) == []


def test_another_type_at_the_same_path_is_another_change() -> None:
    observed = detector(CHAT)
    records = lines({"new": None}, {"new": 1.5}, {"new": 7}, {"new": None}, {"new": "x"}, {"id": 7}, {"id": []}, {"id": 7})
    assert observed.observe(records * 50) == [
        change("new", (), "null"),
        change("new", (), "number"),
        change("new", (), "string"),
        change("id", ("string",), "integer"),
        change("id", ("string",), "array"),
    ]


def count_walks(patch: pytest.MonkeyPatch) -> Callable[[], int]:
    walked: list[bytes] = []
    read = drift.parse_record

    def counted(record: bytes) -> Any:
        walked.append(record)
        return read(record)

    patch.setattr(drift, "parse_record", counted)
    return lambda: len(walked)


@pytest.mark.parametrize(
    "odd",
    [
        {"id": 7, "new": [{"a": 1}]},
        {"visitor": {"name": [], "vip": {}}, "history": [{"novel": 1, "msg_id": {"a": 1}}]},
        {"webpath": ["text", {"at": 1}, [1]]},
        {"history": 1, "count": 1.5},
    ],
)
def test_what_was_found_is_walked_for_no_more(odd: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    walks, observed = count_walks(monkeypatch), detector(CHAT)
    assert observed.observe(lines(odd))
    assert walks() == 1
    for _ in range(500):
        assert observed.observe(lines(odd)) == []
    assert walks() <= 40


def test_no_walk_for_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = count_walks(monkeypatch)
    assert detector(CHAT).observe(lines({"id": "1", "history": [{"msg_id": 1}], "webpath": [{"to": "x"}, ["x"]]}) * 50) == []
    assert walks() == 0


def test_a_map_is_reported_once_and_its_known_fields_are_observed(monkeypatch: pytest.MonkeyPatch) -> None:
    walks, observed = count_walks(monkeypatch), detector(CHAT)
    changes = observed.observe([line for n in range(400) for line in lines({"visitor": {f"key {n}": n}})])
    reported = [change(f"visitor.key {n}", (), "integer") for n in range(MAX_UNKNOWN_FIELDS)]
    assert changes == [*reported, change("visitor.*", (), "integer")]
    assert walks() < MAX_UNKNOWN_FIELDS + 60
    assert observed.observe(lines({"visitor": {"name": 1, "key 401": "x", "key 1": "x"}})) == [
        change("visitor.name", ("string",), "integer"),
        change("visitor.key 1", (), "string"),
    ]


@pytest.mark.parametrize("name", ["jo@example.com", "+49 30 1234567", "192.0.2.1", "4111 1111 1111 1111"])
def test_a_name_that_is_personal_data_makes_a_map_and_is_not_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walks, observed = count_walks(monkeypatch), detector(CHAT)
    records = lines(*({"visitor": {"first": 1, name: n, f"{n}{name}": n, "later": 1}} for n in range(100)))
    assert observed.observe(records) == [change("visitor.first", (), "integer"), change("visitor.*", (), "integer")]
    assert walks() < 60
    assert observed.observe(lines({"visitor": {"name": 1}})) == [change("visitor.name", ("string",), "integer")]


def test_changes_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    objects_of_one = {"type": "object", "properties": {"x": {"type": "null"}}}
    observed = detector({"type": "object", "properties": {f"o{n}": objects_of_one for n in range(30)}})
    changes = observed.observe([line for n in range(40) for line in lines({f"o{i}": {f"k{n}": 1} for i in range(30)})])
    assert changes == [change(f"o{i}.k{n}", (), "integer") for n in range(40) for i in range(30)][:MAX_CHANGES]
    walks = count_walks(monkeypatch)
    assert observed.observe(lines({"o1": {"more": 1}}, {"quite": "new"})) == []
    assert walks() == 0


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (b'{"count":' + b"9" * 5000 + b"}", []),
        (b'{"duration":1e999}', []),
        (b'{"duration":' + b"9" * 400 + b"}", []),
        (b'{"count":1e999}', [change("count", ("integer",), "number")]),
        (b'{"new":-1e999}', [change("new", (), "number")]),
        (b'{"id":"\\ud800","x":1}', [change("x", (), "integer")]),
        (b'{"id":"\xff","x":1}', [change("x", (), "integer")]),
        (b'{"\\ud800":1,"\xff":2}', [change("\\ud800", (), "integer"), change("\ufffd", (), "integer")]),
        (b'{"i\\u0064":1}', [change("id", ("string",), "integer")]),
        (b'{"id":1,"id":"x"}', [change("id", ("string",), "integer")]),
        (
            b'{"id":"x","id":1,"n":1,"n":"x"}',
            [change("id", ("string",), "integer"), *[change("n", (), t) for t in ("integer", "string")]],
        ),
        (b'{"a\\nb":1}', [change("a\\nb", (), "integer")]),
        (b'{"":1}', [change("", (), "integer")]),
        (b'{"' + b"x" * 5000 + b'":1}', [change("x" * LONGEST_NAME + "...", (), "integer")]),
        (b'{"session":' * 5000 + b"1" + b"}" * 5000, []),
        (b'{"new":' + b"[" * 100_000 + b"]" * 100_000 + b"}", []),
        (b"", []),
        (b"{", []),
        (b"<html>", []),
        (b"null", []),
        (b'"x"', [change("", ("object",), "string")]),
    ],
)
def test_odd_records(record: bytes, changes: list[SchemaChange]) -> None:
    observed = detector(CHAT)
    assert observed.observe([record]) == changes
    assert observed.observe([record] * 40) == []


@exactly
@given(
    st.lists(st.binary(max_size=20) | st.dictionaries(st.text(max_size=5), values).map(lambda row: json.dumps(row).encode()))
)
def test_any_bytes_can_be_observed_and_every_change_can_be_printed(records: list[bytes]) -> None:
    for each in detector(CHAT).observe([*records, *(b'{"id":' + record + b"}" for record in records)]):
        msgspec.json.encode(each)
        assert each.path.isprintable()


def test_the_first_records_are_observed_and_then_every_sixteenth() -> None:
    sampled = detector(CHAT)
    records = lines(*({f"new {number}": 1} for number in range(2100)))
    plain = lines(*[{"id": "x"}] * 1950)
    assert sampled.sample(plain) == []
    found = [each.path for page in (records[:7], records[7:80], records[80:]) for each in sampled.sample(page)]
    # Of 2,000 records the last 50 are new. A later one is observed if its number, from 0, is divisible by 16.
    assert found == [*(f"new {number}" for number in range(50)), "*"]


class Recording(DriftDetector):
    """Keeps what it is to observe."""

    def __init__(self, stream: str, schema: Schema) -> None:
        super().__init__(stream, schema)
        self.observed: list[bytes] = []

    def observe(self, records: Sequence[bytes]) -> list[SchemaChange]:
        self.observed += records
        return []


@given(st.lists(st.integers(0, 60), max_size=8))
def test_the_sample_is_the_same_however_the_records_are_divided_into_pages(sizes: list[int]) -> None:
    numbers = iter(range(2000 - 40, 2000 + 500))
    sampled = Recording("chats", Schema())
    sampled.sample([b"0"] * (2000 - 40))
    sampled.observed.clear()
    pages = [[str(number).encode() for number in itertools.islice(numbers, size)] for size in sizes]
    for page in pages:
        sampled.sample(page)
    everything = [int(record) for page in pages for record in page]
    assert [*map(int, sampled.observed)] == [number for number in everything if number < 2000 or number % 16 == 0]
