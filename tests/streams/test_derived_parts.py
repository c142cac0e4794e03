"""The lists inside of chats as streams: one record for each item, keys that stay, one type for each field, nothing lost."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.support.model import effort
from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.derived.nested_lists import (
    CHAT_CONVERSIONS,
    CHAT_ENGAGEMENTS,
    CHAT_EVENTS,
    CHAT_WEBPATHS,
    page_of_values,
)
from zendesk_chat.streams.derived.visitors import VISITORS
from zendesk_chat.streams.records import decode_answer
from zendesk_chat.streams.stream import Children, Extractor

Json = dict[str, Any]
NESTED = {
    "chat_events": CHAT_EVENTS,
    "chat_engagements": CHAT_ENGAGEMENTS,
    "chat_webpaths": CHAT_WEBPATHS,
    "chat_conversions": CHAT_CONVERSIONS,
}

strings = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(strings, inner, max_size=3),
    max_leaves=6,
)


@cache
def schema_of(stream: str) -> Json:
    schema: Json = json.loads((files("zendesk_chat.streams.schemas") / f"{stream}.json").read_bytes())
    return schema


@cache
def extractor(stream: str) -> Extractor:
    extraction = VISITORS if stream == "visitors" else NESTED[stream]
    return extraction.extractor(Schema.parse(schema_of(stream)))


def received(line: bytes) -> bytes:
    """A record as it comes out of an answer of the API, in which what is not quite JSON is repaired."""
    (record,) = decode_answer(b"[" + line + b"]", msgspec.json.Decoder(list[msgspec.Raw]))
    return bytes(record)


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def read(stream: str, children: Children) -> list[Json]:
    """The records, each a line of JSON that fits its stream's schema."""
    assert not any(line.count(b"\n") + line.count(b"\r") for line in children.records)
    records: list[Json] = [json.loads(line.decode()) for line in children.records]
    validator = Draft7Validator(schema_of(stream))
    for record in records:
        assert [error.message for error in validator.iter_errors(record)] == []
    return records


def derived(stream: str, *chats: Json) -> list[Json]:
    return read(stream, extractor(stream).extract([raw(chat) for chat in chats]))


def drifted(stream: str) -> st.SearchStrategy[Any]:
    """Items with any value in any field that the stream's schema names, beside such that are right, and no objects at all."""
    names = st.sampled_from(["id", *schema_of(stream)["properties"]]) | strings
    return st.dictionaries(names, jsons | st.integers(0, 3).map(str), max_size=6) | jsons


usually = effort(60)
often = effort(120)

CHAT: Json = {"id": "2405.1.A", "update_timestamp": "2024-05-07T08:00:00Z"}
FROM_CHAT: Json = {"chat_id": "2405.1.A", "chat_update_timestamp": "2024-05-07T08:00:00Z"}
JOIN: Json = {
    "type": "chat.memberjoin",
    "timestamp": "2024-05-06T10:00:00.807000Z",
    "name": "Visitor 12",
    "department_id": None,
}
MESSAGE: Json = {
    "type": "chat.msg",
    "timestamp": "2024-05-06T10:00:01.165000Z",
    "name": "Visitor 12",
    "msg": "Hello",
    "msg_id": "17",
}
TAG: Json = {"type": "chat.tag", "timestamp": "2024-05-06T10:01:00.000000Z", "tags": [], "new_tags": ["vip"], "index": 2}
ENGAGEMENT: Json = {
    "id": "2405.1.Ae1",
    "started_by": "visitor",
    "agent_id": "9001",
    "department_id": 71,
    "assigned": True,
    "skills_requested": ["french"],
    "timestamp": "2024-05-06T10:00:05Z",
    "duration": 1180.25,
    "response_time": {"first": 12, "avg": 14.5, "max": None},
    "count": {"total": 5, "visitor": 3, "agent": 2},
}
PAGE: Json = {"timestamp": "2024-05-06T09:55:00Z", "from": "", "to": "https://example.com/plans", "title": "Plans"}
CONVERSION: Json = {
    "id": "2405.1.cv7",
    "timestamp": "2024-05-06T11:00:00Z",
    "goal_id": 31,
    "goal_name": "Signed up",
    "attribution": {"agent_id": 9001, "agent_name": "Mira", "department_id": 71, "chat_timestamp": "2024-05-06T10:00:00Z"},
}
ITEMS = {"chat_events": MESSAGE, "chat_engagements": ENGAGEMENT, "chat_webpaths": PAGE, "chat_conversions": CONVERSION}
streams = pytest.mark.parametrize("stream", NESTED)


def chat(stream: str, *items: Any, **more: Any) -> Json:
    return CHAT | {NESTED[stream].name: list(items)} | more


def cut(stream: str, *items: Any, **more: Any) -> list[Json]:
    return derived(stream, chat(stream, *items, **more))


def only(stream: str, item: Any) -> Json:
    (record,) = cut(stream, item)
    return record


def ids(records: list[Json]) -> list[str]:
    return [record["id"] for record in records]


def test_an_event_has_the_fields_of_its_item_and_of_its_chat() -> None:
    assert cut("chat_events", JOIN, MESSAGE, TAG) == [
        FROM_CHAT | JOIN | {"id": "2405.1.A|2024-05-06T10:00:00.807000Z|chat.memberjoin", "position": 0},
        FROM_CHAT | MESSAGE | {"id": "2405.1.A|2024-05-06T10:00:01.165000Z|chat.msg", "position": 1},
        FROM_CHAT | TAG | {"id": "2405.1.A|2024-05-06T10:01:00.000000Z|chat.tag", "position": 2},
    ]


def test_an_engagement_keeps_its_own_id_beside_the_one_that_is_made() -> None:
    made = FROM_CHAT | {"id": "2405.1.A|2405.1.Ae1", "engagement_id": "2405.1.Ae1", "position": 0}
    assert only("chat_engagements", ENGAGEMENT) == ENGAGEMENT | made


def test_a_page_has_an_id_of_timestamp_and_address() -> None:
    record = only("chat_webpaths", PAGE)
    assert record == FROM_CHAT | PAGE | {"id": record["id"], "position": 0}
    assert record["id"].startswith("2405.1.A|2024-05-06T09:55:00Z|")
    assert only("chat_webpaths", PAGE | {"title": "New"})["id"] == record["id"]
    assert only("chat_webpaths", PAGE | {"to": "https://example.com/"})["id"] != record["id"]


def test_a_conversion_is_known_by_its_own_id() -> None:
    assert only("chat_conversions", CONVERSION) == FROM_CHAT | CONVERSION | {"position": 0}


@pytest.mark.parametrize("value", [None, ""])
def test_a_conversion_without_an_id_gets_one(value: object) -> None:
    assert only("chat_conversions", CONVERSION | {"id": value})["id"] == "2405.1.A|2024-05-06T11:00:00Z|31"


@pytest.mark.parametrize(("stream", "fields"), [("chat_webpaths", PAGE), ("chat_conversions", CONVERSION)])
@pytest.mark.parametrize("item", [{}, {"new": 1}, {"timestamp": None}])
def test_pages_and_conversions_have_all_their_fields(stream: str, fields: Json, item: Json) -> None:
    assert fields.keys() <= only(stream, item).keys()


# (stream, fields of an item, those of its record)
ONE_TYPE: list[tuple[str, Json, Json]] = [
    ("chat_events", {"msg_id": 17}, {"msg_id": "17"}),
    ("chat_events", {"agent_id": 9001}, {"agent_id": "9001"}),
    ("chat_events", {"department_id": "71"}, {"department_id": 71}),
    ("chat_events", {"department_id": "-7"}, {"department_id": -7}),
    ("chat_events", {"prev_department_id": 72.0}, {"prev_department_id": 72}),
    ("chat_events", {"department_id": "sales"}, {"department_id": None, "as_sent": {"department_id": "sales"}}),
    ("chat_events", {"department_id": "007"}, {"department_id": None, "as_sent": {"department_id": "007"}}),
    ("chat_events", {"department_id": "9" * 19}, {"department_id": None, "as_sent": {"department_id": "9" * 19}}),
    ("chat_events", {"department_id": True}, {"department_id": None, "as_sent": {"department_id": True}}),
    ("chat_events", {"skills_name": "french"}, {"skills_name": ["french"]}),
    ("chat_events", {"skills_name": ["french", 44, None]}, {"skills_name": ["french", "44", None]}),
    ("chat_events", {"tags": "vip", "new_tags": ["a", 1.5]}, {"tags": ["vip"], "new_tags": ["a", "1.5"]}),
    ("chat_events", {"index": "3"}, {"index": 3}),
    ("chat_events", {"index": 3.5}, {"index": None, "as_sent": {"index": 3.5}}),
    ("chat_events", {"msg": {"text": "é"}, "name": False}, {"msg": '{"text":"é"}', "name": "false"}),
    ("chat_events", {"attachment": "a.pdf"}, {"attachment": None, "as_sent": {"attachment": "a.pdf"}}),
    (
        "chat_events",
        {"attachment": {"size": "2 kB", "name": 5, "deleted": 1, "new": [1]}},
        {"attachment": {"size": None, "name": "5", "deleted": True, "new": [1]}, "as_sent": {"attachment.size": "2 kB"}},
    ),
    ("chat_events", {"attachment": {"size": 2, "new": [1]}}, {"attachment": {"size": 2, "new": [1]}}),
    ("chat_events", {"timestamp": 1714989601}, {"timestamp": "1714989601"}),
    ("chat_events", {"type": None}, {"type": None}),
    ("chat_events", {"new": {"a": [1]}, "msg_id": 1}, {"new": {"a": [1]}, "msg_id": "1"}),
    (
        "chat_events",
        {"id": 5, "chat_id": "x", "position": None, "chat_update_timestamp": [], "as_sent": {"a": 1}},
        {"as_sent": {"id": 5, "chat_id": "x", "position": None, "chat_update_timestamp": [], "as_sent": {"a": 1}}},
    ),
    ("chat_engagements", {"agent_id": 9001, "department_id": "71"}, {"agent_id": "9001", "department_id": 71}),
    ("chat_engagements", {"skills_requested": [44]}, {"skills_requested": ["44"]}),
    ("chat_engagements", {"duration": "1180.5", "accepted": 0}, {"duration": 1180.5, "accepted": False}),
    ("chat_engagements", {"engagement_id": 3}, {"engagement_id": "2405.1.Ae1", "as_sent": {"engagement_id": 3}}),
    ("chat_engagements", {"count": {"total": "x"}}, {"count": {"total": None}, "as_sent": {"count.total": "x"}}),
    ("chat_webpaths", {"title": 5, "new": None}, {"title": "5", "new": None}),
    ("chat_conversions", {"attribution": {"agent_id": "9001"}}, {"attribution": {"agent_id": 9001}}),
    ("chat_conversions", {"goal_id": "31"}, {"goal_id": 31}),
]


@pytest.mark.parametrize(("stream", "sent", "fields"), ONE_TYPE)
def test_each_field_has_one_type_and_the_rest_is_kept_as_sent(stream: str, sent: Json, fields: Json) -> None:
    own = {name: value for name, value in sent.items() if name not in fields.get("as_sent", {}) or name in fields}
    expected = only(stream, ITEMS[stream]) | own | fields
    record = only(stream, ITEMS[stream] | sent)
    assert record | {"id": expected["id"]} == expected


def test_drift_in_one_item_leaves_the_others() -> None:
    first, second, third = cut("chat_events", TAG, MESSAGE | {"msg_id": 17, "agent_id": 5}, MESSAGE | {"agent_id": None})
    assert "msg_id" not in first
    assert (second["msg_id"], second["agent_id"]) == ("17", "5")
    assert (third["msg_id"], third["agent_id"]) == ("17", None)


@streams
@pytest.mark.parametrize("item", [None, "text", 5, True, [], ["x"], [[1]]])
def test_an_item_that_is_no_object_is_a_record_with_it(stream: str, item: object) -> None:
    first, second = cut(stream, item, ITEMS[stream])
    assert first["as_sent"] == {"item": item}
    assert (first["chat_id"], first["position"], second["position"]) == ("2405.1.A", 0, 1)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ([1714989300, "https://a.example/", None], {"timestamp": "2024-05-06T09:55:00Z", "to": "https://a.example/"}),
        ([1714989300000, "Plans"], {"timestamp": "2024-05-06T09:55:00Z", "title": "Plans"}),
        (
            ["2024-05-06T09:55:00Z", "https://a.example/", "https://b.example/", "Plans"],
            {"timestamp": "2024-05-06T09:55:00Z", "from": "https://a.example/", "to": "https://b.example/", "title": "Plans"},
        ),
        (["", 7, True, {"a": 1}], {}),
    ],
)
def test_a_bare_array_is_read_as_a_page(values: list[Any], fields: Json) -> None:
    assert page_of_values(values) == fields
    nothing = dict.fromkeys(["timestamp", "from", "to", "title"])
    record = only("chat_webpaths", values)
    assert record == FROM_CHAT | nothing | fields | {"id": record["id"], "position": 0, "as_sent": {"item": values}}


@streams
@pytest.mark.parametrize("lists", [{}, None, [], "absent"])
def test_a_chat_without_items_is_a_parent_without_children(stream: str, lists: object) -> None:
    field = {} if lists == "absent" else {NESTED[stream].name: lists}
    children = extractor(stream).extract([raw(CHAT | field)])
    assert list(children.parents) == ["2405.1.A"]
    assert len(children.records) == (lists == {})


@streams
def test_every_chat_is_a_parent_and_the_last_of_its_kind_counts(stream: str) -> None:
    chats = [
        chat(stream, ITEMS[stream], ITEMS[stream]),
        chat(stream, id="2405.1.B"),
        chat(stream, ITEMS[stream] | {"new": 1}, id="2405.1.C"),
        chat(stream, ITEMS[stream], update_timestamp="2024-05-09T08:00:00Z"),
    ]
    children = extractor(stream).extract([raw(chat) for chat in chats])
    assert list(children.parents) == ["2405.1.B", "2405.1.C", "2405.1.A"]
    assert [(record["chat_id"], record["chat_update_timestamp"]) for record in read(stream, children)] == [
        ("2405.1.C", "2024-05-07T08:00:00Z"),
        ("2405.1.A", "2024-05-09T08:00:00Z"),
    ]


@pytest.mark.parametrize("count", [19, 20, 21])
def test_a_chat_that_may_list_only_its_last_conversions_is_no_parent(count: int) -> None:
    items = [CONVERSION | {"id": f"cv{number}"} for number in range(count)]
    children = extractor("chat_conversions").extract([raw(chat("chat_conversions", *items))])
    assert len(children.records) == count
    assert list(children.parents) == (["2405.1.A"] if count < 20 else [])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"update_timestamp": None, "updated_timestamp": "2024-01-01T00:00:00Z"}, "2024-01-01T00:00:00Z"),
        ({"update_timestamp": "2024-01-02T00:00:00Z", "updated_timestamp": "x"}, "2024-01-02T00:00:00Z"),
        ({"update_timestamp": None}, None),
        ({"update_timestamp": 1714989300}, "1714989300"),
    ],
)
def test_the_update_time_of_the_chat_has_two_spellings(times: Json, expected: str | None) -> None:
    (record,) = cut("chat_events", MESSAGE, **times)
    assert record["chat_update_timestamp"] == expected


def test_conversions_of_one_id_are_numbered() -> None:
    records = cut("chat_conversions", CONVERSION, CONVERSION | {"new": 1}, CONVERSION)
    assert ids(records) == ["2405.1.cv7", "2405.1.cv7|2", "2405.1.cv7|3"]


@pytest.mark.parametrize("nothing", [{}, {"id": None}, {"id": ""}])
def test_engagements_without_an_id_are_numbered(nothing: Json) -> None:
    items = [{"rating": "good"} | nothing, ENGAGEMENT, {"rating": "bad"} | nothing]
    assert ids(cut("chat_engagements", *items)) == ["2405.1.A|", "2405.1.A|2405.1.Ae1", "2405.1.A||2"]


def test_events_of_one_timestamp_and_type_are_numbered() -> None:
    key = "2405.1.A|2024-05-06T10:00:01.165000Z|chat.msg"
    events = cut("chat_events", MESSAGE, TAG, MESSAGE | {"msg": "b"}, MESSAGE | {"type": "chat.msg|2"}, MESSAGE)
    assert ids(events) == [key, "2405.1.A|2024-05-06T10:01:00.000000Z|chat.tag", f"{key}|3", f"{key}|2", f"{key}|4"]


@effort(100)
@given(st.lists(st.tuples(st.sampled_from(["10:00:01Z", "10:00:02Z"]), st.sampled_from(["chat.msg", "chat.tag"])), max_size=8))
def test_events_of_whole_seconds_have_ids_of_their_own_and_renumbering_changes_none(times: list[tuple[str, str]]) -> None:
    items: list[Json] = [
        {"type": kind, "timestamp": f"2024-05-06T{time}", "index": index, "msg": str(index)}
        for index, (time, kind) in enumerate(times)
    ]
    events = cut("chat_events", *items)
    assert [event["msg"] for event in events] == [item["msg"] for item in items]
    assert len(set(ids(events))) == len(items)
    renumbered = cut("chat_events", *(item | {"index": item["index"] + 7} for item in items))
    assert ids(renumbered) == ids(events)
    longer = cut("chat_events", *items, {"type": "chat.msg", "timestamp": "2024-05-06T10:00:02Z", "index": 99})
    assert ids(longer)[: len(items)] == ids(events)


@pytest.mark.parametrize(
    "odd",
    [
        '{"timestamp":"t","type":"a","msg":"\\ud83d"}',
        '{"timestamp":"t","type":"a","new":1e400,"index":-1e400}',
        '{"timestamp":"t","type":"a","new":%s}' % ("9" * 5000),
        '{"timestamp":"t","type":"a","index":%s}' % ("9" * 200),
        '{"timestamp":"t","type":"a","msg":"a\tb"}',
    ],
)
def test_what_json_readers_refuse_passes(odd: str) -> None:
    line = f'{{"id":"A","update_timestamp":"u","history":[{odd},5]}}'.encode()
    first, second = read("chat_events", extractor("chat_events").extract([received(line)]))
    assert (first["id"], second["as_sent"]) == ("A|t|a", {"item": 5})


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    line = b'{"id":"A","history":[{"msg":"\\ud83d and \\ud83d\\ude00"}]}'
    (record,) = read("chat_events", extractor("chat_events").extract([received(line)]))
    assert record["msg"] == "\N{REPLACEMENT CHARACTER} and \U0001f600"


def test_numbers_beyond_range_are_kept_as_text() -> None:
    line = b'{"id":"A","history":[{"new":1e400,"index":-1e400}]}'
    (record,) = read("chat_events", extractor("chat_events").extract([received(line)]))
    assert (record["new"], record["as_sent"]) == ("1e400", {"index": "-1e400"})


@streams
@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("depth", [10, 900, *range(960, 1010, 3), 100_000])
def test_deep_nesting_is_read_complete_or_not_at_all(stream: str, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    line = f'{{"id":"A","{NESTED[stream].name}":[{{"new":{deep},"title":{deep},"msg":{deep}}}]}}'.encode()
    children = extractor(stream).extract([line, raw(CHAT)])
    assert list(children.parents) in (["A", "2405.1.A"], ["2405.1.A"])
    assert len(children.records) == len(children.parents) - 1


@streams
@often
@given(st.data())
def test_whatever_a_list_holds_each_item_is_a_record(stream: str, data: st.DataObject) -> None:
    items = data.draw(st.lists(drifted(stream) | st.just(ITEMS[stream]), max_size=6))
    records = cut(stream, *items)
    assert [record["position"] for record in records] == list(range(len(items)))
    assert len(set(ids(records))) == len(items)
    for item, record in zip(items, records, strict=True):
        assert is_kept(stream, item, record)


def is_kept(stream: str, item: Any, record: Json) -> bool:
    """Whether a record reports all that its item does."""
    rejected = record.get("as_sent", {})
    if not isinstance(item, dict):
        return bool(rejected == {"item": item})
    taken, names = NESTED[stream].taken, NESTED[stream].renamed
    return all(
        rejected[name] == value
        if name in taken
        else reports(record[names.get(name, name)], value, names.get(name, name), rejected)
        for name, value in item.items()
        if name != "id" or stream != "chat_conversions"
    )


def reports(value: Any, sent: Any, path: str, rejected: Json) -> bool:
    """Whether a value is what was sent: as it was, as a string, as the number in a string, or kept as rejected."""
    if value is None and path in rejected:
        return bool(rejected[path] == sent)
    if isinstance(value, dict) and isinstance(sent, dict):
        return value.keys() == sent.keys() and all(reports(value[key], sent[key], f"{path}.{key}", rejected) for key in sent)
    if isinstance(value, list):
        items = sent if isinstance(sent, list) else [sent]
        return len(value) == len(items) and all(reports(*pair, "", {}) for pair in zip(value, items, strict=True))
    if value == sent:
        return True
    text, number = (value, sent) if isinstance(value, str) else (sent, value)
    return isinstance(text, str) and not isinstance(number, str) and bool(json.loads(text) == number)


@streams
@usually
@given(
    st.recursive(jsons, lambda inner: st.dictionaries(strings, inner), max_leaves=3),
    st.dictionaries(strings, jsons, max_size=4),
)
def test_whatever_a_chat_is_nothing_raises(stream: str, value: Any, more: Json) -> None:
    records = derived(stream, more | {"id": "A", NESTED[stream].name: value})
    assert all(record["chat_id"] == "A" for record in records)
    assert len(records) == (len(value) if isinstance(value, list) else value is not None)


events = st.fixed_dictionaries(
    {"timestamp": st.sampled_from(["t1", "t2", "t3"]), "type": st.sampled_from(["chat.msg", "chat.tag"])},
    optional={"msg": strings, "msg_id": st.integers(0, 9) | strings, "new": jsons},
)


@often
@given(st.lists(events, max_size=5), st.lists(events, max_size=5), st.data())
def test_an_event_keeps_its_id_whatever_happens_to_the_others(
    kept: list[Json], others: list[Json], data: st.DataObject
) -> None:
    before = {(item["timestamp"], item["type"]) for item in kept}
    merged: list[Json] = [item for item in others if (item["timestamp"], item["type"]) not in before]
    positions = sorted(data.draw(st.lists(st.integers(0, len(merged)), min_size=len(kept), max_size=len(kept))))
    for position, item in reversed(list(zip(positions, kept, strict=True))):
        merged.insert(position, item | {"msg": "[redacted]", "mark": True})
    again = [record for record in cut("chat_events", *merged) if record.get("mark")]
    assert ids(again) == ids(cut("chat_events", *kept))


@often
@given(st.lists(events, max_size=5), st.lists(events, max_size=5))
def test_events_that_are_added_at_the_end_leave_the_ids_of_the_others(first: list[Json], more: list[Json]) -> None:
    assert ids(cut("chat_events", *first, *more))[: len(first)] == ids(cut("chat_events", *first))


@streams
@usually
@given(st.data())
def test_an_unknown_field_changes_nothing_else(stream: str, data: st.DataObject) -> None:
    """Items that fit the schema are read another way than others. Both ways give the same."""
    known = ITEMS[stream]
    items = data.draw(st.lists(st.fixed_dictionaries({}, optional={name: st.just(known[name]) for name in known}), max_size=4))
    marked = [record for record in cut(stream, *[item | {"mark": 1} for item in items]) if record.pop("mark")]
    assert marked == cut(stream, *items)


def test_a_schema_that_wants_text_gets_it() -> None:
    """A redacted schema: what is hashed is text there."""
    schema = json.loads(json.dumps(schema_of("chat_events")))
    schema["properties"]["department_id"]["type"] = ["null", "string"]
    del schema["properties"]["timestamp"]
    item = {"type": "chat.msg", "department_id": "ab12", "prev_department_id": "7"}
    (line,) = CHAT_EVENTS.extractor(Schema.parse(schema)).extract([raw(chat("chat_events", item))]).records
    fields = item | {"prev_department_id": 7, "id": "2405.1.A||chat.msg", "position": 0}
    assert json.loads(line) == FROM_CHAT | fields


@streams
def test_only_items_that_do_not_fit_the_schema_are_irregular(stream: str) -> None:
    regular, irregular = raw(chat(stream, ITEMS[stream])), raw(chat(stream, ITEMS[stream] | {"new": 1}) | {"id": "B"})
    children = extractor(stream).extract([regular, irregular])
    assert list(children.irregular) == [children.records[1]]
    assert extractor(stream).extract([regular, irregular, raw(chat(stream) | {"id": "B"})]).irregular == []


OF_CHAT = {"chat_id": ("id",), "chat_update_timestamp": ("update_timestamp",)}


@pytest.mark.parametrize(
    ("stream", "name", "others"),
    [
        ("chat_events", "history", {"id": None}),
        ("chat_engagements", "engagements", {"engagement_id": ("engagements", "*", "id")}),
        ("chat_webpaths", "webpath", {"id": None}),
        ("chat_conversions", "conversions", {}),
    ],
)
def test_the_fields_of_a_record_have_paths_in_the_chat(stream: str, name: str, others: Json) -> None:
    assert NESTED[stream].path == (name, "*")
    assert NESTED[stream].other_paths == OF_CHAT | {"position": None} | others
