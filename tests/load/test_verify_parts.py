"""How `verify` compares values, reads answers, and describes how sure it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.errors import EnvelopeError
from zendesk_chat.load.verify.answers import Changes, chats_by_id, ids_until, newest_chats
from zendesk_chat.load.verify.comparison import differing_fields, same
from zendesk_chat.load.verify.docs import Doc, Loaded
from zendesk_chat.load.verify.results import confidence, largest_share
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import micros_of

NOW = micros_of("2026-03-14T12:00:00Z") or 0
HOUR = 3_600_000_000
NOTHING = Changes({}, frozenset())


@pytest.mark.parametrize(
    ("stored", "current", "alike", "partly_alike"),
    [
        (1, 1, True, True),
        (1, 2, False, False),
        (1, "1", True, True),
        ("1.50", 1.5, False, False),
        (True, 1, True, True),
        (None, 0, False, False),
        (None, "", False, False),
        ({"a": 1}, {"a": 1, "b": None}, True, True),
        ({"a": 1}, {"a": 1, "b": 2}, False, True),
        ({"a": 1, "b": 2}, {"a": 1}, False, True),
        ({"a": 1}, {"a": 2, "b": 2}, False, False),
        ([{"a": 1}, {"b": 1}], [{"a": 1, "c": 2}, {"b": 1}], False, True),
        ([1, 2], [2, 1], False, False),
        ([1], [1, 1], False, False),
        ([], {}, False, False),
        ("é", "é", True, True),
    ],
)
def test_values_are_the_same(stored: Any, current: Any, alike: bool, partly_alike: bool) -> None:
    assert same(stored, current) is alike
    assert same(stored, current, partial=True) is partly_alike


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


@given(JSON, JSON)
@settings(deadline=None)
def test_being_the_same_is_symmetric_and_what_is_the_same_is_partly_the_same(one: Any, other: Any) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert same(one, other, partial=True) == same(other, one, partial=True)
    assert not same(one, other) or same(one, other, partial=True)


def test_only_the_fields_of_a_partial_record_are_compared() -> None:
    stored: dict[str, Any] = {
        "id": "a",
        "rating": "good",
        "engagements": [1],
        "comment": "hi",
        "_extra": {"x": 1, "y": 2},
        "_unparsed": None,
    }
    current: dict[str, Any] = {
        "id": "a",
        "rating": "bad",
        "engagements": None,
        "comment": None,
        "_extra": {"x": 1},
        "_unparsed": {"z": 1},
    }
    assert differing_fields(stored, current) == ["rating", "engagements", "comment", "_extra", "_unparsed"]
    assert differing_fields(stored, current, {"id", "rating", "comment", "x"}) == ["rating", "comment"]
    assert differing_fields(stored, current | {"_extra": {"x": 2}}, {"id"}) == ["_extra"]


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ('{"docs": {"a": {"id": "a"}, "b": {"id": "b"}}, "count": 2}', ["a", "b"]),
        ('{"docs": [{"id": "a"}, {"id": "b"}], "count": 2}', ["a", "b"]),
        ('{"docs": {"a": {"id": "a"}, "b": null}}', ["a"]),
        ('{"docs": [null, {"id": "a"}, 7]}', ["a"]),
        ('{"docs": {}}', []),
        ('{"docs": []}', []),
        ('{"docs": null}', []),
    ],
)
def test_docs_in_every_form(body: str, ids: list[str]) -> None:
    assert [json.loads(bytes(raw))["id"] for raw in chats_by_id(["a", "b"]).decode(body.encode())] == ids


@pytest.mark.parametrize("body", ['{"docs": "none"}', '{"error": "no"}', "[]", '{"docs": 1}'])
def test_docs_of_another_form_are_an_error(body: str) -> None:
    with pytest.raises(EnvelopeError, match="unexpected structure"):
        chats_by_id(["a"]).decode(body.encode())


def test_a_page_of_chats() -> None:
    page = newest_chats().decode(
        b'{"chats": [{"id": "a"}, null], "count": 41, "next_url": "https://x.example/chats?cursor=c%3D&a=b"}'
    )
    assert (len(page.chats), page.total, page.next) == (1, 41, {"cursor": "c=", "a": "b"})
    assert newest_chats(page.next).params == {"cursor": "c=", "a": "b"}
    assert newest_chats(page.next).path == "chats"
    last = newest_chats().decode(b'{"chats": [], "count": "many", "next_url": null}')
    assert (list(last.chats), last.total, last.next) == ([], None, None)


def test_a_search_for_ids() -> None:
    request = ids_until(NOW)
    assert request.params == {"q": "timestamp:[1970-01-01T00:00:00Z TO 2026-03-14T12:00:00Z]"}
    assert request.decode(b'{"results": [{"id": "b", "type": "chat"}, {"id": 7}, {}], "count": 3}') == ["b"]


def doc(**fields: Any) -> Doc:
    raw = msgspec.Raw(json.dumps({"id": "a", "type": "chat"} | fields).encode())
    return Doc.read([raw], CHATS, NOW)["a"]


def test_the_latest_time_of_a_chat() -> None:
    start, end = "2026-03-14T09:00:00Z", "2026-03-14T10:00:00Z"
    assert doc(timestamp=start).time == micros_of(start)
    assert doc(timestamp=start, end_timestamp=end).time == micros_of(end)
    assert doc(timestamp=start, history=[{"timestamp": end}, {"timestamp": "soon"}, {}]).time == micros_of(end)
    assert doc(timestamp=start, history=[{"timestamp": "9999-01-01T00:00:00Z"}]).time == micros_of(start)
    assert doc(timestamp=start, history="none").time == micros_of(start)
    assert doc(timestamp=None).time == 0


def test_whether_a_chat_has_ended() -> None:
    assert not doc(timestamp="2026-03-14T09:00:00Z").ended
    assert doc(end_timestamp="2026-03-14T10:00:00Z").ended
    assert doc(type="offline_msg").ended


def test_what_is_loaded() -> None:
    position = ExportPosition(NOW, complete_until=NOW - 5 * HOUR, complete_from=NOW - 9 * HOUR)
    ended = Loaded.of(position, NOW)
    assert (ended.start, ended.until) == (NOW - 9 * HOUR, NOW - 5 * HOUR)
    assert ended.is_before(NOW - 10 * HOUR)
    assert not ended.is_before(NOW - 9 * HOUR)
    assert not ended.is_after(NOW - 6 * HOUR)
    assert ended.is_after(NOW - 5 * HOUR)
    quiet = Loaded.of(replace(position, recent={"a": (NOW - 5 * HOUR, "d")}), NOW)
    assert quiet.until == NOW
    parts = replace(position, completed_ranges=((NOW - 3 * HOUR, NOW - HOUR),))
    assert [Loaded.of(parts, NOW).is_after(NOW - hours * HOUR) for hours in (6, 4, 2, 1)] == [False, True, False, True]


def test_a_chat_is_newer_if_it_changed_after_what_is_loaded() -> None:
    loaded = Loaded(((0, NOW - HOUR),))
    old, new = doc(timestamp="2026-03-14T10:00:00Z"), doc(timestamp="2026-03-14T11:30:00Z")
    assert not loaded.is_newer(old, NOTHING)
    assert loaded.is_newer(new, NOTHING)
    assert loaded.is_newer(old, Changes({"a": NOW}, frozenset()))
    assert not loaded.is_newer(old, Changes({"a": NOW}, frozenset()), {"update_timestamp": NOW})
    assert loaded.is_newer(old, Changes({"a": NOW}, frozenset()), {"update_timestamp": NOW - 1})
    assert loaded.is_newer(new, NOTHING, {"update_timestamp": None})


@pytest.mark.parametrize(("checked", "share"), [(500, 0.006), (3000, 0.001), (50, 0.0582), (1, 0.95), (0, 1.0)])
def test_how_many_may_differ_though_none_of_the_sample_does(checked: int, share: float) -> None:
    assert largest_share(checked) == pytest.approx(share, rel=0.01)
    assert (1 - largest_share(checked)) ** checked == pytest.approx(0.05 if checked else 1)


def test_how_sure_a_sample_is() -> None:
    assert confidence(500, 40_000) == (
        "No difference in a random sample of 500 of the 40,000 chats in the file. With 95% confidence, fewer than 0.60% of "
        "them differ (238 chats)."
    )
    assert confidence(100, 40_000).endswith("fewer than 3.0% of them differ (1,180 chats).")
    assert confidence(400, 400) == "All 400 chats in the file match the account."
