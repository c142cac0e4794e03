"""Streams derived from chats: each page is fetched once for all of them, and each resumes from its own state."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.executable import EXECUTABLE, environment, files
from tests.support.in_process import assert_complete, catalog_of, read_here
from tests.support.protocol import Output, check_read
from tests.support.sandbox import DERIVED, by_content, config_of, small, truth
from zendesk_chat_sandbox import Sandbox, Switches

pytestmark = pytest.mark.unmeasured  # it runs complete reads

FEED = ("chats", *DERIVED)
PATH = "/api/v2/chat/incremental/chats"
MOST_MEMORY_MB = 160
MEASURED = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as out:
    code = subprocess.run(sys.argv[2:], stdout=out, check=False).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def read(sandbox: Sandbox, streams: Iterable[str], state: Any = None, **catalog: Any) -> tuple[Output, list[str]]:
    """A complete read of these streams, and where the pages of chats began that it asked for."""
    sandbox.clear_requests()
    code, output = read_here(config_of(sandbox), catalog_of(streams, **catalog), state)
    assert (code, output.errors) == (0, [])
    pages = [request.query for request in sandbox.requests if request.path == PATH]
    begins = [f"{query['start_time']} {query.get('start_id', '')}" for query in pages]
    assert len(begins) == len(set(begins)), "a page was fetched twice"
    return output, begins


def chat_of(sandbox: Sandbox, identity: str) -> Any:
    """A chat as the account holds it."""
    return sandbox.account.chat(identity)


def cuts(output: Output) -> Iterator[tuple[Mapping[str, Sequence[Any]], list[dict[str, Any]]]]:
    """For each state, what a destination has committed and the platform has stored of a read that ended there."""
    waiting: dict[str, list[Any]] = defaultdict(list)
    committed: dict[str, list[Any]] = defaultdict(list)
    states: dict[str, dict[str, Any]] = {}
    for message in output.messages:
        if message["type"] == "RECORD":
            waiting[message["record"]["stream"]].append(message["record"]["data"])
        elif message["type"] == "STATE":
            name = message["state"]["stream"]["stream_descriptor"]["name"]
            committed[name] += waiting.pop(name, [])
            states[name] = message["state"]
            yield {stream: list(records) for stream, records in committed.items()}, list(states.values())


@pytest.mark.parametrize("full_refresh", [False, True])
def test_however_many_of_them_are_read_the_pages_are_those_of_chats_alone(full_refresh: bool) -> None:
    with small() as sandbox:
        _, alone = read(sandbox, ["chats"], full_refresh=full_refresh)
        output, together = read(sandbox, FEED, full_refresh=full_refresh)
        assert together == alone
        assert len(together) >= 3
        for stream in FEED:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream)), stream
            assert len(output.states[stream]) >= 3, stream


@pytest.mark.parametrize("stream", DERIVED)
def test_each_can_be_read_without_chats(stream: str) -> None:
    with small() as sandbox:
        output, _ = read(sandbox, [stream])
        assert set(output.records) == {stream}
        assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))
        again, _ = read(sandbox, [stream], output.last_state)
        assert again.records == {}


def test_an_edited_chat_comes_again_with_all_that_it_has_and_nothing_else_does() -> None:
    with small() as sandbox:
        first, _ = read(sandbox, FEED)
        identity = next(chat["id"] for chat in truth(sandbox, "chats") if len(chat.get("history", [])) > 4)
        history = chat_of(sandbox, identity)["history"]
        visitor = {"id": chat_of(sandbox, identity)["visitor"]["id"], "name": "Renamed", "email": "new@example.com"}
        sandbox.account.edit_chat(identity, history=[*history[:2], *history[3:]], webpath=[], visitor=visitor)
        second, _ = read(sandbox, FEED, first.last_state)
        assert [chat["id"] for chat in second.records["chats"]] == [identity]
        for stream in DERIVED:
            expected = DERIVED[stream](second.records["chats"])
            assert by_content(second.records[stream]) == by_content(expected), stream
        assert len(second.records["chat_events"]) == len(history) - 1
        assert second.records["chat_webpaths"] == []
        assert [seen["name"] for seen in second.records["visitors"]] == ["Renamed"]
        third, _ = read(sandbox, FEED, second.last_state)
        assert third.records == {}


def test_a_visitor_is_as_in_the_latest_chat_even_if_an_older_one_is_edited_later() -> None:
    with small(chats=120) as sandbox:
        old, new = (sandbox.account.chat_ids()[index] for index in (10, 60))
        same = chat_of(sandbox, old)["visitor"]["id"]
        sandbox.account.edit_chat(old, timestamp="2026-01-01T00:00:00Z")
        sandbox.account.edit_chat(new, visitor={"id": same, "name": "Latest"}, timestamp="2026-01-02T00:00:00Z")
        first, _ = read(sandbox, ["visitors"])
        sandbox.account.edit_chat(old, visitor={"id": same, "name": "Older"})
        second, _ = read(sandbox, ["visitors"], first.last_state)
        assert [seen["name"] for seen in second.records["visitors"]] == ["Older"], "the cursor decides which is newer"
        (expected,) = [seen for seen in truth(sandbox, "visitors") if seen["id"] == same]
        assert expected["name"] == "Latest"
        assert_complete(sandbox, "visitors", first.records["visitors"], second.records["visitors"])


def test_visitors_who_return_are_complete_after_pages_that_hold_some_of_their_chats() -> None:
    with Sandbox(chats=400, switches=Switches(rate_limit=0, export_page_cap=50)) as sandbox:
        output, _ = read(sandbox, ["visitors"])
        seen = [record["id"] for record in output.records["visitors"]]
        assert len(truth(sandbox, "visitors")) == len(set(seen)) < len(seen) < 400
        assert_complete(sandbox, "visitors", output.records["visitors"])


def test_one_that_is_added_later_catches_up_alone_and_is_read_with_the_others_then() -> None:
    with small() as sandbox:
        first, _ = read(sandbox, ["chats", "chat_events"])
        _, from_the_start = read(sandbox, ["visitors"])
        second, catching_up = read(sandbox, ["chats", "chat_events", "visitors"], first.last_state)
        assert len(catching_up) <= len(from_the_start) + 1
        assert set(second.records) == {"visitors"}
        assert by_content(second.records["visitors"]) == by_content(truth(sandbox, "visitors"))

        new: Any = sandbox.account.add_chat()
        _, alone = read(sandbox, ["chats"], second.last_state)
        third, together = read(sandbox, ["chats", "chat_events", "visitors"], second.last_state)
        assert together == alone
        assert [chat["id"] for chat in third.records["chats"]] == [new["id"]]
        assert by_content(third.records["chat_events"]) == by_content(DERIVED["chat_events"]([new]))
        assert [seen["id"] for seen in third.records["visitors"]] == [new["visitor"]["id"]]


def test_a_read_that_is_killed_between_any_two_states_is_completed_and_nothing_comes_twice() -> None:
    with small(chats=130, export_page_cap=50) as sandbox:
        complete, pages = read(sandbox, FEED)
        positions = list(cuts(complete))
        assert len({str(sorted(len(records) for records in committed.values())) for committed, _ in positions}) > len(FEED)
        for committed, state in positions:
            rest, asked = read(sandbox, FEED, state)
            assert len(asked) <= len(pages) + 1
            for stream in FEED:
                before = committed.get(stream, [])
                assert by_content([*before, *rest.records[stream]]) == by_content(truth(sandbox, stream)), stream


def test_states_at_different_positions_become_one_while_the_account_changes() -> None:
    with small(chats=130, export_page_cap=50) as sandbox:
        complete, _ = read(sandbox, FEED)
        positions = list(cuts(complete))
        committed, state = positions[len(positions) // 2]
        edited = [chat["id"] for chat in truth(sandbox, "chats") if chat.get("history")][::40]
        for identity in edited:
            sandbox.account.edit_chat(identity, tags=["late"], history=chat_of(sandbox, identity)["history"][1:])
        second, _ = read(sandbox, FEED, state)
        assert_complete(sandbox, "chats", committed.get("chats", []), second.records["chats"])
        for stream in set(DERIVED) - {"visitors"}:
            at = "chat_update_timestamp"
            now = {chat["id"]: chat["update_timestamp"] for chat in truth(sandbox, "chats")}
            held = [*committed.get(stream, []), *second.records[stream]]
            current = [record for record in held if record[at] == now[record["chat_id"]]]
            assert by_content(current) == by_content(truth(sandbox, stream)), stream
        _, alone = read(sandbox, ["chats"], second.last_state)
        third, together = read(sandbox, FEED, second.last_state)
        assert (third.records, together) == ({}, alone)


def test_the_state_of_one_that_cannot_be_read_fails_it_alone() -> None:
    with small(chats=120) as sandbox:
        bad = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "visitors"}, "stream_state": {"x": 5}}}
        code, output = read_here(config_of(sandbox), catalog_of(FEED), [bad])
        assert code == 1
        assert [stream for stream, ending in output.endings.items() if ending == "INCOMPLETE"] == ["visitors"]
        assert output.error_of("visitors")["failure_type"] == "config_error"
        for stream in set(FEED) - {"visitors"}:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))


def test_when_chats_cannot_be_read_all_of_them_say_so() -> None:
    with small(chats=20) as sandbox:
        sandbox.switch(unavailable={"incremental/chats": 403})
        code, output = read_here(config_of(sandbox), catalog_of([*FEED, "goals"]))
        assert code == 1
        assert output.endings == {**dict.fromkeys(FEED, "INCOMPLETE"), "goals": "COMPLETE"}
        assert {output.error_of(stream)["failure_type"] for stream in FEED} == {"config_error"}


def test_pages_of_a_thousand_chats_and_all_derived_records_take_bounded_memory(tmp_path: Path) -> None:
    with small(chats=2500, export_page_cap=0) as sandbox:
        options = files(tmp_path, config=config_of(sandbox, request_timeout_seconds=60), catalog=catalog_of(FEED))
        command = [sys.executable, "-c", MEASURED, str(tmp_path / "out"), str(EXECUTABLE), "read", *options]
        measured = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), timeout=100, check=True)
        expected = {stream: len(truth(sandbox, stream)) for stream in FEED}
    code, memory = map(int, measured.stdout.split())
    assert code == 0
    output = check_read((tmp_path / "out").read_bytes(), FEED)
    assert {stream: len(output.records[stream]) for stream in FEED} == expected
    assert 20_000 < memory < MOST_MEMORY_MB * 1024
