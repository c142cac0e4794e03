"""The log of a load: calm for people, complete for machines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.clock import NOW, FakeClock
from tests.support.loads import page
from zendesk_chat.engine.events import (
    Answered,
    Event,
    Heartbeat,
    Note,
    RateLimited,
    Retrying,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import AuthError, ServerError, UnavailableError
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.log import open_log
from zendesk_chat.load.report import LoadReport, StreamReport
from zendesk_chat.load.run_log import log_errors, log_settings, log_start, log_summary, show_progress

STREAMS = ("agents", "bans", "chats", "goals", "skills")
STATS = SyncStats(requests=12, pages=11, received=1002, emitted=1000, seconds=61.04, unchanged=2)
LACKING = UnavailableError("The plan has no goals.", status=403)
START = "2026-11-18T11:06:40Z"


def options(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"quiet": False, "verbose": False, "log_format": "text", "log_file": None} | given)


def read(stream: str, emitted: int, share: float | None = None) -> Event:
    return replace(page(stream, []), progress=share, stats=SyncStats(emitted=emitted, requests=1))


def logged(capsys: pytest.CaptureFixture[str], story: Iterable[float | Event | Saved], **given: Any) -> list[str]:
    """What a run logs; a number in its story lets so many seconds pass."""
    clock = FakeClock()
    with show_progress(open_log(options(**given), clock), STREAMS) as observe:
        for step in story:
            if isinstance(step, int | float):
                clock.time += step
            else:
                observe(step)
    return capsys.readouterr().err.splitlines()


A_RUN: list[float | Event | Saved] = [
    *map(StreamStarted, STREAMS),
    read("agents", 250),
    StreamCompleted("agents", SyncStats(emitted=250, requests=4, seconds=0.4)),
    StreamUnavailable("goals", LACKING, SyncStats(requests=1)),
    StreamFailed("skills", ServerError("HTTP 500."), SyncStats(requests=5, seconds=3.0)),
    read("chats", 1_000, 0.1),
    4,
    read("chats", 2_000, 0.2),
    Saved(1_250),
    Note("DEBUG", "chats: so far 2,000 records"),
    Answered("DEBUG", "chats: GET incremental/chats: HTTP 200 in 0.41 s", "chats", "incremental/chats", 200, 0.4123),
    SchemaChange("chats", "new", (), "string"),
    1,
    Heartbeat(),
    *[Note("WARN", "This machine's clock is 90 s fast.")] * 3,
    RateLimited("chats", NOW + 47),
    5,
    Heartbeat(),
]


def test_a_person_reads_a_line_each_few_seconds_and_each_warning_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, A_RUN) == [
        "2026-11-18T11:06:45Z INFO 2,250 records read, 1,250 saved; chats: 2,000 of about 10,000 (20%); about 40 s left",
        "2026-11-18T11:06:45Z WARNING This machine's clock is 90 s fast.",
        (
            "2026-11-18T11:06:50Z INFO 2,250 records read, 1,250 saved; chats: 2,000 of about 10,000 (20%); "
            "waiting 37 s for the rate limit; about 1 min left"
        ),
    ]


def test_a_machine_reads_each_event_of_a_stream(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in logged(capsys, A_RUN, log_format="json")]
    assert [(line["event"], line.get("stream")) for line in lines] == [
        *[("stream_started", stream) for stream in STREAMS],
        ("stream_complete", "agents"),
        ("stream_not_available", "goals"),
        ("stream_failed", "skills"),
        ("saved", None),
        ("schema_change", "chats"),
        ("progress", "chats"),
        ("warning", None),
        ("rate_limit", "chats"),
        ("progress", "chats"),
    ]
    assert lines[7] == {
        "time": "2026-11-18T11:06:40.000Z",
        "level": "info",
        "event": "stream_failed",
        "message": "skills: failed, 0 records in 3.0 s",
        "stream": "skills",
        "records": 0,
        "received": 0,
        "skipped": 0,
        "requests": 5,
        "seconds": 3.0,
        "error": "HTTP 500.",
        "kind": "ServerError",
    }
    progress = {"read": 2250, "saved": 1250, "seconds": 5.0, "seconds_left": 40, "streams_ended": 3, "streams": 5}
    assert lines[10].items() >= (progress | {"stream": "chats", "share": 0.2}).items()
    assert {line["level"] for line in lines} == {"info", "warning"}


def test_verbose_has_requests_and_quiet_has_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    request = "2026-11-18T11:06:44Z DEBUG chats: GET incremental/chats: HTTP 200 in 0.41 s"
    assert request in logged(capsys, A_RUN, verbose=True)
    assert logged(capsys, A_RUN, quiet=True) == ["2026-11-18T11:06:45Z WARNING This machine's clock is 90 s fast."]
    (line,) = [json.loads(line) for line in logged(capsys, A_RUN, verbose=True, log_format="json") if '"request"' in line]
    assert line.items() >= {"path": "incremental/chats", "status": 200, "seconds": 0.412, "level": "debug"}.items()


def test_a_stream_that_takes_long_has_a_line_but_not_those_that_come_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    bans = StreamCompleted("bans", replace(STATS, requests=0))
    story: list[float | Event | Saved] = [*map(StreamStarted, STREAMS), StreamCompleted("chats", STATS), bans]
    assert logged(capsys, story) == ["2026-11-18T11:06:40Z INFO chats: complete, 1,000 records in 1 min 1 s"]


def test_many_failing_requests_are_a_line_each_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """As if 16 threads lost the network for 4 seconds, and again later."""
    lost = [Retrying("WARN", f"chats: No answer ({count}).", "chats", NOW + count) for count in range(64)]
    paused = [step for event in lost for step in (event, 1 / 16)]
    lines = logged(capsys, [StreamStarted("chats"), *paused, 6, lost[7]])
    assert [line for line in lines if "No answer" in line] == [
        "2026-11-18T11:06:40Z INFO chats: No answer (0).",
        "2026-11-18T11:06:50Z INFO chats: No answer (7).",
    ]
    machine = logged(capsys, [StreamStarted("chats"), *paused], log_format="json")
    assert sum('"retrying"' in line for line in machine) == 64


def test_the_log_of_a_long_run_is_not_a_long_one(capsys: pytest.CaptureFixture[str]) -> None:
    story = [StreamStarted("chats"), *[step for _ in range(720) for step in (5, Heartbeat())]]
    lines = logged(capsys, story)
    assert 60 < len(lines) < 120
    assert lines[-1].endswith("INFO 0 records read, 0 saved; reading chats")


def test_a_sentence_names_what_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    log = open_log(options(), FakeClock())
    log_start(log, "acme", "chats.duckdb", ["agents"])
    log_start(log.of("acme"), "acme", "chats.duckdb", STREAMS)
    assert capsys.readouterr().err.splitlines() == [
        f"{START} INFO Loading acme into chats.duckdb: 1 stream",
        f"{START} INFO acme: Loading acme into chats.duckdb: 5 streams",
    ]


def test_settings_are_logged_without_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    origins = {"subdomain": "--subdomain", "token": "ZENDESK_CHAT_TOKEN in .env"}
    log_settings(open_log(options(verbose=True), FakeClock()), origins)
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"{START} DEBUG Settings: subdomain: --subdomain; token: ZENDESK_CHAT_TOKEN in .env"


def failed(name: str, message: str) -> StreamReport:
    return StreamReport(name, "failed", SyncStats(), AuthError(message, status=401))


def test_an_error_is_one_line_however_many_streams_it_concerns(capsys: pytest.CaptureFixture[str]) -> None:
    streams = tuple(failed(name, "The token is wrong.") for name in STREAMS)
    for given, expected in (({}, 1), ({"quiet": True}, 1), ({"log_format": "json"}, 2)):
        log, report = open_log(options(**given), FakeClock()), LoadReport(streams)
        log_errors(report, log)
        log_summary(report, log)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == expected
        assert "The token is wrong." in lines[0]
        assert "agents, bans" not in lines[0], "it concerns the account"
    summary = json.loads(lines[1])
    assert (summary["event"], summary["result"], summary["exit_code"]) == ("summary", "incomplete", 3)
    assert summary["streams"]["goals"]["state"] == "failed"


def test_an_error_of_some_streams_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    log = open_log(options(), FakeClock())
    complete = StreamReport("agents", "complete", STATS)
    broken = [StreamReport(name, "failed", STATS, ServerError("HTTP 500.")) for name in ("bans", "chats")]
    lacking = [StreamReport(name, "not available", SyncStats(), LACKING) for name in ("goals", "skills")]
    report = LoadReport((complete, *broken, *lacking), required=frozenset({"skills"}))
    log_errors(report, log)
    assert capsys.readouterr().err.splitlines() == [
        f"{START} ERROR bans, chats: HTTP 500.",
        f"{START} ERROR skills: The plan has no goals.",
    ]


def test_a_hostile_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "chats: \x1b[2J\n2026-11-18T11:06:40Z ERROR fake \u202e"
    for given in ({}, {"log_format": "json"}):
        open_log(options(**given), FakeClock()).caution(hostile)
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        assert shown.isascii()
        assert "\x1b" not in (json.loads(shown)["message"] if given else shown)
