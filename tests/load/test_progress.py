"""What a user sees while a load runs, and after it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from tests.support.loads import page
from zendesk_chat.engine.events import (
    Event,
    Note,
    RateLimited,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    ExitCode,
    ServerError,
    UnavailableError,
)
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.progress import show_progress
from zendesk_chat.load.report import LoadReport, StreamReport, print_report
from zendesk_chat.streams.registry import STREAMS

GREY = "90"
STATS = SyncStats(requests=12, pages=11, received=1002, emitted=1000, seconds=61.04, unchanged=2)
ERROR = UnavailableError("The plan has no [bold]skills[/bold].", status=403)
LACKING = UnavailableError("The account has no [bold]goals[/bold].", status=403)
REPORT = LoadReport(
    (
        StreamReport("chats", "complete", STATS),
        StreamReport("skills", "failed", SyncStats(requests=1), ERROR),
        StreamReport("agents", "interrupted", SyncStats()),
        StreamReport("goals", "not available", SyncStats(requests=1), LACKING),
    )
)


def shown(events: list[Event | Saved], *, terminal: bool, width: int = 120) -> str:
    text = StringIO()
    console = Console(file=text, force_terminal=terminal, width=width, legacy_windows=False)
    clock = itertools.count()
    with show_progress(console, now=lambda: 1000.0, monotonic=lambda: float(next(clock))) as observe:
        for event in events:
            observe(event)
    return text.getvalue()


def test_lines_where_there_is_no_terminal() -> None:
    text = shown(
        [
            StreamStarted("chats"),
            *(page("chats", [{}] * 100) for _ in range(12)),
            RateLimited("chats", 1042.4),
            Note("DEBUG", "not shown"),
            *[Note("WARN", "[red]careful[/red]")] * 3,
            Saved(1200),
            Saved(0),
            StreamCompleted("chats", STATS),
            StreamStarted("skills"),
            StreamFailed("skills", ERROR, SyncStats(requests=1)),
            StreamStarted("goals"),
            SchemaChange("chats", "new", (), "string"),
            StreamUnavailable("goals", LACKING, SyncStats(requests=1)),
        ],
        terminal=False,
    )
    assert text.splitlines() == [
        "chats: started",
        "chats: 500 records",
        "chats: 1,000 records",
        "chats: waits 42 s for the rate limit",
        "WARN: [red]careful[/red]",
        "1,200 records saved",
        "chats: complete: 1,000 records, 12 requests, 61.0 s",
        "skills: started",
        "skills: failed after 0 records, 1 requests, 0.0 s",
        "goals: started",
        "goals: not available",
    ]


@pytest.mark.parametrize(("read", "bar"), [(0.0, 0), (0.25, 6), (0.75, 18)])
def test_the_bar_shows_how_much_is_read(read: float, bar: int) -> None:
    text = shown([StreamStarted("chats"), replace(page("chats", [{}]), progress=read)], terminal=True)
    drawn = re.findall("\x1b\\[([\\d;]+)m(━+)", text.rpartition("chats")[2])
    assert sum(len(part) for colour, part in drawn if colour != GREY) == bar


def test_a_line_for_each_stream_on_a_terminal() -> None:
    text = shown([StreamStarted("chats"), page("chats", [{}] * 1234), RateLimited("chats", 1042.0)], terminal=True)
    assert "chats" in text
    assert "1,234 records" in text
    assert "1 requests" in text
    assert "rate limit, 42 s left" in text
    text = shown(
        [
            StreamStarted("chats"),
            StreamStarted("skills"),
            RateLimited("chats", 1042.0),
            Note("INFO", "[red]careful[/red]"),
            Note("DEBUG", "not shown"),
            Saved(1200),
            StreamCompleted("chats", STATS),
            StreamFailed("skills", ERROR, SyncStats(requests=1)),
            StreamStarted("goals"),
            SchemaChange("chats", "new", (), "string"),
            StreamUnavailable("goals", LACKING, SyncStats(requests=1)),
        ],
        terminal=True,
    )
    assert "INFO: [red]careful[/red]" in text
    assert "1,200 records saved" in text
    assert "not shown" not in text
    assert "rate limit" not in text.rpartition("12 requests")[2]
    assert "complete" in text
    assert "failed" in text
    assert "\x1b[33mnot available" in text


def test_a_narrow_terminal_has_a_line_for_each_stream_too() -> None:
    names = ["agent_routing_settings", "chat_events"]
    events: list[Event | Saved] = [*map(StreamStarted, names)]
    events += [page("chat_events", [{}] * 1234), RateLimited("agent_routing_settings", 1042.0)]
    last = shown(events, terminal=True, width=80).rpartition("agent_routing_settings")[2]
    plain = re.sub("\x1b\\[[\\d;?]+[A-Za-z]", "", last)
    assert [re.sub("[ ━╸╺]+", " ", line).strip() for line in plain.split("\n")[:2]] == [
        "0 records rate limit, 42 s left",
        "chat_events 1,234 records reading",
    ]
    assert all(len(line) <= 80 for line in plain.split("\n"))


@pytest.mark.parametrize(("terminal", "between"), [(True, " "), (False, "  ")])
def test_no_name_is_cut_off_in_the_report(terminal: bool, between: str) -> None:
    text = StringIO()
    reports = [StreamReport("agent_routing_settings", "not available", STATS)]
    print_report(LoadReport(tuple(reports)), Console(file=text, width=80, force_terminal=terminal, color_system=None))
    lines = ["stream                |records|received|skipped|requests|seconds|state"]
    lines += ["agent_routing_settings|  1,000|   1,002|      2|      12|   61.0|not available"]
    assert [line.rstrip() for line in text.getvalue().splitlines()] == [line.replace("|", between) for line in lines]


def test_the_report_is_plain_text_where_there_is_no_terminal() -> None:
    text = StringIO()
    print_report(REPORT, Console(file=text, width=80))
    assert [line.rstrip() for line in text.getvalue().splitlines()] == [
        "stream  records  received  skipped  requests  seconds  state",
        "chats     1,000     1,002        2        12     61.0  complete",
        "skills        0         0        0         1      0.0  failed",
        "agents        0         0        0         0      0.0  interrupted",
        "goals         0         0        0         1      0.0  not available",
        "goals: The account has no [bold]goals[/bold].",
        "skills: The plan has no [bold]skills[/bold].",
    ]


def failing(*errors: ConnectorError | None) -> LoadReport:
    streams = [
        StreamReport(name, "failed" if error else "complete", SyncStats(), error)
        for name, error in zip(STREAMS, errors, strict=False)
    ]
    return LoadReport(tuple(streams))


def test_a_cause_is_printed_once_with_the_streams_that_it_holds_for() -> None:
    refused, broken = AuthError("The token is refused."), ServerError("HTTP 500.")
    text = StringIO()
    print_report(failing(refused, refused, broken, refused, None, refused, refused), Console(file=text, width=80))
    assert text.getvalue().splitlines()[-2:] == [
        "accounts, agents, agent_routing_settings and 2 more: The token is refused.",
        "agent_events: HTTP 500.",
    ]


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (failing(None, None), ExitCode.COMPLETE),
        (failing(None, ServerError("HTTP 500.")), ExitCode.INCOMPLETE),
        (failing(DataError("Please report this.")), ExitCode.INCOMPLETE),
        (failing(AuthError("Refused.")), ExitCode.ACTION_NEEDED),
        (failing(ServerError("HTTP 500."), ConfigError("Redirected.")), ExitCode.ACTION_NEEDED),
        (LoadReport((StreamReport("chats", "interrupted", SyncStats()),)), ExitCode.INCOMPLETE),
        (LoadReport((StreamReport("goals", "not available", SyncStats(), LACKING),)), ExitCode.COMPLETE),
        (LoadReport((StreamReport("goals", "not available", SyncStats(), LACKING),), (), frozenset({"goals"})), ExitCode(3)),
    ],
)
def test_the_exit_code_shows_whether_a_retry_helps(report: LoadReport, code: ExitCode) -> None:
    assert report.exit_code == code


def test_the_report_lists_what_drifted_and_counts_what_it_does_not_show() -> None:
    drifts = [SchemaChange("agents", f"[new{number}]", (), "object") for number in range(1501)]
    drifts.insert(700, SchemaChange("chats", "history.*.msg_id", ("string", "null"), "integer"))
    text = StringIO()
    print_report(replace(REPORT, streams=REPORT.streams[:1], drifts=tuple(drifts)), Console(file=text, width=80))
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    assert lines[2:7] == [
        "",
        "Schema differences (nothing is lost: see the columns _extra and _unparsed):",
        "stream  field             expected        found",
        "chats   history.*.msg_id  string or null  integer",
        "agents  [new0]            (new field)     object",
    ]
    assert lines[-2:] == ["agents  [new498]          (new field)     object", "and 1,002 more"]


def test_the_report_has_colours_on_a_terminal() -> None:
    text = StringIO()
    print_report(REPORT, Console(file=text, width=80, force_terminal=True, color_system="standard", legacy_windows=False))
    assert "\x1b[32mcomplete" in text.getvalue()
    assert "\x1b[31mfailed" in text.getvalue()
    assert "\x1b[33mnot available" in text.getvalue()
    assert "\x1b[33mgoals: The account has no" in text.getvalue()
