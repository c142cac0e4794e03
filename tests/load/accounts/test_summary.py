"""The table and the progress of several accounts fit on a narrow terminal, and one line has the result and what to do next."""

from __future__ import annotations

import io

import pytest

from tests.support.clock import FakeClock
from zendesk_chat.engine.events import PageRead, StreamStarted
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import AuthError, DestinationError
from zendesk_chat.load.accounts.progress_table import AccountsProgress
from zendesk_chat.load.accounts.summary import print_summary, result_line
from zendesk_chat.load.console import PlainConsole
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.progress import RunProgress
from zendesk_chat.load.report import LoadReport, StreamReport


def outcome(account: str, path: str, schema: str | None = None, **more: object) -> Outcome:
    return Outcome(account, account, Destination(path, path, schema), 0.0, **{"seconds": 22.94} | more)  # type: ignore[arg-type]  # by name


def report(state: str, saved: int, requests: int = 3) -> LoadReport:
    return LoadReport((StreamReport("chats", state, SyncStats(requests=requests)),), saved=saved)  # type: ignore[arg-type]  # a state


COMPLETE = outcome("acme", "data/acme.duckdb", report=report("complete", 40_512, 61))
FAILED = outcome("globex", "all.duckdb", "globex", error=AuthError("no"))
INCOMPLETE = outcome("initech", "initech.duckdb", report=LoadReport((), saved=3, interrupted=True))
LOCKED = outcome("hooli", "hooli.duckdb", error=DestinationError("open"))
WAITING = outcome("umbrella", "umbrella.duckdb", seconds=0.0)


def printed(width: int, *, terminal: bool) -> list[str]:
    file = io.StringIO()
    console = PlainConsole(file=file, width=width, force_terminal=terminal, color_system=None)
    print_summary([COMPLETE, FAILED, WAITING], 23.4, console)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_the_table_has_all_that_fits() -> None:
    assert printed(80, terminal=False)[:4] == [
        "account   records  requests  seconds  state        destination",
        "acme       40,512        61     22.9  complete     data/acme.duckdb",
        "globex          0         0     22.9  failed       all.duckdb, schema globex",
        "umbrella        0         0      0.0  not started  umbrella.duckdb",
    ]
    assert printed(50, terminal=True)[:2] == ["account   records  state", "acme       40,512  complete"]
    assert printed(50, terminal=False) == printed(80, terminal=False), "a file has no width"


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ([COMPLETE], "1 account complete: 40,512 records saved in 23 s."),
        ([COMPLETE, COMPLETE], "2 accounts complete: 81,024 records saved in 23 s."),
        (
            [COMPLETE, FAILED],
            (
                "1 account complete, 1 failed: 40,512 records saved in 23 s. "
                "Fix the problems reported above, then run the same command again."
            ),
        ),
        ([LOCKED], "1 account failed: no new records in 23 s. Run the same command again to load the rest."),
        (
            [INCOMPLETE, WAITING],
            "1 account interrupted, 1 not started: 3 records saved in 23 s. Run the same command to resume.",
        ),
    ],
)
def test_the_last_line_has_the_result_of_all_and_what_to_do(outcomes: list[Outcome], line: str) -> None:
    assert result_line(outcomes, 23.4) == line


def test_the_progress_has_a_line_for_each_account_and_fits_on_60_columns() -> None:
    clock = FakeClock()
    progress = AccountsProgress(["acme", "globex", "initech", "umbrella"], clock.monotonic)
    run = RunProgress.of(["chats"], clock.monotonic)
    progress.start("acme", run)
    progress.start("globex", RunProgress.of(["chats"], clock.monotonic))
    run.observe(StreamStarted("chats"))
    run.observe(PageRead("chats", [], {}, 0.5, stats=SyncStats(requests=2, emitted=1_200)))
    run.observe(Saved(1_000))
    progress.end(FAILED)
    clock.sleep(12)
    file = io.StringIO()
    PlainConsole(file=file, width=60, force_terminal=True, color_system=None, height=20).print(progress)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == [
        "acme      1,200 read  1,000 saved  reading",
        "globex        0 read      0 saved  failed",
        "initech                            waiting",
        "umbrella                           waiting",
        "1 of 4 accounts, 1,000 records saved, 12 s",
    ]


def test_accounts_that_are_being_read_stay_visible_on_a_low_terminal() -> None:
    progress = AccountsProgress(["a", "b", "c", "d"], FakeClock().monotonic)
    progress.start("d", RunProgress.of(["chats"], FakeClock().monotonic))
    file = io.StringIO()
    PlainConsole(file=file, width=60, force_terminal=True, color_system=None, height=4).print(progress)
    assert [line.split()[0] for line in file.getvalue().splitlines()] == ["d", "a", "0"]
