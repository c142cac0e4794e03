"""What a user sees while a load runs, and after it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

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
from zendesk_chat.load.progress import announce_stop, show_progress
from zendesk_chat.load.report import LoadReport, StreamReport, print_report
from zendesk_chat.streams.registry import STREAMS

GREY = "90"
STATS = SyncStats(requests=12, pages=11, received=1002, emitted=1000, seconds=61.04, unchanged=2)
ERROR = UnavailableError("The plan has no [bold]skills[/bold].", status=403)
LACKING = UnavailableError("The account has no [bold]goals[/bold].", status=403)
FAILED = StreamReport("skills", "failed", SyncStats(requests=1), ERROR)
UNAVAILABLE = StreamReport("goals", "not available", SyncStats(requests=1), LACKING)


def report_of(
    *streams: StreamReport, saved: int = 1000, destination: Path | str = "the postgres database", **more: Any
) -> LoadReport:
    return LoadReport(streams=streams, saved=saved, seconds=41.2, destination=destination, **more)


REPORT = report_of(
    StreamReport("chats", "complete", STATS), FAILED, StreamReport("agents", "interrupted", SyncStats()), UNAVAILABLE
)


def printed(report: LoadReport, **options: Any) -> str:
    text = StringIO()
    print_report(report, Console(file=text, **({"width": 80} | options)))
    return text.getvalue()


def printed_lines(report: LoadReport) -> list[str]:
    return [line.rstrip() for line in printed(report).splitlines()]


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
            *(replace(page("chats", []), stats=SyncStats(emitted=100 * count)) for count in range(1, 13)),
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
        "chats: complete: 1,000 records, 12 requests, 1 min 1 s",
        "skills: started",
        "skills: failed after 0 records, 1 request, 0.0 s",
        "goals: started",
        "goals: not available",
    ]


@pytest.mark.parametrize(("read", "bar"), [(0.0, 0), (0.25, 6), (0.75, 18)])
def test_the_bar_shows_how_much_is_read(read: float, bar: int) -> None:
    text = shown([StreamStarted("chats"), replace(page("chats", [{}]), progress=read)], terminal=True)
    drawn = re.findall("\x1b\\[([\\d;]+)m(━+)", text.rpartition("chats")[2])
    assert sum(len(part) for colour, part in drawn if colour != GREY) == bar


def test_a_line_for_each_stream_on_a_terminal() -> None:
    read = replace(page("chats", []), stats=SyncStats(emitted=1234, requests=7))
    text = shown([StreamStarted("chats"), read, RateLimited("chats", 1042.0)], terminal=True)
    assert "chats" in text
    assert "1,234 records" in text
    assert "7 requests" in text
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
    events += [replace(page("chat_events", []), stats=SyncStats(emitted=1234)), RateLimited("agent_routing_settings", 1042.0)]
    last = shown(events, terminal=True, width=80).rpartition("agent_routing_settings")[2]
    plain = re.sub("\x1b\\[[\\d;?]+[A-Za-z]", "", last)
    assert [re.sub("[ ━╸╺]+", " ", line).strip() for line in plain.split("\n")[:2]] == [
        "0 records rate limit, 42 s left",
        "chat_events 1,234 records reading",
    ]
    assert all(len(line) <= 80 for line in plain.split("\n"))


@pytest.mark.parametrize(("terminal", "between"), [(True, " "), (False, "  ")])
def test_no_name_is_cut_off_in_the_report(terminal: bool, between: str) -> None:
    report = report_of(StreamReport("agent_routing_settings", "not available", STATS))
    text = printed(report, force_terminal=terminal, color_system=None)
    lines = ["stream                |records|received|skipped|requests|seconds|state"]
    lines += ["agent_routing_settings|  1,000|   1,002|      2|      12|   61.0|not available"]
    assert [line.rstrip() for line in text.splitlines()][:-1] == [line.replace("|", between) for line in lines]


def test_the_report_is_plain_text_where_there_is_no_terminal() -> None:
    assert printed_lines(REPORT) == [
        "stream  records  received  skipped  requests  seconds  state",
        "chats     1,000     1,002        2        12     61.0  complete",
        "skills        0         0        0         1      0.0  failed",
        "agents        0         0        0         0      0.0  interrupted",
        "goals         0         0        0         1      0.0  not available",
        "goals: The account has no [bold]goals[/bold].",
        "skills: The plan has no [bold]skills[/bold].",
        "Interrupted: 1,000 records saved in the postgres database. Run the same command to resume.",
    ]


def failing(*errors: ConnectorError | None) -> LoadReport:
    streams = [
        StreamReport(name, "failed" if error else "complete", SyncStats(), error)
        for name, error in zip(STREAMS, errors, strict=False)
    ]
    return report_of(*streams)


def test_a_cause_is_printed_once_with_the_streams_that_it_holds_for() -> None:
    refused, broken = AuthError("The token is refused."), ServerError("HTTP 500.")
    assert printed_lines(failing(refused, refused, broken, refused, None, refused, refused))[-3:-1] == [
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
        (report_of(StreamReport("chats", "interrupted", SyncStats())), ExitCode.INCOMPLETE),
        (report_of(StreamReport("chats", "complete", STATS), interrupted=True), ExitCode.INCOMPLETE),
        (report_of(UNAVAILABLE), ExitCode.COMPLETE),
        (report_of(UNAVAILABLE, required=frozenset({"goals"})), ExitCode.ACTION_NEEDED),
    ],
)
def test_the_exit_code_shows_whether_a_retry_helps(report: LoadReport, code: ExitCode) -> None:
    assert report.exit_code == code


def test_the_report_lists_what_drifted_and_counts_what_it_does_not_show() -> None:
    drifts = [SchemaChange("agents", f"[new{number}]", (), "object") for number in range(1501)]
    drifts.insert(700, SchemaChange("chats", "history.*.msg_id", ("string", "null"), "integer"))
    lines = printed_lines(replace(REPORT, streams=REPORT.streams[:1], drifts=tuple(drifts)))
    assert lines[2:7] == [
        "",
        "Schema differences (nothing is lost: see the columns _extra and _unparsed):",
        "stream  field             expected        found",
        "chats   history.*.msg_id  string or null  integer",
        "agents  [new0]            (new field)     object",
    ]
    assert lines[-3:-1] == ["agents  [new498]          (new field)     object", "and 1,002 more"]


def test_the_report_has_colours_on_a_terminal() -> None:
    text = printed(REPORT, force_terminal=True, color_system="standard", legacy_windows=False)
    assert "\x1b[32mcomplete" in text
    assert "\x1b[31mfailed" in text
    assert "\x1b[33mnot available" in text
    assert "\x1b[33mgoals: The account has no" in text


COMPLETE = StreamReport("chats", "complete", STATS)
BROKEN = StreamReport("bans", "failed", SyncStats(), ServerError("HTTP 500."))
GOALS = frozenset({"goals"})
SAVED = "in 41 s, saved in the postgres database."
UNCHANGED = "in 41 s; the postgres database holds the same as before."
AGAIN = "Run the same command again to load the rest."
FIX = "Fix what is reported above, then run the same command again to load the rest."


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (report_of(COMPLETE), f"1,000 records {SAVED}"),
        (report_of(COMPLETE, saved=1), f"1 record {SAVED}"),
        (report_of(COMPLETE, saved=0), f"No new records {UNCHANGED}"),
        (report_of(COMPLETE, UNAVAILABLE), f"1,000 records {SAVED}"),
        (report_of(COMPLETE, BROKEN, saved=1), f"Incomplete: bans. 1 record {SAVED} {AGAIN}"),
        (report_of(COMPLETE, BROKEN, saved=0), f"Incomplete: bans. No new records {UNCHANGED} {AGAIN}"),
        (report_of(COMPLETE, UNAVAILABLE, required=GOALS), f"Incomplete: goals. 1,000 records {SAVED} {FIX}"),
        (report_of(BROKEN, FAILED, COMPLETE), f"Incomplete: bans, skills. 1,000 records {SAVED} {FIX}"),
        (
            report_of(
                COMPLETE,
                StreamReport("bans", "interrupted", STATS),
                saved=12_345,
                destination=Path("a b.duckdb"),
                interrupted=True,
            ),
            "Interrupted: 12,345 records saved in a b.duckdb. Run the same command to resume.",
        ),
        (
            report_of(saved=0, destination=Path("chats.duckdb"), interrupted=True),
            "Interrupted: 0 records saved in chats.duckdb. Run the same command to resume.",
        ),
    ],
)
def test_the_last_line_is_the_result_and_what_to_do_next(report: LoadReport, line: str) -> None:
    assert printed_lines(report)[-1] == line


@pytest.mark.parametrize(
    ("name", "schema", "command"),
    [
        ("chats.duckdb", "main", "chats.duckdb"),
        ("my chats.duckdb", "main", "'my chats.duckdb'"),
        ("chats.duckdb", "acme", "chats.duckdb --schema acme"),
        ("chats.duckdb", "acme eu", "chats.duckdb --schema 'acme eu'"),
    ],
)
def test_a_file_has_its_size_and_the_command_that_describes_it(
    name: str, schema: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(bytes(38_000_123))
    complete = report_of(COMPLETE, saved=120_000, destination=Path(name), schema=schema)
    assert printed_lines(complete)[-1] == (
        f"120,000 records in 41 s, saved in {name} (38 MB). Next: zendesk-chat status {command}"
    )
    assert printed_lines(replace(complete, saved=0))[-1] == (
        f"No new records in 41 s; {name} (38 MB) holds the same as before. Next: zendesk-chat status {command}"
    )


def test_one_reason_for_everything_is_printed_alone() -> None:
    assert printed_lines(failing(AuthError("Refused."), AuthError("Refused."))) == ["error: Refused."]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_stop_is_announced_between_the_lines_of_the_progress(terminal: bool) -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=terminal, width=120, legacy_windows=False)
    with show_progress(console) as observe:
        observe(StreamStarted("chats"))
        announce_stop(console)
        observe(Saved(12))
    lines = [re.sub("\x1b\\[[\\d;?]+[A-Za-z]|\r", "", line).strip() for line in text.getvalue().splitlines()]
    assert "Stopping; saving ..." in lines
    assert lines.index("Stopping; saving ...") < lines.index("12 records saved")


def test_a_stop_during_a_write_to_the_same_file_is_no_error() -> None:
    class Busy(StringIO):
        def write(self, _text: str) -> int:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    announce_stop(Console(file=Busy()))
