"""docs/logging.md lists the events and fields that the log has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.load.test_run_log import A_RUN, STREAMS, logged, options
from tests.support.clock import FakeClock
from zendesk_chat.engine.events import Retrying
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ServerError
from zendesk_chat.load.accounts.command import log_end
from zendesk_chat.load.accounts.summary import log_summary as summarize_accounts
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.log import open_log
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.report import LoadReport, StreamReport
from zendesk_chat.load.run_log import log_errors, log_settings, log_start, log_summary

PAGE = (Path(__file__).parent.parent / "docs" / "logging.md").read_text()
COMMON = set(re.findall(r"^\| `(\w+)` \|", PAGE.split("| field | meaning |")[1].split("\n\n")[0], re.MULTILINE))
ROWS = [line.split(" | ") for line in PAGE.split("| event | level |")[1].split("\n\n")[0].splitlines()[2:]]
FIELDS = {event: set(re.findall(r"`(\w+)`", fields)) for events, _, fields in ROWS for event in re.findall(r"`(\w+)`", events)}
LEVELS = {event: level for events, level, _ in ROWS for event in re.findall(r"`(\w+)`", events)}


def test_each_event_and_field_of_a_load_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    retrying = Retrying("WARN", "chats: HTTP 500. Retrying in 4 s.", "chats", 0.0)
    lines = logged(capsys, [*A_RUN, retrying], log_format="json", verbose=True)
    log = open_log(options(log_format="json", verbose=True), FakeClock())
    failed = StreamReport("chats", "failed", SyncStats(), ServerError("HTTP 500."))
    report = LoadReport((StreamReport("agents", "complete", SyncStats()), failed))
    log_settings(log, {"token": "--token"})
    log_start(log, "acme", "chats.duckdb", STREAMS)
    log_errors(report, log)
    log_summary(report, log)
    summarize_accounts([Outcome("acme", "acme", Destination("a.duckdb", "a.duckdb"), 0.0, report=report)], 1.0, log)
    lines += capsys.readouterr().err.splitlines()
    events = [json.loads(line) for line in lines]
    assert {event["event"] for event in events} == FIELDS.keys() - {"killed", "stopping", "account_ended"}
    for event in events:
        assert event["level"] in LEVELS[event["event"]]
        assert event.keys() - COMMON <= FIELDS[event["event"]], event


def test_the_end_of_each_account_and_the_result_of_all_are_documented(capsys: pytest.CaptureFixture[str]) -> None:
    log = open_log(options(log_format="json"), FakeClock())
    shared = [
        Outcome("acme", "acme", Destination("all.duckdb", "all.duckdb", "one"), 0.0, report=LoadReport((), saved=3)),
        Outcome("globex", "globex", Destination("all.duckdb", "all.duckdb", "two"), 0.0, 1.0, error=ServerError("HTTP 500.")),
    ]
    log_end(shared[0], log.of("acme"))
    summarize_accounts(shared, 2.0, log)
    ended, summary = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert ended.keys() - COMMON == FIELDS["account_ended"] == {"state", "records", "seconds"}
    assert {key: summary[key] for key in ("result", "records", "destination", "exit_code")} == {
        "result": "incomplete",
        "records": 3,
        "destination": "all.duckdb",
        "exit_code": 1,
    }
    assert [(name, one["state"], one["schema"]) for name, one in summary["accounts"].items()] == [
        ("acme", "complete", "one"),
        ("globex", "failed", "two"),
    ]
    described = set(re.findall(r"`(\w+)`", PAGE.split("`accounts` has an object")[1].split("\n\n")[0]))
    assert summary["accounts"]["acme"].keys() <= described
