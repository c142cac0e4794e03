"""How far a load is, as numbers and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from tests.support.clock import NOW, FakeClock
from tests.support.loads import page
from zendesk_chat.engine.events import (
    Event,
    RateLimited,
    Retrying,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ServerError, UnavailableError
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.progress import RunProgress
from zendesk_chat.load.progress_table import ProgressTable

NAMES = ("accounts", "agents", "agent_routing_settings", "chats", "chat_events", "goals", "skills")
TROUBLE = "chats: Zendesk responded with HTTP 500. Retrying in 8 s (attempt 2)."
LACKING = UnavailableError("The plan has no goals.", status=403)


def read(stream: str, emitted: int, share: float | None = None, requests: int = 1) -> Event:
    return replace(page(stream, []), progress=share, stats=SyncStats(emitted=emitted, requests=requests))


def a_run(clock: FakeClock, names: Sequence[str] = NAMES) -> RunProgress:
    """A run of 72 seconds: streams in every state, out of order."""
    progress = RunProgress.of(names, clock.monotonic)
    events: list[Event | Saved] = [
        StreamStarted("skills"),
        StreamStarted("accounts"),
        StreamCompleted("accounts", SyncStats(emitted=1, requests=1)),
        *map(StreamStarted, ("agents", "chats", "chat_events", "goals")),
        read("agents", 100),
        read("chats", 1_000, 0.10),
        read("chat_events", 12_000, 0.10, requests=0),
        StreamUnavailable("goals", LACKING, SyncStats(requests=1)),
        StreamFailed("skills", ServerError("HTTP 500."), SyncStats(requests=4)),
    ]
    for event in events:
        progress.observe(event)
    clock.time += 72
    for event in (read("chats", 12_402, 0.40, 14), read("chat_events", 145_000, 0.40, 0), Saved(140_000)):
        progress.observe(event)
    return progress


def drawn(progress: RunProgress, clock: FakeClock, width: int, height: int = 30) -> list[str]:
    text = StringIO()
    console = Console(file=text, width=width, height=height, color_system=None)
    console.print(ProgressTable(progress, clock.now))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_the_lines_keep_the_order_of_the_summary_and_fit_on_60_columns() -> None:
    clock = FakeClock()
    assert drawn(a_run(clock), clock, 60) == [
        "accounts               100 %       1 complete",
        "agents                           100 reading",
        "agent_routing_settings               waiting",
        "chats                   40 %  12,402 2 min left",
        "chat_events             40 % 145,000 reading",
        "goals                              0 not available",
        "skills                             0 failed",
        "157,503 read, 140,000 saved, 1 min 12 s, 2 min left",
    ]


def test_80_columns_have_estimated_totals() -> None:
    clock = FakeClock()
    lines = drawn(a_run(clock), clock, 80)
    assert lines[3:5] + lines[-1:] == [
        "chats                    40 %  12,402 of about 31,000    2 min left",
        "chat_events              40 %  145,000 of about 360,000  reading",
        "157,503 records read, 140,000 saved, 1 min 12 s elapsed, about 2 min left",
    ]


def test_100_columns_have_bars_and_requests() -> None:
    clock = FakeClock()
    lines = drawn(a_run(clock), clock, 100)
    assert lines[3:5] + lines[-1:] == [
        "chats                   ━━━━╸          40 %  12,402 of about 31,000     14 requests  2 min left",
        "chat_events             ━━━━╸          40 %  145,000 of about 360,000                reading",
        "3 of 7 streams, 157,503 records read, 140,000 saved, 1 min 12 s elapsed, about 2 min left",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    clock = FakeClock()
    progress = a_run(clock)
    progress.observe(Retrying("WARN", TROUBLE * 2, "chats", NOW + 80))
    lines = drawn(progress, clock, width)
    assert max(map(len, lines)) <= width
    assert " ".join(lines).count("Retrying") == 2


def test_waits_are_shown_until_they_end() -> None:
    clock = FakeClock()
    progress = a_run(clock)
    progress.observe(RateLimited("chats", NOW + 72 + 41.2))
    assert drawn(progress, clock, 60)[3].endswith("rate limit 42 s")
    progress.observe(Retrying("WARN", TROUBLE, "chats", NOW + 72 + 8))
    lines = drawn(progress, clock, 60)
    assert lines[3].endswith("retry in 8 s")
    assert " ".join(lines[-2:]) == TROUBLE
    progress.observe(read("chats", 13_000, 0.45))
    assert drawn(progress, clock, 60)[3].endswith("13,000 2 min left")
    assert TROUBLE not in " ".join(drawn(progress, clock, 60))


def test_a_low_terminal_shows_the_streams_that_are_read_and_the_line_of_the_run() -> None:
    clock = FakeClock()
    lines = drawn(a_run(clock), clock, 60, height=7)
    assert [line.split()[0] for line in lines] == ["agents", "chats", "chat_events", "goals", "skills", "157,503"]
    assert drawn(a_run(clock), clock, 60, height=2)[-1].startswith("157,503 read")


def test_what_no_range_limits_has_no_percent_and_no_end() -> None:
    clock = FakeClock()
    progress = RunProgress.of(["agents"], clock.monotonic)
    progress.observe(StreamStarted("agents"))
    progress.observe(read("agents", 100))
    clock.time += 60
    progress.observe(read("agents", 200))
    assert (progress.read, progress.seconds_left, progress.slowest) == (200, None, None)


def test_the_time_left_counts_what_this_run_reads_only() -> None:
    """A resumed run begins with a share that took no time."""
    clock = FakeClock()
    progress = RunProgress.of(["chats"], clock.monotonic)
    progress.observe(StreamStarted("chats"))
    progress.observe(read("chats", 1, 0.80))
    clock.time += 10
    progress.observe(read("chats", 2, 0.90))
    assert progress.seconds_left == pytest.approx(10)


def test_events_of_streams_that_are_not_shown_are_ignored() -> None:
    clock = FakeClock()
    progress = RunProgress.of(["chats"], clock.monotonic)
    for event in (StreamStarted("accounts"), read("accounts", 1), StreamCompleted("accounts", SyncStats(emitted=1))):
        progress.observe(event)
    assert (progress.read, progress.ended) == (0, 0)
