"""The readers of configuration lists against every reading of the API facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import NOW, ListApi, effort
from tests.support.stream_runs import ROUTING as ROUTING_LIST
from tests.support.stream_runs import Run, destination, doubles, list_of, probe, run
from zendesk_chat.errors import EnvelopeError, PaginationStuckError, RecordShapeError, ServerError
from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.lists import id_list
from zendesk_chat.streams.lists.answers import agent_settings, array
from zendesk_chat.streams.lists.whole_list import WholeList
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds

INCREMENTAL = Bounds(0, NOW)
FULL = Bounds(0, NOW, incremental=False)

Name = Literal["agents", "bans", "agent_routing_settings"]
ROUTING: Name = "agent_routing_settings"
NAMES: tuple[Name, ...] = ("agents", "bans", ROUTING)
OLD_NAMES = NAMES[:2]
exactly = effort(200)


@st.composite
def apis(draw: st.DrawFn, *, least: int = 0, names: Sequence[Name] = NAMES) -> ListApi:
    name: Name = draw(st.sampled_from(names))
    envelope: Literal["bare", "list", "by id"] = draw(st.sampled_from(["bare", "list", "by id"]))
    keys: list[Literal["agent_id", "id", "absent"]] = ["agent_id", "id", "absent"]
    ids = draw(st.lists(st.integers(1, 60), min_size=least, max_size=30, unique=True))
    groups: list[dict[int, dict[str, Any]]] = [{}, {}] if name == "bans" else [{}]
    for key in ids:
        content: dict[str, Any] = {"name": f"n{key}", "enabled": key % 2}
        created = draw(st.sampled_from(["2020-01-01T00:00:00Z", None, "missing"]))
        groups[draw(st.integers(0, len(groups) - 1))][key] = (
            content if created == "missing" else {**content, "created_at": created}
        )
    return ListApi(
        name=name,
        groups=groups,
        cap=draw(st.sampled_from([1, 2, 3, 5, 10, 100])),
        limit_counts=draw(st.sampled_from(["union", "list"])),
        ids_as_text=draw(st.booleans()),
        envelope=envelope if name == ROUTING else "bare",
        own_key=draw(st.sampled_from(keys if envelope == "by id" else keys[:2])),
    )


def rows(api: ListApi, above: int = 0) -> dict[str, dict[str, Any]]:
    found = {key: api.row(key) for key in api.ids if key > above}
    if api.name == ROUTING:
        found = {key: {"agent_id": row.get("id", key), **row} for key, row in found.items()}
    return {str(key): {**row, "enabled": bool(row["enabled"])} for key, row in found.items()}


def change(api: ListApi, data: st.DataObject) -> dict[str, dict[str, Any]]:
    """Edit, add and delete some; return what was there before."""
    before = rows(api)
    some = st.lists(st.sampled_from(sorted(api.ids)), max_size=4, unique=True) if api.ids else st.just([])
    for key in data.draw(some):
        next(group for group in api.groups if key in group)[key]["name"] = "edited"
    for key in data.draw(some):
        for group in api.groups:
            group.pop(key, None)
    for key in data.draw(st.lists(st.integers(61, 90), max_size=6, unique=True)):
        api.groups[key % len(api.groups)][key] = {"name": "new", "enabled": 1}
    return before


@exactly
@given(apis(), st.booleans())
def test_every_record_comes_once_in_order_of_id(api: ListApi, incremental: bool) -> None:
    found = run(api.name, api, INCREMENTAL if incremental else FULL)
    assert found.by_key() == rows(api)
    assert len(found.records) == len(api.ids)
    assert api.requests <= 2 * len(api.ids) + 1


@pytest.mark.parametrize("count", [3000, 12_000])
def test_the_state_of_a_long_list_is_a_fraction_of_its_records(count: int) -> None:
    api = ListApi("bans", [{}, {key: {"type": "visitor", "reason": "x" * 100} for key in range(count)}])
    found = run("bans", api, INCREMENTAL)
    written = sum(len(json.dumps(state)) for state in found.states)
    emitted = sum(len(json.dumps(record)) for record in found.records)
    assert len(found.records) == count
    assert written < emitted / 2
    assert len(found.states) > 3, "it still resumes"
    again = run("bans", api, INCREMENTAL, found.state)
    assert len(again.states) == 1
    observed = f"bans: only the 10000 of {count} records with the highest ids are compared for changes."
    assert [note.startswith(observed) for note in found.notes] == [True] * (count > id_list.MAX_DIGESTS)
    assert again.notes == found.notes


@exactly
@given(st.integers(0, 450))
def test_a_list_of_full_pages_costs_one_request_more_than_it_has_pages(count: int) -> None:
    api = ListApi("agents", [{key * 3: {"enabled": True} for key in range(1, count + 1)}])
    assert len(run("agents", api, INCREMENTAL).records) == count
    assert api.requests == 1 + -(-count // 100)


def test_what_was_read_before_a_failure_is_emitted() -> None:
    api = ListApi("bans", [{}, {key: {"type": "visitor"} for key in range(5000)}])

    def fail(api: ListApi) -> None:
        if api.requests == 47:
            raise ServerError("no more")

    api.between = fail
    part = Run("bans")
    with pytest.raises(ServerError):
        run("bans", api, INCREMENTAL, into=part)
    assert len(part.records) == 4700
    api.between = None
    assert len(run("bans", api, INCREMENTAL, part.state).records) == 300


def test_a_short_list_of_bans_beside_a_full_one_is_read_on() -> None:
    visitors = {key: {"type": "visitor"} for key in range(2, 252)}
    for limit_counts in ("union", "list"):
        api = ListApi("bans", [{1: {"type": "ip_address"}}, visitors], limit_counts=limit_counts)
        assert len(run("bans", api, INCREMENTAL).records) == 251


@exactly
@given(apis(), st.data())
def test_a_later_incremental_run_gives_exactly_what_is_new_or_changed(api: ListApi, data: st.DataObject) -> None:
    first = run(api.name, api, INCREMENTAL)
    assert run(api.name, api, INCREMENTAL, first.state).records == []
    before = change(api, data)
    second = run(api.name, api, INCREMENTAL, first.state)
    assert second.by_key() == {key: row for key, row in rows(api).items() if before.get(key) != row}
    assert set(second.state["digests"]) == set(rows(api)), "deletions shrink the digests"
    key = str(STREAMS[api.name].cursor_field)
    assert second.state[key] >= first.state[key]


def test_what_was_deleted_is_reported_once() -> None:
    api = ListApi("agents", [{key: {"enabled": True} for key in range(1, 31)}])
    first = run("agents", api, INCREMENTAL)
    for key in (3, *range(10, 21)):
        del api.groups[0][key]
    second = run("agents", api, INCREMENTAL, first.state)
    assert second.records == []
    assert second.notes == [
        (
            "agents: 12 records disappeared from the list since the last sync (id 3, 10, 11, 12, 13, 14, 15, 16, 17, 18 ...). "
            "They stay in the destination until a full refresh."
        )
    ]
    assert first.notes == run("agents", api, INCREMENTAL, second.state).notes == []


@exactly
@given(apis(), st.data(), st.lists(st.integers(0, 40), min_size=1, max_size=3), st.booleans())
def test_interrupted_runs_lose_no_record_and_no_edit(api: ListApi, data: st.DataObject, cuts: list[int], begun: bool) -> None:
    runs = [run(api.name, api, INCREMENTAL)] if begun else []
    for cut in cuts:
        if begun:
            change(api, data)
        part = run(api.name, api, INCREMENTAL, runs[-1].state if runs else None)
        runs.append(part.cut(1 + cut % len(part.batches)))
    last = run(api.name, api, INCREMENTAL, runs[-1].state)
    found = destination(*runs, last)
    assert {key: found[key] for key in rows(api)} == rows(api)
    assert begun or not doubles(*runs, last)


@exactly
@given(apis(), st.integers(0, 40))
def test_a_full_refresh_resumes_from_any_checkpoint(api: ListApi, cut: int) -> None:
    complete = run(api.name, api, FULL)
    part = complete.cut(1 + cut % len(complete.batches))
    rest = run(api.name, api, FULL, part.state)
    assert destination(part, rest) == rows(api)
    assert not doubles(part, rest)


@exactly
@given(apis(names=OLD_NAMES), st.integers(0, 70), st.booleans(), st.data())
def test_the_state_of_the_airbyte_connector_is_resumed_from(
    api: ListApi, last: int, as_text: bool, data: st.DataObject
) -> None:
    first = run(api.name, api, INCREMENTAL, {"id": str(last) if as_text else last})
    assert first.by_key() == rows(api, above=last)
    before = change(api, data)
    second = run(api.name, api, INCREMENTAL, first.state)
    assert second.by_key() == {key: row for key, row in rows(api).items() if before.get(key) != row}


@exactly
@given(apis(names=OLD_NAMES), st.integers(0, 70), st.integers(0, 40))
def test_the_state_of_the_airbyte_connector_is_resumed_from_though_the_first_run_is_cut(
    api: ListApi, last: int, cut: int
) -> None:
    first = run(api.name, api, INCREMENTAL, {"id": last})
    first = first.cut(1 + cut % len(first.batches))
    second = run(api.name, api, INCREMENTAL, first.state)
    assert destination(first, second) == rows(api, above=last)
    assert not doubles(first, second)


@exactly
@given(apis(), st.integers(1, 12), st.integers(0, 40), st.data())
def test_the_state_is_bounded_and_new_records_still_come(api: ListApi, most: int, cut: int, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zendesk_chat.streams.lists.id_list.MAX_DIGESTS", most)
        complete = run(api.name, api, INCREMENTAL)
        assert all(len(state["digests"]) <= most for state in complete.states)
        assert run(api.name, api, INCREMENTAL, complete.state).records == []
        part = complete.cut(1 + cut % len(complete.batches))
        assert destination(part, run(api.name, api, INCREMENTAL, part.state)) == rows(api)
        observed = set(map(int, complete.state["digests"]))
        before = change(api, data)
        later = run(api.name, api, INCREMENTAL, complete.state).by_key()
        changed = {key: row for key, row in rows(api).items() if before.get(key) != row}
        assert later.items() <= changed.items()
        assert {key for key in changed if int(key) in observed or key not in before} <= set(later)


@exactly
@given(apis(least=1), st.integers(0, 30))
def test_no_id_in_a_state_is_ahead_of_the_records(api: ListApi, cut: int) -> None:
    complete = run(api.name, api, INCREMENTAL)
    part = complete.cut(1 + cut % len(complete.batches))
    emitted = {int(key) for key in part.by_key()}
    assert {key for key in api.ids if key <= part.state[str(STREAMS[api.name].cursor_field)]} <= emitted


@exactly
@given(apis(least=1, names=OLD_NAMES), st.booleans())
def test_a_server_that_ignores_since_id_is_an_error_and_no_loop(api: ListApi, incremental: bool) -> None:
    api.ignores_since = True
    part = Run(api.name)
    with pytest.raises(PaginationStuckError):
        run(api.name, api, INCREMENTAL if incremental else FULL, into=part)
    assert api.requests <= 3
    with pytest.raises(PaginationStuckError):
        run(api.name, api, INCREMENTAL, part.state)


@exactly
@given(apis(names=[ROUTING]), st.data(), st.booleans(), st.integers(0, 3))
def test_settings_that_always_come_complete_are_read_complete(
    api: ListApi, data: st.DataObject, incremental: bool, cut: int
) -> None:
    api.ignores_since = api.ignores_limit = True
    bounds = INCREMENTAL if incremental else FULL
    first = run(ROUTING, api, bounds)
    assert first.by_key() == rows(api)
    assert not doubles(first)
    assert api.requests <= 2
    part = first.cut(1 + cut % len(first.batches))
    rest = run(ROUTING, api, bounds, part.state)
    assert destination(part, rest) == rows(api)
    assert not doubles(part, rest)
    before = change(api, data)
    later = run(ROUTING, api, INCREMENTAL, first.state)
    assert later.by_key() == {key: row for key, row in rows(api).items() if before.get(key) != row}


@pytest.mark.parametrize("count", [99, 100, 101, 250])
@pytest.mark.parametrize("ignores_limit", [True, False])
def test_settings_that_cannot_be_paged_through_are_an_error_unless_they_came_complete(count: int, ignores_limit: bool) -> None:
    api = ListApi(
        ROUTING, [{key: {"limit": 1} for key in range(1, count + 1)}], ignores_since=True, ignores_limit=ignores_limit
    )
    if ignores_limit or count < 100:
        assert len(run(ROUTING, api, INCREMENTAL).records) == count
        assert api.requests <= 3
    else:
        with pytest.raises(PaginationStuckError):
            run(ROUTING, api, INCREMENTAL)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'[{"agent_id": 5,  "a": [1]}]', [b'{"agent_id": 5,  "a": [1]}']),
        (b'{"data": [{"agent_id": "5"}], "count": 1}', [b'{"agent_id": "5"}']),
        (b'{"data": [{"id": 5}]}', [b'{"id":5,"agent_id":5}']),
        (b'{"data": [{"id": 4, "agent_id": 5}]}', [b'{"id": 4, "agent_id": 5}']),
        (b'{"data": {"5": {"a": 1}, "6": {"agent_id": 6}}}', [b'{"a":1,"agent_id":5}', b'{"agent_id": 6}']),
        (b'{"data": {}}', []),
        (b"[]", []),
    ],
)
def test_settings_of_agents_are_identified_whatever_they_come_in(body: bytes, wanted: list[bytes]) -> None:
    assert [[bytes(raw) for raw in group] for group in agent_settings(body)] == [wanted]


@pytest.mark.parametrize(
    "body", [b"{}", b"null", b'{"data": null}', b'{"data": 5}', b"[5]", b'{"data": {"x": {}}}', b'{"data": {"5": 7}}']
)
def test_settings_of_agents_in_another_form_are_an_error(body: bytes) -> None:
    with pytest.raises((EnvelopeError, RecordShapeError)):
        run(ROUTING, fixed(body), INCREMENTAL)


def masked(record: bytes) -> bytes:
    return json.dumps(json.loads(record) | {"name": "#"}).encode()


def test_digests_are_those_of_redacted_records() -> None:
    stream = list_of(replace(ROUTING_LIST, redact=masked))
    api = ListApi(ROUTING, [{key: {"name": f"n{key}"} for key in range(1, 9)}])
    first = run(stream, api, INCREMENTAL)
    assert [(record["agent_id"], record["name"]) for record in first.records] == [(key, "#") for key in range(1, 9)]
    api.groups[0][3]["name"] = "another"
    api.groups[0][4]["skills"] = [1]
    assert list(run(stream, api, INCREMENTAL, first.state).by_key()) == ["4"]


def test_complete_lists_are_redacted_too() -> None:
    goals = WholeList("goals", "goals", array, redact=masked)
    ((batch,),) = goals.read(fixed(b'[{"id": 1, "name": "x"}]'), [None], INCREMENTAL)
    assert batch.records == [b'{"id": 1, "name": "#"}']


COMPLETE = [name for name, stream in STREAMS.items() if stream.cursor_field is None and stream.extraction is None]


def _array(row: dict[str, Any]) -> object:
    return [row]


ENVELOPES: dict[str, Callable[[dict[str, Any]], object]] = {
    "accounts": lambda row: row,
    "routing_settings": lambda row: {"data": row},
}


def answer(name: str, row: Any) -> bytes:
    return json.dumps(ENVELOPES.get(name, _array)(row)).encode()


def fixed(body: bytes) -> Any:
    def fetch(request: Request[Any]) -> Any:
        return request.decode(body)

    return fetch


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize(
    ("sent", "meant"), [(0, False), (1, True), (True, True), (False, False), (None, None), ("1", "1"), (2, 2)]
)
def test_a_whole_list_is_one_answer_with_enabled_as_a_boolean(name: str, sent: object, meant: object) -> None:
    row = {"id": "a", "account_key": "b", "enabled": sent, "other": {"enabled": 1}}
    found = run(name, fixed(answer(name, row)), INCREMENTAL)
    assert found.records == [{**row, "enabled": meant}]
    assert found.records[0]["enabled"] is meant
    assert STREAMS[name].load_state(found.state) is None


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("body", [b"null", b"7", b'"x"', b"[[]]", b"[1]", b'{"data": null}', b'{"data": [1]}', b'{"data": {}}'])
def test_an_answer_of_another_form_is_an_error_and_never_empty(name: str, body: bytes) -> None:
    with pytest.raises((EnvelopeError, RecordShapeError)):
        run(name, fixed(body), INCREMENTAL)


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"error": "x"}', b'{"ip_address": 5}', b'{"visitor": {"id": 1}}'])
def test_bans_in_another_form_are_an_error(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        run("bans", fixed(body), INCREMENTAL)


@pytest.mark.parametrize("empty", ["absent", "null", "empty"])
@exactly
@given(api=apis(names=["bans"]))
def test_an_absent_or_null_list_of_bans_is_an_empty_one_on_every_page(api: ListApi, empty: str) -> None:
    def fetch(request: Request[Any]) -> Any:
        return api(replace(request, decode=lambda body: request.decode(without_empty_lists(body, empty))))

    found = run("bans", fetch, INCREMENTAL)
    assert found.by_key() == rows(api)
    assert not found.notes
    probe("bans", fetch, INCREMENTAL)


def without_empty_lists(body: bytes, empty: str) -> bytes:
    lists = json.loads(body)
    if empty == "absent":
        lists = {name: found for name, found in lists.items() if found}
    return json.dumps({name: found or (None if empty == "null" else []) for name, found in lists.items()}).encode()


@pytest.mark.parametrize("name", ["agents", "bans", "accounts", "goals"])
def test_a_probe_is_one_request(name: str) -> None:
    body = b"{}" if name == "bans" else answer(name, {"id": 1, "account_key": "a"})
    asked: list[object] = []

    def fetch(request: Request[Any]) -> Any:
        asked.append((request.path, request.params))
        assert request.attempts == FEW_ATTEMPTS
        return request.decode(body)

    probe(name, fetch, INCREMENTAL)
    assert len(asked) == 1


def test_no_page_is_larger_than_agents_accept() -> None:
    assert id_list.ID_PAGE_SIZE <= 100
