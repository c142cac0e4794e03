"""Switching from Airbyte's own connector and back: with its configs, catalogs and states of every version, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.airbyte_state import (
    CURSORS,
    KEYS,
    SECOND,
    AirbyteConnector,
    CrashError,
    catalog_of_its_own,
    identity,
    micros,
    state_message,
)
from tests.support.executable import execute, files, read_process
from tests.support.in_process import assert_complete, read_here
from tests.support.protocol import Output, check_read, stream_of
from tests.support.sandbox import by_content, config_of, truth
from zendesk_chat_sandbox import Fault, Sandbox, Switches

pytestmark = [pytest.mark.long, pytest.mark.unmeasured]  # it runs complete reads

HISTORY_UNTIL = "2026-03-01T12:00:00Z"
MARKER = {"__ab_no_cursor_state_message": True}
TIMES = ("chats", "agent_timeline")
IDS = ("agents", "bans")


def account(chats: int = 300, **switches: Any) -> Sandbox:
    """An account of small pages whose history ended long ago, so that nothing depends on the last minutes."""
    given = {"rate_limit": 0, "export_page_cap": 100, "recent_window": "allow", **switches}
    return Sandbox(chats=chats, history_until=HISTORY_UNTIL, switches=Switches(**given))


def second_of(stream: str, record: Mapping[str, Any]) -> int:
    return micros(record[CURSORS[stream]]) // SECOND


def iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def middle(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


@dataclass(frozen=True)
class Point:
    """How far Airbyte's connector had read in the end: the last second of the exports, the last id of the lists."""

    chats: int
    agent_timeline: int
    agents: int
    bans: int

    def is_behind(self, stream: str, record: Mapping[str, Any]) -> bool:
        """Whether a record is to come: what is behind the point, and again what lies at its very second."""
        if stream not in CURSORS:
            return True
        reached: int = getattr(self, stream)
        return second_of(stream, record) >= reached if stream in TIMES else int(record["id"]) > reached


def halfway(sandbox: Sandbox) -> Point:
    times = {stream: middle([second_of(stream, record) for record in truth(sandbox, stream)]) for stream in TIMES}
    ids = {stream: middle([int(record["id"]) for record in truth(sandbox, stream)]) for stream in IDS}
    return Point(**times, **ids)


# What each generation of it left behind.


def flat_config(config: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in config.items() if key != "credentials"}
    return {**rest, "access_token": config["credentials"]["access_token"]}


def oauth_config(config: Mapping[str, Any]) -> dict[str, Any]:
    token = config["credentials"]["access_token"]
    client = {"client_id": "client-of-ours", "client_secret": "secret-of-ours", "refresh_token": "refresh-of-ours"}
    return {**config, "credentials": {"credentials": "oauth2.0", "access_token": token, **client}}


def with_strangers(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **config,
        "__injected_components_py": None,
        "num_workers": 3,
        "credentials": {**config["credentials"], "option_title": "x"},
    }


def iso_blobs(point: Point) -> dict[str, Any]:
    return {
        "chats": {"update_timestamp": iso(point.chats)},
        "agent_timeline": {"start_time": iso(point.agent_timeline)},
        "agents": {"id": point.agents},
        "bans": {"id": point.bans},
    }


def seconds_blobs(point: Point) -> dict[str, Any]:
    times = {"chats": {"update_timestamp": str(point.chats)}, "agent_timeline": {"start_time": str(point.agent_timeline)}}
    return {**iso_blobs(point), **times}


def micros_blobs(point: Point) -> dict[str, Any]:
    return {**seconds_blobs(point), "agent_timeline": {"start_time": str(point.agent_timeline * SECOND)}}


def number_blobs(point: Point) -> dict[str, Any]:
    times = {"chats": {"update_timestamp": point.chats}, "agent_timeline": {"start_time": point.agent_timeline * SECOND}}
    return {**iso_blobs(point), **times}


def messages(blobs: Mapping[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [state_message(stream, blob, **more) for stream, blob in blobs.items()]


def markers() -> dict[str, Any]:
    return {stream: MARKER for stream in KEYS if stream not in CURSORS}


@dataclass(frozen=True)
class Era:
    """Versions that left the same things behind: what they make of a config, the entries of a catalog, the state."""

    config: Callable[[Mapping[str, Any]], dict[str, Any]]
    catalog: Mapping[str, Any]
    state: Callable[[Point], Any]


FULL = {"generation_id": 4, "minimum_generation_id": 0, "sync_id": 77, "include_files": None, "destination_object_name": None}
ERAS = {
    "0.1.0 to 0.1.5: flat config, dict of ISO seconds": Era(flat_config, {}, iso_blobs),
    "0.1.9: the dict as a message": Era(dict, {}, lambda point: {"type": "LEGACY", "data": iso_blobs(point)}),
    "0.1.9: the dict as a list of one": Era(dict, {}, lambda point: [{"data": iso_blobs(point)}]),
    "0.1.10 to 0.2.2: a message a stream": Era(flat_config, {"cursor_field": None}, lambda point: messages(iso_blobs(point))),
    "0.3.0 to 1.0.4: epoch seconds": Era(dict, {"generation_id": None}, lambda point: messages(seconds_blobs(point))),
    "1.1.0 to 1.3: seconds and microseconds": Era(
        oauth_config,
        FULL,
        lambda point: messages({**markers(), **micros_blobs(point)}, sourceStats={"recordCount": 0.0}, id=9),
    ),
    "1.3 with every optional key null": Era(
        with_strangers,
        dict.fromkeys(FULL),
        lambda point: messages({**micros_blobs(point), **markers()}, data=None, destinationStats=None, **{"global": None}),
    ),
    "edited by hand: numbers": Era(
        dict, {"primary_key": [["agent_id"], ["start_time"]]}, lambda point: messages(number_blobs(point))
    ),
}


def read(sandbox: Sandbox, era: Era, state: Any) -> Output:
    done = read_process(era.config(config_of(sandbox)), catalog_of_its_own(**era.catalog), state)
    assert (done.code, done.stderr) == (0, "")
    output = check_read(done.stdout, KEYS)
    assert output.errors == []
    return output


@pytest.mark.parametrize("name", ERAS)
def test_we_resume_exactly_where_it_stopped(name: str) -> None:
    era = ERAS[name]
    with account() as sandbox:
        point = halfway(sandbox)
        first = read(sandbox, era, era.state(point))
        for stream in KEYS:
            expected = [record for record in truth(sandbox, stream) if point.is_behind(stream, record)]
            assert by_content(first.records[stream]) == by_content(expected), stream
        assert all(0 < len(first.records[stream]) < len(truth(sandbox, stream)) for stream in CURSORS)

        changed = change_old_records(sandbox, point) | {sandbox.account.add_chat(at="2026-03-02T00:00:00Z")["id"]}
        second = read(sandbox, era, first.last_state)
        for stream in CURSORS:
            expected = [record for record in truth(sandbox, stream) if record["id"] in changed]
            assert by_content(second.records[stream]) == by_content(expected), stream
        third = read(sandbox, era, second.last_state)
        assert not any(third.records[stream] for stream in CURSORS)


def change_old_records(sandbox: Sandbox, point: Point) -> set[Any]:
    """Change a chat, an agent and a ban that it had read (it would not notice the latter two) and return their ids."""
    chat, agent, ban = (
        next(record["id"] for record in truth(sandbox, stream) if not point.is_behind(stream, record))
        for stream in ("chats", "agents", "bans")
    )
    sandbox.account.edit_chat(chat, at="2026-03-02T01:00:00Z", rating="bad")
    sandbox.account.edit("agents", agent, {"display_name": "Renamed"})
    sandbox.account.edit("bans", ban, {"reason": "Changed"})
    return {chat, agent, ban}


def test_epoch_seconds_of_agent_timeline_are_no_microseconds_of_1970() -> None:
    """Versions 1.1 to 1.3 read them so and export everything again."""
    with account() as sandbox:
        point = halfway(sandbox)
        old = seconds_blobs(point)["agent_timeline"]
        everything, _ = AirbyteConnector(sandbox).read("agent_timeline", old)
        assert len(everything) == len(truth(sandbox, "agent_timeline"))
        sandbox.clear_requests()
        _, output = read_here(
            config_of(sandbox), catalog_of_its_own(["agent_timeline"]), [state_message("agent_timeline", old)]
        )
        assert len(output.records["agent_timeline"]) < len(everything)
        asked = [int(request.query["start_time"]) for request in sandbox.requests]
        assert min(asked) == point.agent_timeline * SECOND - 1


def test_a_state_older_than_the_start_date_leaves_no_gap() -> None:
    """Airbyte's connector resumes from the later of the two."""
    with account() as sandbox:
        point = halfway(sandbox)
        config = config_of(sandbox, start_date="2026-02-28T00:00:00Z")
        state = messages(micros_blobs(point))
        skipping = AirbyteConnector(sandbox, start=micros(config["start_date"]) // SECOND)
        _, output = read_here(config, catalog_of_its_own(TIMES), state)
        for stream in TIMES:
            expected = [record for record in truth(sandbox, stream) if point.is_behind(stream, record)]
            assert by_content(output.records[stream]) == by_content(expected)
            assert len(skipping.read(stream, micros_blobs(point)[stream])[0]) < len(expected)


@pytest.mark.parametrize("stream", TIMES)
def test_a_stream_that_it_froze_in_the_future_moves_again(stream: str) -> None:
    frozen = {"chats": {"update_timestamp": "4102444800"}, "agent_timeline": {"start_time": "4102444800000000"}}[stream]
    with account() as sandbox:
        assert AirbyteConnector(sandbox).read(stream, frozen) == ([], frozen)
        _, first = read_here(config_of(sandbox), catalog_of_its_own([stream]), [state_message(stream, frozen)])
        assert any("is in the future" in line for line in first.logs("WARN"))
        (new,) = sandbox.account.add_generated(stream, 1)
        _, second = read_here(config_of(sandbox), catalog_of_its_own([stream]), first.last_state)
        assert [record[CURSORS[stream]] for record in second.records[stream]] == [new[CURSORS[stream]]]


def test_what_it_missed_in_lists_comes_with_a_refresh() -> None:
    """Its state holds the last id that it read: neither what those records held, nor whether there were fewer of them."""
    with account() as sandbox:
        agents = catalog_of_its_own(["agents"])
        seen, state = AirbyteConnector(sandbox).read("agents", None)
        sandbox.account.edit("agents", seen[0]["id"], {"display_name": "Renamed before the switch"})
        sandbox.account.add("agents", {**seen[0], "id": seen[0]["id"] - 1})
        _, first = read_here(config_of(sandbox), agents, [state_message("agents", state)])
        assert first.records["agents"] == []
        _, refreshed = read_here(config_of(sandbox), agents)
        assert_complete(sandbox, "agents", refreshed.records["agents"])


def test_spans_get_keys_of_their_own_beside_the_cut_ones() -> None:
    """Two spans of one agent within a second have one key there and two here."""
    with account() as sandbox:
        _, output = read_here(config_of(sandbox), catalog_of_its_own(["agent_timeline"]))
        spans = output.records["agent_timeline"]
    cut = {f"{span['agent_id']}|{iso(second_of('agent_timeline', span))}" for span in spans}
    assert len({span["id"] for span in spans}) == len(spans) > len(cut)
    assert all(span["id"] == f"{span['agent_id']}|{span['start_time']}" and "." in span["id"] for span in spans)


@pytest.mark.parametrize("name", ERAS)
def test_its_configs_pass_the_check(name: str, tmp_path: Path) -> None:
    with account(chats=5) as sandbox:
        config = ERAS[name].config(config_of(sandbox))
        done = execute("check", *files(tmp_path, config=config))
    (status,) = done.output.payloads("CONNECTION_STATUS")
    unknown = " Unknown key `num_workers`." if "num_workers" in config else ""
    assert status["status"] == "SUCCEEDED"
    assert status["message"].startswith(f"All 21 streams can be read.{unknown}")


@pytest.mark.parametrize("subdomain", [None, ""])
def test_a_config_of_the_first_versions_without_a_subdomain_gets_a_message(subdomain: str | None, tmp_path: Path) -> None:
    config = {"start_date": "2021-02-01T00:00:00Z", "access_token": "sandbox-token", "subdomain": subdomain}
    done = execute("check", *files(tmp_path, config=config))
    (status,) = done.output.payloads("CONNECTION_STATUS")
    assert status == {"status": "FAILED", "message": "Config validation error: subdomain: missing."}


def test_discover_gives_its_streams_with_their_keys_and_cursors(tmp_path: Path) -> None:
    token = {"credentials": "access_token", "access_token": "sandbox-token"}
    config = {"start_date": "2021-02-01T00:00:00Z", "subdomain": "acme", "credentials": token}
    (catalog,) = execute("discover", *files(tmp_path, config=config)).output.payloads("CATALOG")
    found = {stream["name"]: stream for stream in catalog["streams"]}
    assert [name for name in found if name in KEYS] == list(KEYS)
    for name, stream in ((name, found[name]) for name in KEYS):
        assert stream["source_defined_primary_key"] == ([[KEYS[name]]] if KEYS[name] else [])
        assert stream.get("default_cursor_field") == ([CURSORS[name]] if name in CURSORS else None)
        assert "namespace" not in stream


# And back.


def states_with_records_before(output: Output, stream: str) -> list[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
    """Each state of a stream, and the records that were out before it."""
    found: list[tuple[Mapping[str, Any], list[dict[str, Any]]]] = []
    records: list[dict[str, Any]] = []
    for message in output.messages:
        if stream_of(message) != stream:
            continue
        if message["type"] == "RECORD":
            records.append(message["record"]["data"])
        elif message["type"] == "STATE":
            found.append((message["state"]["stream"]["stream_state"], list(records)))
    return found


def identities(stream: str, records: list[dict[str, Any]]) -> set[str]:
    return {identity(stream, record) for record in records}


def assert_it_resumes_from_each_state(sandbox: Sandbox, output: Output, known: Mapping[str, list[dict[str, Any]]]) -> int:
    """From any state that a run leaves, Airbyte's connector reads the rest. Returns the number of states."""
    states = 0
    for stream in CURSORS:
        complete = identities(stream, truth(sandbox, stream))
        for state, before in states_with_records_before(output, stream):
            rest, _ = AirbyteConnector(sandbox).read(stream, state)
            assert identities(stream, [*known.get(stream, []), *before, *rest]) >= complete, (stream, state)
            states += 1
    return states


@pytest.mark.parametrize("switches", [{}, {"short_page_every": 2}, {"bans_limit": "list"}, {"start_id": "inclusive"}], ids=str)
def test_from_each_of_our_states_it_reads_the_rest(switches: dict[str, Any]) -> None:
    with account(**switches) as sandbox:
        output = check_read(read_process(config_of(sandbox), catalog_of_its_own(CURSORS)).stdout, CURSORS)
        assert assert_it_resumes_from_each_state(sandbox, output, {}) > 10


def test_from_each_state_of_windows_read_side_by_side_it_reads_the_rest() -> None:
    with account(chats=900, export_page_cap=40) as sandbox:
        sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=0.3, times=None))
        config = config_of(sandbox, request_timeout_seconds=60)
        output = check_read(read_process(config, catalog_of_its_own(["chats"])).stdout, ["chats"])
        sandbox.clear_faults()
        sandbox.switch(export_page_cap=0)
        assert [state for state in output.states["chats"] if state.get("completed_ranges")], "read in several windows"
        assert assert_it_resumes_from_each_state(sandbox, output, {}) > 10


def test_from_each_state_that_grew_out_of_its_own_it_reads_the_rest() -> None:
    with account() as sandbox:
        point = halfway(sandbox)
        known = {stream: [r for r in truth(sandbox, stream) if not point.is_behind(stream, r)] for stream in CURSORS}
        done = read_process(config_of(sandbox), catalog_of_its_own(CURSORS), messages(micros_blobs(point)))
        output = check_read(done.stdout, CURSORS)
        assert assert_it_resumes_from_each_state(sandbox, output, known) > 5


def test_back_it_reads_again_what_lies_at_our_position_and_no_more() -> None:
    with account() as sandbox:
        _, output = read_here(config_of(sandbox), catalog_of_its_own(CURSORS))
        for stream in CURSORS:
            read_before = truth(sandbox, stream)
            last = max(record[CURSORS[stream]] for record in read_before)
            expected = [record for record in read_before if record[CURSORS[stream]] == last]
            if stream == "chats":
                expected.append(sandbox.account.add_chat(at="2026-03-02T00:00:00Z"))
            records, _ = AirbyteConnector(sandbox).read(stream, output.states[stream][-1])
            assert identities(stream, records) == identities(stream, expected), stream


@pytest.mark.parametrize("keeps_strangers", [True, False])
def test_there_and_back_and_there_again(keeps_strangers: bool) -> None:
    """Airbyte's CDK keeps the fields of a state that it does not know, so ours come back stale; or they are cleared."""
    with account() as sandbox:
        theirs = AirbyteConnector(sandbox, keeps_strangers=keeps_strangers)
        held: dict[str, list[dict[str, Any]]] = {stream: [] for stream in CURSORS}
        blobs: dict[str, Any] = {}
        for turn in range(5):
            sandbox.account.add_chats(3, at=f"2026-03-0{turn + 2}T00:00:00Z")
            sandbox.account.edit_chat(sandbox.account.chat_ids()[turn], at=f"2026-03-0{turn + 2}T00:00:00Z", rating="good")
            sandbox.account.add_generated("agent_timeline", 3, at=f"2026-03-0{turn + 2}T00:00:00Z")
            for stream in IDS:
                add_at_the_end(sandbox, stream)
            blobs = a_turn(sandbox, theirs if turn % 2 == 0 else None, blobs, held)
            for stream in CURSORS:
                assert identities(stream, held[stream]) >= identities(stream, truth(sandbox, stream)), (turn, stream)


def add_at_the_end(sandbox: Sandbox, stream: str) -> None:
    """Add a record with the highest id, or Airbyte's connector would not find it."""
    last = max(truth(sandbox, stream), key=lambda record: int(record["id"]))
    sandbox.account.add(stream, {**last, "id": last["id"] + 3})


def a_turn(
    sandbox: Sandbox, theirs: AirbyteConnector | None, blobs: Mapping[str, Any], held: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """One sync, by Airbyte's connector or by us. Returns the states it leaves."""
    if theirs:
        turns = {stream: theirs.read(stream, blobs.get(stream)) for stream in CURSORS}
    else:
        done = read_process(config_of(sandbox), catalog_of_its_own(CURSORS), messages(blobs))
        output = check_read(done.stdout, CURSORS)
        assert (done.code, output.errors) == (0, [])
        turns = {stream: (output.records[stream], dict(output.states[stream][-1])) for stream in CURSORS}
    for stream, (records, _) in turns.items():
        held[stream] += records
    return {stream: state for stream, (_, state) in turns.items()}


def test_our_fields_that_came_back_stale_cost_requests_and_its_own_alone_do_not() -> None:
    """The advice to leave only its own field when switching to us again."""
    chats = catalog_of_its_own(["chats"])
    with account() as sandbox:
        _, ours = read_here(config_of(sandbox), chats)
        sandbox.account.add_chats(7, at="2026-03-02T00:00:00Z")
        last = sandbox.account.add_chat(at="2026-03-03T00:00:00Z")
        _, theirs = AirbyteConnector(sandbox).read("chats", ours.states["chats"][-1])
        own = {"update_timestamp": theirs["update_timestamp"]}
        _, with_stale = read_here(config_of(sandbox), chats, [state_message("chats", theirs)])
        _, with_own = read_here(config_of(sandbox), chats, [state_message("chats", own)])
        assert len(with_stale.records["chats"]) == 8
        assert [record["id"] for record in with_own.records["chats"]] == [last["id"]]


def test_a_start_id_that_came_back_stale_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left in a crowded second, our state names an id in it; Airbyte's connector moves the time on and keeps the id."""
    monkeypatch.setattr("zendesk_chat.streams.exports.windows.MAX_REMEMBERED", 20)
    chats = catalog_of_its_own(["chats"])
    with account(export_page_cap=40) as sandbox:
        _, output = read_here(config_of(sandbox), chats)
        held, ours = next((before, state) for state, before in states_with_records_before(output, "chats") if state["start_id"])
        rest, theirs = AirbyteConnector(sandbox).read("chats", ours)
        assert (theirs["start_id"], int(theirs["update_timestamp"])) == (ours["start_id"], second_of("chats", rest[-1]))
        late = sandbox.account.add_chat({**rest[-1], "id": "0001.late"})  # in the very second at which that sync ended
        _, last = read_here(config_of(sandbox), chats, [state_message("chats", theirs)])
        assert identities("chats", [*held, *rest]) == identities("chats", truth(sandbox, "chats")) - identities("chats", [late])
        assert late["id"] in {record["id"] for record in last.records["chats"]}


def test_the_model_fails_where_airbytes_connector_does() -> None:
    """Or it would prove nothing."""
    with account(chats=5) as sandbox:
        for stream, state in [
            ("agents", {"id": "1002"}),
            ("chats", {"update_timestamp": "2026-03-01T12:00:00.123456Z"}),
            ("agent_timeline", {"start_time": "soon"}),
        ]:
            with pytest.raises(CrashError):
                AirbyteConnector(sandbox).read(stream, state)
