"""Waits do not look like death: Airbyte's heartbeat counts RECORD and STATE and nothing else."""

import io
import json
from typing import Any

from tests.support.clock import NOW, FakeClock
from tests.support.protocol import check_read
from zendesk_chat.airbyte.inputs import NO_CURSOR_STATE
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.read import KEEP_ALIVE_SECONDS, EventWriter
from zendesk_chat.engine.events import (
    Event,
    Heartbeat,
    Note,
    PageRead,
    RateLimited,
    StreamCompleted,
    StreamStarted,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.record_lines import RECORDS_PER_WRITE

SAVED = {"update_timestamp": "2026-01-01T00:00:00Z"}
READ = {"update_timestamp": "2026-02-01T00:00:00Z"}


def written(*story: Event | float, **states: Any) -> bytes:
    """What is written of events, with seconds passing between them."""
    clock, out = FakeClock(), io.BytesIO()
    out_events = EventWriter(Writer(out, clock), clock, states)
    for event in story:
        if isinstance(event, int | float):
            clock.time += event
        else:
            out_events.write(event)
    return out.getvalue()


def states(output: bytes) -> list[tuple[str, Any, float]]:
    messages = [json.loads(line) for line in output.splitlines()]
    found = [message["state"] for message in messages if message["type"] == "STATE"]
    return [
        (state["stream"]["stream_descriptor"]["name"], state["stream"]["stream_state"], state["sourceStats"]["recordCount"])
        for state in found
    ]


def test_a_long_wait_repeats_the_last_state_each_half_minute() -> None:
    waits: list[Event | float] = [5.0, Heartbeat()] * 13  # more than a minute
    output = written(
        StreamStarted("chats"),
        PageRead("chats", [b'{"id":1}'], READ),
        RateLimited("chats", NOW + 60),
        *waits,
        PageRead("chats", [b'{"id":1}'], READ | {"n": 2}),
        StreamCompleted("chats", SyncStats()),
        chats=NO_CURSOR_STATE,
    )
    assert states(output) == [
        ("chats", READ, 1.0),
        ("chats", READ, 0.0),
        ("chats", READ, 0.0),
        ("chats", READ | {"n": 2}, 1.0),
    ]
    check_read(output, ["chats"])


def test_logs_and_statuses_do_not_put_it_off() -> None:
    story: list[Event | float] = []
    for _ in range(10):
        story += [10.0, Note("WARN", "HTTP 500. Trying again."), RateLimited("chats", NOW + 60)]
    assert len(states(written(StreamStarted("chats"), *story, chats=SAVED))) == 100 // KEEP_ALIVE_SECONDS


def test_before_the_first_page_the_saved_state_is_repeated_or_an_empty_one() -> None:
    wait = (KEEP_ALIVE_SECONDS, Heartbeat())
    assert states(written(StreamStarted("chats"), *wait, chats=SAVED)) == [("chats", SAVED, 0.0)]
    assert states(written(StreamStarted("chats"), *wait, chats=NO_CURSOR_STATE)) == [("chats", NO_CURSOR_STATE, 0.0)]


def test_a_stream_that_has_not_begun_or_has_ended_is_left_alone() -> None:
    wait = (KEEP_ALIVE_SECONDS, Heartbeat())
    assert states(written(*wait, chats=SAVED)) == []
    done = (StreamStarted("goals"), PageRead("goals", [], {}), StreamCompleted("goals", SyncStats()))
    assert states(written(*done, *wait, goals=NO_CURSOR_STATE, chats=SAVED)) == [("goals", NO_CURSOR_STATE, 0.0)]


def test_while_records_flow_nothing_is_repeated() -> None:
    story: list[Event | float] = []
    for number in range(10):
        story += [20.0, PageRead("chats", [b'{"id":1}'], {"n": number})]
    assert [count for _, _, count in states(written(StreamStarted("chats"), *story, chats=SAVED))] == [1.0] * 10


def test_records_are_written_a_few_at_a_time_so_that_no_page_is_held_twice() -> None:
    class Out(io.BytesIO):
        def __init__(self) -> None:
            super().__init__()
            self.sizes: list[int] = []

        def write(self, data: Any) -> int:
            self.sizes.append(bytes(data).count(b"\n"))
            return super().write(data)

    out = Out()
    records = [b'{"id":%d}' % number for number in range(2 * RECORDS_PER_WRITE + 3)]
    Writer(out, FakeClock()).records("chats", records)
    assert out.sizes == [RECORDS_PER_WRITE, RECORDS_PER_WRITE, 3]
    assert [json.loads(line)["record"]["data"] for line in out.getvalue().splitlines()] == list(map(json.loads, records))
