"""Redaction: what is marked does not get out in any form, what is not stays, and what makes no sense is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.errors import ConfigError, RecordShapeError
from zendesk_chat.json_schema import Schema
from zendesk_chat.redaction.fields import Origin, StreamFields, bind
from zendesk_chat.redaction.redactor import redactor
from zendesk_chat.redaction.rules import ACTIONS, Redaction, Rule, parse_redaction
from zendesk_chat.redaction.schemas import lists_of_objects, redacted_schema, unknown_fields
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.schemas import load_schema

HASH_KEY: Final = "SECRET-of-enough-letters"
CHAT: Final[dict[str, Any]] = {
    "id": "2603.1.abc",
    "type": "chat",
    "timestamp": "2026-03-14T09:21:01Z",
    "update_timestamp": "2026-03-14T09:46:10Z",
    "visitor": {"id": "10.v1", "name": "Jo", "email": "jo@example.com", "phone": "", "banned": False},
    "session": {"id": "s1", "ip": "198.51.100.23", "city": "Lisbon"},
    "webpath": [{"to": "https://shop.example.com/", "title": "Orders"}, ["2026-03-14", "https://a.example.com/"]],
    "department_id": 7200000000001,
    "conversions": [{"id": "c1", "goal_id": 5, "attribution": {"agent_name": "Ana"}}],
    "engagements": [{"id": "e1", "agent_name": "Ana", "duration": 11.5}],
    "history": [
        {"type": "chat.msg", "name": "Jo", "msg": "I am jo@example.com", "msg_id": "1773480061165"},
        {"type": "chat.file", "name": "Ana", "attachment": {"name": "a.pdf", "size": 7}},
    ],
}
ORIGINS: Final = {
    name: Origin("chats", stream.extraction.path, stream.extraction.other_paths)
    for name, stream in STREAMS.items()
    if stream.extraction
}
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (*stream.primary_key, *filter(None, [stream.cursor_field])) for name, stream in STREAMS.items()},
    "agent_timeline": ("id", "agent_id", "start_time"),
    "chats": ("id", "update_timestamp", "updated_timestamp"),
    "conversions": ("id", "timestamp"),
    **dict.fromkeys(ORIGINS, ("id", "chat_id", "chat_update_timestamp")),
    "visitors": ("id", "last_chat_timestamp"),
}
LISTS: Final = {"chats": (("history",), ("engagements",), ("webpath",), ("conversions",))}
FIELDS_OF: Final[Mapping[str, StreamFields]] = {
    name: StreamFields(
        needed=names,
        hashable={"visitors": ("id",), "agent_timeline": ("agent_id",)}.get(name, ()),
        personal=("id",) if name == "visitors" else (),
        origin=ORIGINS.get(name),
        lists=LISTS.get(name, ()),
    )
    for name, names in NEEDED.items()
}
UNGUARDED: Final = {name: StreamFields(origin=fields.origin, lists=fields.lists) for name, fields in FIELDS_OF.items()}
SCHEMAS: Final = {name: load_schema(name) for name in STREAMS}
exactly = settings(derandomize=True, deadline=None, max_examples=300)


def redaction(*rules: tuple[str, str] | dict[str, Any]) -> Redaction:
    listed = [rule if isinstance(rule, dict) else {"field": rule[0], "action": rule[1]} for rule in rules]
    parsed = parse_redaction({"hash_key": HASH_KEY, "rules": listed})
    assert parsed is not None
    return replace(parsed, streams=UNGUARDED)


def bound(given: Redaction) -> Redaction:
    return bind(given, FIELDS_OF)


def redacted(record: Any, *rules: tuple[str, str] | dict[str, Any], stream: str = "chats") -> Any:
    redact = redactor(redaction(*rules), stream)
    assert redact is not None
    return json.loads(redact(json.dumps(record).encode()))


def changed(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**record, **fields}


# ------------------------------------------------------------------------------------------------------------- actions


def test_drop_takes_the_key() -> None:
    visitor = {"id": "10.v1", "name": "Jo", "phone": "", "banned": False}
    assert redacted(CHAT, ("chats.visitor.email", "drop")) == changed(CHAT, visitor=visitor)
    assert redacted(CHAT, ("chats.visitor", "drop")) == {name: value for name, value in CHAT.items() if name != "visitor"}


def test_drop_keeps_the_positions_of_the_items_of_an_array() -> None:
    assert redacted({"tags": ["a", ["b"]]}, ("chats.tags.*", "drop")) == {"tags": [None, None]}


def test_null_replaces_complete_objects_and_arrays() -> None:
    assert redacted(CHAT, ("chats.session.ip", "null"))["session"] == {"id": "s1", "ip": None, "city": "Lisbon"}
    assert redacted(CHAT, ("chats.history", "null")) == changed(CHAT, history=None)


def test_hash_is_an_hmac_of_the_text() -> None:
    # printf jo@example.com | openssl dgst -sha256 -hmac SECRET-of-enough-letters
    email = redacted(CHAT, ("chats.visitor.email", "hash"))["visitor"]["email"]
    assert email == "a20801f51de01e7b50d729860637319d"


def test_hash_keeps_null_and_empty_text() -> None:
    assert redacted({"a": None, "b": "", "c": [], "d": {}}, ("chats.*", "hash")) == {"a": None, "b": "", "c": [], "d": {}}


@pytest.mark.parametrize(
    ("value", "text"), [(123, "123"), (123.0, "123"), (True, "true"), (False, "false"), (0, "0"), (1.5, "1.5")]
)
def test_what_has_one_text_has_one_hash_in_all_streams(value: Any, text: str) -> None:
    rules = (("chats.a.b", "hash"), ("agents.x", "hash"))
    as_value, as_text = redacted({"a": {"b": value}}, *rules), redacted({"x": text}, *rules, stream="agents")
    assert as_value["a"]["b"] == as_text["x"]
    assert re.fullmatch("[0-9a-f]{32}", as_text["x"])


def test_another_key_gives_another_hash() -> None:
    other = parse_redaction({"hash_key": "x" * 16, "rules": [{"field": "chats.a", "action": "hash"}]})
    redact = redactor(other, "chats") if other else None
    assert redact is not None
    assert json.loads(redact(b'{"a":"1"}')) != redacted({"a": "1"}, ("chats.a", "hash"))


def test_hash_and_mask_go_into_objects_and_arrays_but_not_into_keys() -> None:
    record = {"a": {"jo@x.org": ["jo@x.org", 4111111111111111, 5552345678, {"b": "10.0.0.1"}, 7, 1.5, True, None]}}
    assert redacted(record, ("chats.a", "mask")) == {
        "a": {"jo@x.org": ["[email]", None, None, {"b": "[ip]"}, 7, 1.5, True, None]}
    }
    (key, values), *_ = redacted(record, ("chats.a", "hash"))["a"].items()
    assert key == "jo@x.org"
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in (*values[:3], values[3]["b"], *values[4:7]))
    assert values[7] is None


def test_mask_looks_for_the_patterns_that_are_asked_for() -> None:
    rule = {"field": "chats.a", "action": "mask", "patterns": ["ip"]}
    assert redacted({"a": "jo@x.org 10.0.0.1"}, rule) == {"a": "jo@x.org [ip]"}
    both = ({**rule, "patterns": ["email"]}, rule)
    assert redacted({"a": "jo@x.org 10.0.0.1 +15550100"}, *both) == {"a": "[email] [ip] +15550100"}


@pytest.mark.parametrize(
    ("field", "patterns", "masked"),
    [
        ("chats.session.ip", None, "[ip]"),
        ("visitors.ip", None, "[ip]"),
        ("chats.session.ip", ["email", "ip"], "[ip]"),
        ("*.**.ip", None, "[ip]"),
        ("chats.session.*", ["ip"], "[ip]"),
        ("chats.session.*", None, "203.0.299.96"),
        ("chats.session.ip", ["email"], "203.0.299.96"),
    ],
)
def test_a_malformed_ip_address_is_masked_in_a_field_for_them(field: str, patterns: list[str] | None, masked: str) -> None:
    rule = {"field": field, "action": "mask"} | ({"patterns": patterns} if patterns else {})
    assert redacted({"session": {"ip": "203.0.299.96"}}, rule) == {"session": {"ip": masked}}


def test_a_rule_for_an_ip_address_adds_to_one_for_all_around_it() -> None:
    rules = (("chats.session", "mask"), ("chats.session.ip", "mask"))
    for ordered in (rules, rules[::-1]):
        assert redacted({"session": {"ip": "203.0.299.96", "to": "203.0.299.96"}}, *ordered) == {
            "session": {"ip": "[ip]", "to": "203.0.299.96"}
        }


def test_names_of_ip_addresses() -> None:
    named = ("ip", "ip_address", "client_ip", "remote_ip_v4")
    others = ("zip", "ship_to", "recipient", "tip")
    for name in (*named, *others):
        assert Rule("bans", (name,), "mask").is_for_ip is (name in named), name


@pytest.mark.parametrize("weaker", range(1, 4))
@pytest.mark.parametrize("inner", [True, False])
def test_the_strongest_action_wins_whatever_the_order(weaker: int, inner: bool) -> None:
    strong, weak = ACTIONS[weaker - 1], ACTIONS[weaker]
    fields = ("chats.a.b", "chats.a.*") if inner else ("chats.a.*", "chats.a.b")
    record = {"a": {"b": "jo@x.org"}}
    alone = redacted(record, ("chats.a.b", strong))
    assert redacted(record, (fields[0], strong), (fields[1], weak)) == alone
    assert redacted(record, (fields[0], weak), (fields[1], strong)) == alone


def test_a_stronger_rule_holds_inside_of_what_a_weaker_one_marks() -> None:
    visitor = redacted(CHAT, ("chats.visitor", "mask"), ("chats.visitor.name", "null"), ("chats.visitor.phone", "drop"))[
        "visitor"
    ]
    assert visitor == {"id": "10.v1", "name": None, "email": "[email]", "banned": False}


# --------------------------------------------------------------------------------------------------------------- paths


RECORD: Final[dict[str, Any]] = {"a": {"b": 1, "x": 2, "o": {"b": 3}}, "l": [{"b": 4}, {"c": {"b": 5}}], "n": 6}


def nulled(record: Any, paths: list[str], at: str = "") -> Any:
    """The record with null at these paths, where the items of arrays are numbered."""
    if at in paths:
        return None
    if isinstance(record, dict):
        return {key: nulled(value, paths, f"{at}.{key}" if at else key) for key, value in record.items()}
    if isinstance(record, list):
        return [nulled(value, paths, f"{at}.{index}") for index, value in enumerate(record)]
    return record


@pytest.mark.parametrize(
    ("field", "paths"),
    [
        ("chats.a", ["a"]),
        (" chats.a.b ", ["a.b"]),
        ("chats.*", ["a", "l", "n"]),
        ("chats.**", ["a", "l", "n"]),
        ("chats.**.b", ["a.b", "a.o.b", "l.0.b", "l.1.c.b"]),
        ("chats.**.**.c", ["l.1.c"]),
        ("chats.*.b", ["a.b", "l.0.b"]),
        ("chats.l.b", ["l.0.b"]),
        ("chats.l.*.b", ["l.0.b"]),
        ("chats.l[].b", ["l.0.b"]),
        ("chats.l[*].b", ["l.0.b"]),
        ("chats.l.[*].b", ["l.0.b"]),
        ("chats.l.*.*.b", ["l.1.c.b"]),
        ("chats.l.c.b", ["l.1.c.b"]),
        ("chats.a.o.**", ["a.o.b"]),
        ("*.n", ["n"]),
    ],
)
def test_paths(field: str, paths: list[str]) -> None:
    assert redacted(RECORD, (field, "null")) == nulled(RECORD, paths)


PAGES: Final[list[Any]] = [{"to": "x", "n": 1}, ["x", 7], "x", None]
VISITORS: Final[list[Any]] = ["jo", ["ann"], {"email": "jo", "name": "Jo"}]


@pytest.mark.parametrize(
    ("field", "record", "paths"),
    [
        ("chats.visitor.email", {"visitor": "jo"}, ["visitor"]),
        ("chats.visitor.email", {"visitor": VISITORS}, ["visitor.0", "visitor.1.0", "visitor.2.email"]),
        ("chats.visitor.email", {"visitor": {"email": {"work": "jo"}}}, ["visitor.email"]),
        ("chats.webpath.*.to", {"webpath": PAGES}, ["webpath.0.to", "webpath.1.0", "webpath.1.1", "webpath.2"]),
        ("chats.webpath.to", {"webpath": PAGES}, ["webpath.0.to", "webpath.1.0", "webpath.1.1", "webpath.2"]),
        ("chat_webpaths.to", {"webpath": PAGES}, ["webpath.0.to", "webpath.1.0", "webpath.1.1", "webpath.2"]),
        ("*.to", {"webpath": PAGES}, ["webpath.0.to", "webpath.1.0", "webpath.1.1", "webpath.2"]),
        ("*.**.to", {"webpath": PAGES}, ["webpath.0.to"]),
        ("chats.history.*.msg", {"history": {"msg": "x", "by": {"msg": "x", "n": 1}}}, ["history"]),
        ("chats.history.*.msg", {"history": {"0": "x", "1": {"msg": "x", "n": 1}}}, ["history"]),
        ("chats.history.*.msg", {"history": [[{"msg": "x", "n": 1}, "x"]]}, ["history.0.0.msg", "history.0.1"]),
        ("chats.**.msg", {"history": {"msg": "x", "by": {"msg": "x", "n": 1}}}, ["history.msg", "history.by.msg"]),
        ("chats.history.*.msg", {"history": "x"}, ["history"]),
        ("chats.history.msg", {"history": {"0": "x", "1": {"msg": "x", "n": 1}}}, ["history"]),
        ("chats.history.*.a.b", {"history": {"a": {"b": "x", "n": 1}}}, ["history"]),
        ("chats.history.a.b", {"history": {"0": {"a": {"b": "x", "n": 1}}}}, ["history"]),
        ("chat_events.a.b", {"history": {"a": {"b": "x", "n": 1}}}, ["history"]),
        ("*.*.a.b", {"history": {"a": {"b": "x", "n": 1}}}, ["history"]),
        ("chats.history.*.*", {"history": {"a": {"b": "x"}, "c": "x"}}, ["history"]),
        ("chats.history.*", {"history": [{"a": "x"}, "x"]}, ["history.0", "history.1"]),
        ("chats.a.**.email", {"a": "x", "b": "y"}, ["a"]),
        ("chats.a.**.email", {"a": {"email": "x", "b": "y", "c": [{"email": "x"}, "y"]}}, ["a.email", "a.c.0.email"]),
        ("chats.*.email", {"a": "y", "b": {"email": "x"}}, ["b.email"]),
        ("chats.a.*.email", {"a": {"b": "x", "c": {"email": "x"}}}, ["a.b", "a.c.email"]),
        ("chats.session.*.*", {"session": {"ip": "x", "city": "x"}}, ["session.ip", "session.city"]),
        ("chats.a.*.email", {"a": ["x", {"email": "x"}, [["x"]]]}, ["a.0", "a.1.email", "a.2.0.0"]),
    ],
)
def test_a_value_in_another_form_does_not_escape(field: str, record: Any, paths: list[str]) -> None:
    assert redacted(record, (field, "null")) == nulled(record, paths)
    marked = [value for value in _values(record) if value not in _values(nulled(record, paths))]
    for action in ("hash", "drop"):
        assert not {*marked} & {*_values(redacted(record, (field, action)))}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("scalar", ["jo@example.com", 15552345678, True, 0, ""])
def test_a_scalar_in_place_of_an_object_is_nulled_whatever_the_action(action: str, scalar: Any) -> None:
    rule = ("chats.visitor.email", action)
    assert redacted({"visitor": scalar, "n": 1}, rule) == {"visitor": None, "n": 1}
    assert redacted({"visitor": [scalar, [scalar]]}, rule) == {"visitor": [None, [None]]}
    assert redacted({"visitor": scalar}, rule, ("chats.visitor", "mask")) == {"visitor": None}
    assert redacted({"visitor": scalar}, rule, ("chats.visitor", "drop")) == {}


def _values(value: Any) -> Iterator[Any]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if below is None:
        yield value
    else:
        for each in below:
            yield from _values(each)


names = st.sampled_from(["a", "b", "c"])
wild_paths = st.lists(names | st.sampled_from(["*", "**"]), min_size=1, max_size=4)
plain = st.sampled_from(["unmarked", "", 0, 1.5, True, None])
noise = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("uvw"), inner, max_size=2)
)


@st.composite
def planted(draw: st.DrawFn, path: list[str], leaf: Any, *, due: bool = False, after_name: bool = False) -> Any:
    """A value with the leaf at a path in it, or in the place of an object on the way, among values that nobody marks."""
    if not path:
        return draw(st.sampled_from([leaf, [leaf], {"k": leaf}, [[leaf], {"k": [leaf]}]]))
    if due and draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([leaf, [leaf], [[leaf], leaf]]))
    first, *rest = path
    beside = draw(st.dictionaries(st.sampled_from("uvw"), noise, max_size=2))
    if first == "**":
        deeper = not rest or draw(st.booleans())
        return {**beside, "k": draw(planted(path if rest else [], leaf))} if deeper else draw(planted(rest, leaf, due=due))
    if first == "*":
        as_item = draw(st.booleans())
        inner = draw(planted(rest, leaf, due=due and (as_item or after_name)))
        return [inner, *beside.values()] if as_item else {**beside, "k": inner}
    named = {**beside, first: draw(planted(rest, leaf, due=True, after_name=True))}
    return draw(st.sampled_from([named, named, [named], [[named], *beside.values()]]))


@exactly
@given(st.data(), wild_paths, st.sampled_from(ACTIONS), st.sampled_from([7301955512, "7301955512", 'a "canary" \u00e9']))
def test_no_planted_value_gets_out(data: st.DataObject, path: list[str], action: str, canary: Any) -> None:
    leaf = "canary@leak.example" if action == "mask" else canary
    record = data.draw(planted(path, leaf))
    record, path = (record, path) if isinstance(record, dict) else ({"a": record}, ["a", *path])
    redact = redactor(redaction((f"chats.{'.'.join(path)}", action)), "chats")
    assert redact is not None
    done = redact(json.dumps(record, ensure_ascii=data.draw(st.booleans())).encode())
    assert leaf not in list(_values(json.loads(done)))
    assert not re.search(rb"canary|7301955512", done)
    assert action == "hash" or redact(done) == done


def outcomes(path: list[str], at: list[str | int], *, named: bool = False, after_name: bool = False) -> Iterator[str]:
    """What a rule that hashes does to the value at a position: a second reading of the rules, by trying all ways."""
    if not path:
        yield "hashed"
    elif not at:
        yield from ["null"] if named else []
    else:
        (first, *rest), (step, *steps) = path, at
        is_item = isinstance(step, int)
        if first == "**":
            yield from outcomes(rest or ["*"], at, named=named)
            yield from outcomes(path, steps, named=named and is_item)
        elif first == "*":
            yield from outcomes(rest, steps, named=named and (is_item or after_name))
        elif is_item:
            yield from outcomes(path, steps, named=named, after_name=after_name)
        elif first == step:
            yield from outcomes(rest, steps, named=True, after_name=True)


def leaves(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(below, (*at, key))
    else:
        yield at, value


anything = st.recursive(
    st.integers(1, 99), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
)


@exactly
@given(st.dictionaries(names, anything, max_size=3), st.lists(wild_paths, min_size=1, max_size=3))
def test_what_is_marked_is_hashed_and_nothing_else_is_touched(record: dict[str, Any], paths: list[list[str]]) -> None:
    done = redacted(record, *((f"chats.{'.'.join(path)}", "hash") for path in paths))
    before, after = dict(leaves(record)), dict(leaves(done))
    assert before.keys() == after.keys()
    for at, value in before.items():
        found = {outcome for path in paths for outcome in outcomes(path, list(at))}
        assert (after[at] is None) is ("null" in found), at
        assert (after[at] == value) is (not found), at


# ------------------------------------------------------------------------------------------------------------- records


def test_a_stream_without_rules_has_no_redactor() -> None:
    rules = redaction(("agents.email", "hash"), ("chat_events.msg", "mask"))
    assert redactor(rules, "bans") is None
    assert redactor(rules, "chat_events") is None
    assert redactor(rules, "chats") is not None


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b'{ "b" : 1.50, "c": [1,  2] }', b'{ "b" : 1.50, "c": [1,  2] }'),
        (b'{"a": 1, "b": 1.50, "c": [1,  2]}', b'{"a":null,"b":1.50,"c":[1,  2]}'),
        (b'{"\\u0061": 1, "b": 1e999}', b'{"a":null,"b":1e999}'),
        (b'{"a": 1e999, "b": 123456789012345678901234567890}', b'{"a":null,"b":123456789012345678901234567890}'),
        (b'{"a": "\\ud83d", "b": "\\ud83d!", "n": 1e999}', '{"a":null,"b":"\ufffd!","n":1e999}'.encode()),
        (b'{"a": "\xff", "b": "x"}', b'{"a":null,"b":"x"}'),
        (b'{"a": 1, "a": 2}', b'{"a":null}'),
        (b"{}", b"{}"),
    ],
)
def test_what_is_not_marked_keeps_its_bytes(record: bytes, expected: bytes) -> None:
    redact = redactor(redaction(("chats.a", "null")), "chats")
    assert redact is not None
    assert redact(record) == expected


def test_numbers_beyond_all_range_are_hashed_and_kept_by_their_digits() -> None:
    digits = "7" * 5000
    redact = redactor(redaction(("chats.a.b", "hash")), "chats")
    assert redact is not None
    done = redact(f'{{"a": {{"b": {digits}, "c": {digits}, "d": 1e999}}}}'.encode())
    assert done == redact(f'{{"a": {{"b": "{digits}", "c": {digits}, "d": 1e999}}}}'.encode())
    assert done.endswith(f'"c":{digits},"d":1e999}}}}'.encode())


@pytest.mark.parametrize("action", ACTIONS)
def test_deep_nesting(action: str) -> None:
    depth = 250
    record = b'{"a":' + b'[{"b":' * depth + b'"jo@x.org"' + b"}]" * depth + b"}"
    redact = redactor(redaction(("chats.**.b", action)), "chats")
    assert redact is not None
    assert b"jo@" not in redact(record)


@pytest.mark.parametrize(
    "record", [b"", b"[]", b'"SECRET"', b'{"a": SECRET}', b'{"a": "SECRET', b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"]
)
def test_what_cannot_be_read_does_not_pass(record: bytes) -> None:
    redact = redactor(redaction(("chats.a.b", "null")), "chats")
    assert redact is not None
    with pytest.raises(RecordShapeError, match=r"^chats: a record cannot be read") as caught:
        redact(record)
    assert caught.value.__cause__ is None
    assert "SECRET" not in str(caught.value)


def test_many_rules_with_wildcards_are_quickly_made() -> None:
    rules = [(f"*.**.{name}{number}", "hash") for name in ("email", "phone") for number in range(30)]
    record = {"a": {"email1": {"phone2": {"email3": "x"}}}, "b": "x"}
    done = redacted(record, *rules)
    assert done["b"] == "x"
    assert "x" not in list(_values(done["a"]))
    nested = [(f"chats.**.a{number}.**.b", "hash") for number in range(30)]  # 2 ** 30 sets of rules may be half matched
    deep: Any = {"b": "x"}
    for number in range(30):
        deep = {f"a{number}": deep, "b": "y"}
    assert "x" not in list(_values(redacted(deep, *nested)))


# ---------------------------------------------------------------------------------------------- streams derived from chats


@pytest.mark.parametrize(
    ("field", "paths"),
    [
        ("chat_events.msg", ["history.0.msg"]),
        ("chat_events.attachment.name", ["history.1.attachment.name"]),
        ("chat_events.position", []),
        ("chat_engagements.agent_name", ["engagements.0.agent_name"]),
        ("chat_webpaths.to", ["webpath.0.to", "webpath.1.0", "webpath.1.1"]),
        ("chat_conversions.attribution.agent_name", ["conversions.0.attribution.agent_name"]),
        ("visitors.email", ["visitor.email"]),
        ("visitors.ip", ["session.ip"]),
        ("visitors.**.city", ["session.city"]),
        ("visitors.*.x", []),
        ("*.name", ["visitor.name", "history.0.name", "history.1.name", "webpath.1.0", "webpath.1.1"]),
        (
            "*.*.name",
            [
                *("visitor.name", "history.0.name", "history.1.name", "history.1.attachment.name"),
                *("webpath.1.0", "webpath.1.1"),
            ],
        ),
        ("*.city", ["session.city", "webpath.1.0", "webpath.1.1"]),
        ("*.**.city", ["session.city"]),
        ("*.**.engagement_id", ["engagements.0.id"]),
        ("conversions.attribution", None),
    ],
)
def test_rules_for_derived_streams_are_rules_for_chats(field: str, paths: list[str] | None) -> None:
    redact = redactor(redaction((field, "null")), "chats")
    done = CHAT if redact is None else json.loads(redact(json.dumps(CHAT).encode()))
    assert done == nulled(CHAT, paths or [])
    assert (redact is None) is (field in ("chat_events.position", "conversions.attribution"))


def test_all_fields_of_visitors_are_those_of_the_visitor_and_of_the_session() -> None:
    done = redacted(CHAT, ("visitors.*", "null"))
    assert done["visitor"] == dict.fromkeys(CHAT["visitor"])
    assert done["session"] == {"id": "s1", "ip": None, "city": None}


# ---------------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("field", "action", "owner"),
    [
        ("chats.id", "hash", "chats"),
        ("chats.update_timestamp", "null", "chats"),
        ("agents.id", "hash", "agents"),
        ("agent_timeline.agent_id", "null", "agent_timeline"),
        ("accounts.account_key", "mask", "accounts"),
        ("chat_events.id", "drop", "chat_events"),
        ("chat_events.chat_id", "hash", "chats"),
        ("chat_engagements.engagement_id", "hash", "chat_engagements"),
        ("chat_conversions.id", "hash", "chat_conversions"),
        ("chats.conversions.*.id", "hash", "chat_conversions"),
        ("chats.conversions.id", "hash", "chat_conversions"),
        ("chats.engagements[].id", "drop", "chat_engagements"),
        ("chats.timestamp", "null", "visitors"),
        ("visitors.id", "drop", "visitors"),
        ("visitors.id", "null", "visitors"),
        ("visitors.id", "mask", "visitors"),
        ("visitors.*", "null", "visitors"),
        ("visitors.**", "drop", "visitors"),
        ("visitors.last_chat_timestamp", "hash", "visitors"),
    ],
)
def test_keys_and_cursors_are_not_redacted(field: str, action: str, owner: str) -> None:
    refusal = rf"^redact rule 2, field: cannot be redacted, because it is part of the key or cursor field {owner}\.\w+\."
    with pytest.raises(ConfigError, match=refusal):
        bound(redaction(("bans.reason", "null"), (field, action)))


@pytest.mark.parametrize(
    ("field", "action"),
    [
        ("visitors.id", "hash"),
        ("visitors.*", "hash"),
        ("agent_timeline.agent_id", "hash"),
        ("chats.visitor.*", "null"),
        *(("chats.visitor.id", action) for action in ACTIONS),
        ("chats.visitor", "drop"),
        ("chats.conversions", "null"),
        ("chats.history.*.id", "hash"),
        ("bans.visitor_id", "hash"),
        ("routing_settings.chat_limit.id", "null"),
        ("*.id", "null"),
        ("chats.**.id", "hash"),
    ],
)
def test_other_ids_may_be(field: str, action: str) -> None:
    assert bound(redaction((field, action))).rules[0].action == action


def test_wildcards_leave_keys_and_cursors_alone() -> None:
    checked = bound(redaction(("*.**", "hash")))
    redact = redactor(checked, "chats")
    assert redact is not None
    done = json.loads(redact(json.dumps(CHAT).encode()))
    left = {at for at, value in leaves(done) if value == dict(leaves(CHAT))[at]}
    assert left == {
        ("id",), ("timestamp",), ("update_timestamp",), ("visitor", "phone"), ("conversions", 0, "id"),
        ("engagements", 0, "id"),
    }  # fmt: skip
    agents = redactor(checked, "agents")
    assert agents is not None
    assert json.loads(agents(b'{"id": 7, "email": ""}')) == {"id": 7, "email": ""}


def test_of_keys_only_those_that_a_hash_keeps_apart_are_not_left_alone_by_wildcards() -> None:
    for field in ("chats.visitor.*", "chats.**", "*.**", "*.visitor.*", "chats.visitor"):
        redact = redactor(bound(redaction((field, "null"))), "chats")
        assert redact is not None
        done = json.loads(redact(b'{"id": "c", "visitor": {"id": "v", "name": "Jo"}}'))
        assert done["id"] == "c"
        assert done["visitor"] in (None, {"id": None, "name": None})


def test_wildcards_do_not_match_an_agent_in_the_timeline_and_a_name_does() -> None:
    span = b'{"agent_id": 7, "start_time": "2026-01-01T00:00:00Z", "status": "online"}'
    for field, left in (("*.**", 7), ("agent_timeline.*", 7), ("agent_timeline.agent_id", None)):
        redact = redactor(bound(redaction((field, "hash"))), "agent_timeline")
        assert redact is not None
        agent = json.loads(redact(span))["agent_id"]
        assert agent == left if left else len(agent) == 32


def test_what_is_named_is_redacted_beside_a_wildcard() -> None:
    checked = bound(redaction(("chats.visitor.*", "null"), ("chats.visitor.id", "hash"), ("chats.**", "mask")))
    redact = redactor(checked, "chats")
    assert redact is not None
    assert json.loads(redact(b'{"id": "jo@x.org", "visitor": {"id": "v", "name": "Jo"}}')) == {
        "id": "jo@x.org",
        "visitor": {"id": None, "name": None},
    }


def test_an_unknown_stream_is_named_with_those_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"^redact rule 1, field: no such stream\. The streams are accounts, agents, "
    ) as caught:
        bound(redaction(("secrets.email", "hash")))
    assert "secrets" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------- schemas


def field_of(stream: str, path: str, *rules: tuple[str, str]) -> Any:
    field: Any = redacted_schema(redaction(*rules), stream, SCHEMAS[stream]).to_json()
    for step in path.split("."):
        field = field["items"] if step == "*" else field["properties"].get(step)
    return field


def test_hashed_fields_are_text_without_a_format() -> None:
    rules = (
        ("chats.department_id", "hash"),
        ("chats.timestamp", "hash"),
        ("chats.count", "hash"),
        ("chats.history.*.msg_id", "hash"),
    )
    for path in ("department_id", "timestamp", "count.total", "history.*.msg_id"):
        field = field_of("chats", path, *rules)
        assert field.keys() == {"type", "description"}
        assert field["type"] == ["null", "string"]
    assert field_of("chats", "count", *rules)["type"] == ["null", "object"]
    assert field_of("chats", "tags.*", ("chats.tags", "hash"))["type"] == ["null", "string"]
    assert field_of("chats", "webpath.*.*", ("chats.webpath.*.to", "hash")) == field_of(
        "chats", "webpath.*.*", ("bans.x", "drop")
    )


def test_dropped_fields_are_not_in_the_schema() -> None:
    assert field_of("chats", "visitor.email", ("chats.visitor.email", "drop")) is None
    assert field_of("chats", "visitor.name", ("chats.visitor.email", "drop")) == field_of(
        "chats", "visitor.name", ("bans.x", "drop")
    )
    assert list(redacted_schema(redaction(("agents.email", "drop")), "agents", SCHEMAS["agents"]).properties)[:2] == [
        "id",
        "first_name",
    ]


@pytest.mark.parametrize("action", ["null", "mask"])
def test_other_actions_leave_the_schema(action: str) -> None:
    assert redacted_schema(redaction(("chats.**", action)), "chats", SCHEMAS["chats"]) == SCHEMAS["chats"]
    assert redacted_schema(redaction(("chats.**", "hash")), "agents", SCHEMAS["agents"]) == SCHEMAS["agents"]


def test_fields_that_hold_lists_of_objects() -> None:
    found = {
        name: [".".join(path) for path in lists_of_objects(SCHEMAS[name])] for name in ("chats", "goals", "triggers", "agents")
    }
    assert found == {
        "chats": ["webpath", "conversions", "engagements", "history"],
        "goals": ["settings.conditions"],
        "triggers": [],
        "agents": [],
    }


CUT: Final = {
    "type": "object",
    "properties": {
        name: {"type": ["null", "integer"], "format": "x"}
        for name in ("id", "position", "chat_id", "msg", "engagement_id", "goal_id", "email", "ip", "last_chat_timestamp")
    },
}


@pytest.mark.parametrize(
    ("stream", "field", "hashed"),
    [
        ("chat_events", "chats.history.*.msg", ["msg"]),
        ("chat_events", "chat_events.msg", ["msg"]),
        ("chat_events", "chats.history", ["msg", "engagement_id", "goal_id", "email", "ip", "last_chat_timestamp"]),
        ("chat_events", "visitors.ip", []),
        ("chat_conversions", "chats.conversions.goal_id", ["goal_id"]),
        ("conversions", "chats.conversions.goal_id", []),
        ("conversions", "conversions.goal_id", ["goal_id"]),
        ("visitors", "chats.session.ip", ["ip"]),
        ("visitors", "visitors.id", ["id"]),
        ("visitors", "*.email", ["email"]),
    ],
)
def test_schemas_of_derived_streams(stream: str, field: str, hashed: list[str]) -> None:
    done: Any = redacted_schema(redaction((field, "hash")), stream, Schema.parse(CUT)).to_json()["properties"]
    assert [name for name, kind in done.items() if kind == {"type": ["null", "string"]}] == hashed
    assert len(done) == len(CUT["properties"])


@exactly
@given(st.lists(st.tuples(wild_paths, st.sampled_from(ACTIONS)), min_size=1, max_size=3), st.data())
def test_a_redacted_record_fits_the_redacted_schema(rules: list[tuple[list[str], str]], data: st.DataObject) -> None:
    rule_list = [(f"chats.{'.'.join(path)}", action) for path, action in rules]
    number = {"type": ["null", "integer"]}
    record_schema = {
        "type": "object",
        "properties": {
            "a": number,
            "b": {"type": ["null", "object"], "properties": {"a": number, "c": {"type": ["null", "array"], "items": number}}},
        },
    }
    fitting = redacted_schema(redaction(*rule_list), "chats", Schema.parse(record_schema))
    record = {"a": 1, "b": {"a": data.draw(st.none() | st.just(4111111111111111)), "c": [2]}}
    assert _misfits(redacted(record, *rule_list), fitting.to_json()) == []


def _misfits(value: Any, field: Mapping[str, Any], at: str = "record") -> list[str]:
    kinds = {str: "string", int: "integer", dict: "object", list: "array", type(None): "null"}
    below: list[tuple[Any, Any, str]] = []
    if isinstance(value, dict):
        below = [(each, field["properties"].get(name, {"type": []}), f"{at}.{name}") for name, each in value.items()]
    elif isinstance(value, list):
        below = [(each, field["items"], f"{at}.*") for each in value]
    wrong = [] if kinds[type(value)] in field["type"] else [at]
    return wrong + [path for each in below for path in _misfits(*each)]


# -------------------------------------------------------------------------------------------------------- unknown fields


@pytest.mark.parametrize(
    "field",
    [
        "chats.visitor.email", "chats.history.*.msg", "chats.history.msg", "chats.**.email", "*.email", "agents.*", "*.**",
        "chat_events.msg", "visitors.ip", "triggers.definition.condition.*.x", "chats.webpath.*.to", "chat_conversions.goal_id",
    ],
)  # fmt: skip
def test_known_fields(field: str) -> None:
    assert unknown_fields(redaction((field, "mask")), SCHEMAS) == []


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("chats.visitor.emial", "Did you mean chats.visitor.email?"),
        ("visitors.emial", "Did you mean visitors.email?"),
        ("chats.visitors.email", "Did you mean chats.visitor.email?"),
        ("chats.histroy.*.msg", "Did you mean chats.history.msg?"),
        ("chats.**.emial", "Did you mean chats.**.email?"),
        ("*.emial", "Did you mean *.email?"),
        ("chats.quite.something.else", "Check the spelling."),
        ("agents.visitor", "Check the spelling."),
        ("chats.a.**", "Check the spelling."),
    ],
)
def test_fields_that_nobody_knows(field: str, hint: str) -> None:
    rules = bound(redaction(("chats.visitor.email", "hash"), (field, "null")))
    (warning,) = unknown_fields(rules, SCHEMAS)
    shown = "chats.a.**.*" if field == "chats.a.**" else field
    assert warning == f"redact rule 2, field: no known field has the path {shown}. {hint}"


def test_a_path_is_quoted_without_control_characters() -> None:
    (warning,) = unknown_fields(bound(redaction(("chats.a\x1bb", "null"))), SCHEMAS)
    assert "\x1b" not in warning


# ------------------------------------------------------------------------------------------------------- configuration


def test_rules_as_they_are_configured() -> None:
    parsed = parse_redaction(
        {
            "hash_key": f" {HASH_KEY}\n",
            "rules": [
                {"field": "chats.history[].msg", "action": "mask", "patterns": ["phone", "email"]},
                {"field": "*.**", "action": "drop", "patterns": None},
            ],
        }
    )
    assert parsed == Redaction(
        (Rule("chats", ("history", "*", "msg"), "mask", ("email", "phone")), Rule("*", ("**", "*"), "drop")), HASH_KEY
    )
    assert "SECRET" not in repr(parsed)


@pytest.mark.parametrize(
    "raw", [None, "", {}, {"rules": []}, {"rules": None}, {"hash_key": ""}, {"hash_key": HASH_KEY, "rules": []}]
)
def test_nothing_to_redact(raw: Any) -> None:
    assert parse_redaction(raw) is None


FIELDS: Final[tuple[Any, ...]] = (
    *(
        None,
        "",
        "chats",
        "chats.",
        ".email",
        "chats..email",
        "SECRET",
        "chats.SECRET*",
        "chats.***",
        "chats.a b",
        "chats.[0].SECRET",
    ),
    *("**.email", "Chats.email", "chats.a[", 7, ["chats.a"], "$.chats.a", "chats/a"),
    *("chats" + ".SECRET" * 3000, "chats" + ".**.SECRET" * 3000),
)


NO_OBJECTS: Final[tuple[Any, ...]] = ("SECRET", 7, True, ["SECRET"], {"rule": []}, {"value": "SECRET"})
NO_ACTIONS: Final[tuple[Any, ...]] = (None, "SECRET", "keep", 7, [])


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        *((raw, "redact") for raw in NO_OBJECTS),
        *(({"rules": rules}, "redact.rules") for rules in ("SECRET", {"SECRET": 1}, 7)),
        *(({"rules": [rule]}, "redact rule 1") for rule in NO_OBJECTS),
        *(({"rules": [{"field": field, "action": "drop"}]}, "redact rule 1, field") for field in FIELDS),
        *(({"rules": [{"field": "chats.a", "action": given}]}, "redact rule 1, action") for given in NO_ACTIONS),
        ({"rules": [{"field": "chats.a"}]}, "redact rule 1, action"),
        ({"rules": [{"field": "chats.a", "action": "mask", "patterns": ["SECRET"]}]}, "redact rule 1, patterns"),
        ({"rules": [{"field": "chats.a", "action": "mask", "patterns": "email"}]}, "redact rule 1, patterns"),
        ({"rules": [{"field": "chats.a", "action": "mask", "patterns": [["email"]]}]}, "redact rule 1, patterns"),
        ({"rules": [{"field": "chats.a", "action": "drop", "patterns": ["email"]}]}, "redact rule 1, patterns"),
        ({"rules": [{"field": "chats.a", "action": "hash"}]}, "redact.hash_key"),
        ({"rules": [{"field": "chats.a", "action": "hash"}], "hash_key": ""}, "redact.hash_key"),
        *(({"rules": [], "hash_key": key}, "redact.hash_key") for key in (7, ["SECRET"], " " * 20)),
        ({"rules": [], "hash_key": "SECRET-is-short"}, "redact.hash_key"),
    ],
)
def test_an_error_names_the_path_and_never_the_value(raw: Any, path: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{re.escape(path)}: ") as caught:
        parse_redaction(raw)
    assert "SECRET" not in str(caught.value)
    assert msgspec.json.encode(str(caught.value)).isascii()


def test_a_warning_if_no_visitor_keeps_an_id() -> None:
    warning = ["redact: without chats.visitor.id, the stream visitors has no records. To keep them, hash this field instead."]
    for field, action, warnings in (
        ("chats.visitor.*", "null", warning),
        ("chats.visitor", "drop", warning),
        ("chats.visitor.*", "hash", []),
        ("bans.reason", "null", []),
    ):
        assert list(Catalog(redaction((field, action))).warnings) == warnings
