"""Positions: every known form of state is read, anything else is an error that reports how to reset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import effort
from zendesk_chat.errors import StateError
from zendesk_chat.streams.positions import ExportPosition, ListPosition
from zendesk_chat.streams.registry import STREAMS

SECOND = 1_000_000
CURSORS = {"chats": "update_timestamp", "agent_timeline": "start_time", "agents": "id", "bans": "id"}
EXPORTS = ("chats", "agent_timeline")
LISTS = ("agents", "bans")
LAST_US = 253_370_764_800 * SECOND - 1

NONSENSE: tuple[object, ...] = (
    *("soon", True, [], {}, "nan", "inf", "1e400", float("inf"), float("nan")),
    *("9" * 5000, "\u00b2", "-7", "1.5x", 10.5),
)

exactly = effort(300)
micros = st.integers(0, LAST_US)
jsons = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**9, 10**20)
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["nan", "inf", "-inf", "1e400", "-1e400", "9" * 5000, "²", "١٢٣", "1612010512345", "0001-01-01T00:00:00+23:59"]
    )
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z?", fullmatch=True),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-10-20T09:44:12Z", 1697795052 * SECOND),
        ("2024-02-09T13:12:16.817973Z", 1707484336817973),
        ("2024-02-09T13:12:16", 1707484336 * SECOND),
        ("2024-02-09T15:12:16+02:00", 1707484336 * SECOND),
        ("2024-02-09", 1707436800 * SECOND),
        ("1697795052", 1697795052 * SECOND),
        ("1707484336000000", 1707484336 * SECOND),
        ("1707484336817973", 1707484336817973),
        ("1707484336817", 1707484336817000),
        ("1612010512345", 1612010512345000),
        (" 1697795052 ", 1697795052 * SECOND),
        (1697795052, 1697795052 * SECOND),
        (1707484336817973, 1707484336817973),
        (1697795052.0, 1697795052 * SECOND),
        (1697795052.5, 1697795052 * SECOND + 500_000),
        ("1697795052.5", 1697795052 * SECOND + 500_000),
        (0, 0),
        ("0", 0),
    ],
)
def test_every_form_of_time_is_read(name: str, value: object, expected: int) -> None:
    position = STREAMS[name].load_state({CURSORS[name]: value})
    assert position == ExportPosition(expected, complete_until=expected)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("value", [123, "123", " 123 ", 123.0])
def test_every_form_of_id_is_read(name: str, value: object) -> None:
    assert STREAMS[name].load_state({"id": value}) == ListPosition(123, digests_from=124)


@pytest.mark.parametrize("name", CURSORS)
@pytest.mark.parametrize("value", [None, ""])
def test_no_value_is_a_fresh_start(name: str, value: object) -> None:
    assert STREAMS[name].load_state({CURSORS[name]: value}) is None
    assert STREAMS[name].load_state({}) is None


@pytest.mark.parametrize("name", CURSORS)
@pytest.mark.parametrize(
    "state",
    [
        {"cursor": "2023-10-20T09:44:12Z"},
        {"update_timestamp": None, "start_time": None, "id": None},
        {"version": 3},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "version": 3},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "version": "new"},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "complete_until": "soon", "digests_from": "soon"},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "recent": [], "digests": []},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "recent": {"a": [1]}, "digests": {"a": "b"}},
        {"update_timestamp": 1, "start_time": 1, "id": 1, "recent": {"a": ["1", "b"]}, "digests": {"": "b"}},
        *({"update_timestamp": value, "start_time": value, "id": value} for value in NONSENSE),
    ],
)
def test_what_cannot_be_read_reports_how_to_reset(name: str, state: Mapping[str, Any]) -> None:
    if name in EXPORTS and state.get(CURSORS[name]) == 10.5:
        return  # a time, but no id
    with pytest.raises(StateError, match=r"[Rr]eset this stream's state") as caught:
        STREAMS[name].load_state(state)
    assert name in str(caught.value)


@exactly
@given(
    st.sampled_from(sorted(CURSORS)),
    st.dictionaries(
        st.sampled_from(
            [
                "update_timestamp",
                "start_time",
                "id",
                "start_id",
                "complete_until",
                "recent",
                "digests_from",
                "digests",
                "version",
                "known_from",
            ]
        )
        | st.text(),
        jsons | st.just(1),
    ),
)
def test_any_json_is_a_position_or_a_state_error(name: str, state: dict[str, Any]) -> None:
    stream = STREAMS[name]
    try:
        position = stream.load_state(state)
    except StateError:
        return
    if position is not None:
        assert stream.load_state(json.loads(json.dumps(stream.dump_state(position)))) is not None


@exactly
@given(st.sampled_from(EXPORTS), micros, micros, st.text(), st.dictionaries(st.text(), st.tuples(micros, st.text())))
def test_an_export_position_comes_back(
    name: str, one: int, other: int, start_id: str, seen: dict[str, tuple[int, str]]
) -> None:
    time = one // SECOND * SECOND if name == "chats" else one
    position = ExportPosition(time, start_id, other, seen)
    state = json.loads(json.dumps(STREAMS[name].dump_state(position)))
    assert STREAMS[name].load_state(state) == position
    assert isinstance(state[CURSORS[name]], str)


@exactly
@given(
    st.sampled_from(LISTS), st.integers(0, 10**12), st.integers(0, 10**12), st.dictionaries(st.integers(0, 10**12), st.text())
)
def test_a_list_position_comes_back(name: str, last: int, complete_until: int, digests: dict[int, str]) -> None:
    position = ListPosition(last, complete_until, digests)
    state = json.loads(json.dumps(STREAMS[name].dump_state(position)))
    assert STREAMS[name].load_state(state) == position
    assert state["id"] == last, "a number, or Airbyte's connector fails on it"


@pytest.mark.parametrize("name", [name for name, stream in STREAMS.items() if stream.cursor_field is None])
def test_streams_that_are_read_complete_take_any_state(name: str) -> None:
    assert STREAMS[name].load_state({"__ab_no_cursor_state_message": True}) is None
    assert STREAMS[name].dump_state(None) == {}


@pytest.mark.parametrize("name", EXPORTS)
def test_a_state_of_version_1_is_read_from_where_it_was_complete(name: str) -> None:
    state = {
        CURSORS[name]: "2026-03-01T12:00:00Z",
        "start_id": "x",
        "known_from": "2026-03-01T11:50:00.000000Z",
        "seen": {"a": [1772366399000000, "8a56d77352fa61ad"]},
        "ahead": [[1772370000000000, 1772380000000000]],
        "complete_from": "2026-01-01T00:00:00.000000Z",
        "version": 1,
    }
    complete = 1772365800 * SECOND
    expected = ExportPosition(complete, complete_until=complete, complete_from=1767225600 * SECOND)
    assert STREAMS[name].load_state(state) == expected


@pytest.mark.parametrize("name", LISTS)
def test_a_list_state_of_version_1_is_read_with_its_digests(name: str) -> None:
    state = {"id": 9, "known_from": 4, "digests": {"5": "b", "-7": "c"}, "version": 1}
    assert STREAMS[name].load_state(state) == ListPosition(9, 4, {5: "b", -7: "c"})
