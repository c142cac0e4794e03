"""The summary that a user sees after a load."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from zendesk_chat.engine.events import (
    SchemaChange,
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
from zendesk_chat.load.report import LoadReport, StreamReport, about_streams, print_report
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
        "Interrupted: 1,000 records saved in the postgres database. Run the same command to resume.",
    ]


def failing(*errors: ConnectorError | None) -> LoadReport:
    streams = [
        StreamReport(name, "failed" if error else "complete", SyncStats(), error)
        for name, error in zip(STREAMS, errors, strict=False)
    ]
    return report_of(*streams)


def test_a_cause_is_found_once_with_the_streams_that_it_holds_for() -> None:
    refused, broken = AuthError("The token is refused."), ServerError("HTTP 500.")
    failures = failing(refused, refused, broken, refused, None, refused, refused).failures
    assert {reason: [stream.name for stream in streams] for reason, streams in failures.items()} == {
        "The token is refused.": ["accounts", "agents", "agent_routing_settings", "bans", "chats"],
        "HTTP 500.": ["agent_events"],
    }


@pytest.mark.parametrize(
    ("names", "reason", "sentence"),
    [
        (["goals"], "HTTP 500.", "goals: HTTP 500."),
        (["goals"], "goals: HTTP 500.", "goals: HTTP 500."),
        (["bans", "goals"], "goals: HTTP 500.", "bans, goals: HTTP 500."),
        (["a", "b", "c", "d", "e"], "HTTP 500.", "a, b, c and 2 more: HTTP 500."),
    ],
)
def test_no_sentence_names_a_stream_twice(names: list[str], reason: str, sentence: str) -> None:
    assert about_streams(names, reason) == sentence


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
UNCHANGED = "in 41 s; the postgres database is up to date."
AGAIN = "Run the same command again to load the rest."
FIX = "Fix the problems reported above, then run the same command again to load the rest."


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
        f"No new records in 41 s; {name} (38 MB) is up to date. Next: zendesk-chat status {command}"
    )


def test_one_reason_for_everything_is_logged_and_nothing_is_printed() -> None:
    assert printed_lines(failing(AuthError("Refused."), AuthError("Refused."))) == []


@pytest.mark.parametrize(("width", "between"), [(60, " "), (70, "  ")])
def test_a_narrow_terminal_has_the_columns_that_matter_most(width: int, between: str) -> None:
    report = report_of(StreamReport("agent_routing_settings", "not available", STATS))
    text = printed(report, force_terminal=True, color_system=None, width=width)
    lines = ["stream                |records|skipped|seconds|state"]
    lines += ["agent_routing_settings|  1,000|      2|   61.0|not available"]
    assert [line.rstrip() for line in text.splitlines()][:2] == [line.replace("|", between) for line in lines]
