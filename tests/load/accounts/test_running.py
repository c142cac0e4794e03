"""Accounts are loaded side by side: one that fails does not affect the others, and a stop ends them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.config import parse_config
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import AuthError, ConfigError, ConnectorError, DestinationError, ExitCode, NetworkError
from zendesk_chat.load.accounts.running import Job, run_jobs, series_of, worst
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.plan import Plan
from zendesk_chat.load.report import LoadReport, StreamReport
from zendesk_chat.streams.catalog import Catalog

NOTHING = LoadReport(())


def job(account: str, url: str = "duckdb:///x.duckdb", path: str | None = "x.duckdb") -> Job:
    config = parse_config({"subdomain": account, "start_date": "2026-01-01", "access_token": "t"})
    return Job(account, Plan(config, Catalog(), (), frozenset(), Destination(url, path), None))


def jobs(*accounts: str) -> list[Job]:
    return [job(account) for account in accounts]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_so_many_accounts_are_loaded_at_the_same_time_and_no_more() -> None:
    running, most, seen = set[str](), [0], threading.Barrier(3)

    def load(given: Job, _clock: SystemClock) -> LoadReport:
        running.add(given.account)
        most.append(len(running))
        seen.wait(20)  # for three at the same time
        running.discard(given.account)
        return NOTHING

    outcomes = run_jobs(jobs("a", "b", "c", "d", "e", "f"), 3, SystemClock(), load)
    assert max(most) == 3
    assert [outcome.account for outcome in outcomes] == ["a", "b", "c", "d", "e", "f"]


def test_accounts_begin_in_the_order_of_the_file() -> None:
    begun: list[str] = []

    def load(given: Job, _clock: SystemClock) -> LoadReport:
        begun.append(given.account)
        return NOTHING

    run_jobs(jobs("c", "a", "b"), 1, SystemClock(), load)
    assert begun == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (AuthError("The token is wrong."), "The token is wrong.", ExitCode.ACTION_NEEDED),
        (DestinationError("The file is open."), "The file is open.", ExitCode.INCOMPLETE),
        (OSError(28, "No space left on device"), "No space left on device.", ExitCode.INCOMPLETE),
        (RecursionError("secret"), "Unexpected RecursionError at test_running.py", ExitCode.INCOMPLETE),
    ],
)
def test_an_account_that_fails_does_not_affect_the_others(error: Exception, message: str, code: ExitCode) -> None:
    def load(given: Job, _clock: SystemClock) -> LoadReport:
        if given.account == "b":
            raise error
        return NOTHING

    first, failed, last = run_jobs(jobs("a", "b", "c"), 2, SystemClock(), load)
    assert (first.exit_code, last.exit_code) == (0, 0)
    assert (failed.exit_code, failed.report) == (code, None)
    assert str(failed.error).startswith(message)
    assert "secret" not in str(failed.error)


def test_each_outcome_is_announced_in_the_calling_thread_as_soon_as_it_is_there() -> None:
    announced: list[tuple[str, int]] = []

    def load(given: Job, _clock: SystemClock) -> LoadReport:
        if given.account == "slow":
            wait_for(lambda: bool(announced))
        return NOTHING

    run_jobs(
        jobs("slow", "fast"), 2, SystemClock(), load, lambda outcome: announced.append((outcome.account, threading.get_ident()))
    )
    assert announced == [("fast", threading.get_ident()), ("slow", threading.get_ident())]


def test_a_stop_ends_accounts_that_are_being_loaded_and_others_do_not_begin() -> None:
    clock, begun = SystemClock(), list[str]()

    def load(given: Job, own: SystemClock) -> LoadReport:
        begun.append(given.account)
        if len(begun) == 2:
            clock.interrupt()
        with pytest.raises(Stopped):
            own.sleep(60)
        return LoadReport((StreamReport("chats", "interrupted", SyncStats()),), saved=7)

    outcomes = run_jobs(jobs("a", "b", "c"), 2, clock, load)
    assert [(outcome.interrupted, outcome.report is None) for outcome in outcomes] == [
        (True, False),
        (True, False),
        (True, True),
    ]
    assert sorted(begun) == ["a", "b"]
    assert worst(outcomes) == ExitCode.INCOMPLETE


def test_an_account_that_stops_its_own_clock_does_not_stop_the_others() -> None:
    stopped = threading.Event()

    def load(given: Job, own: SystemClock) -> LoadReport:
        if given.account == "a":
            own.stop()
            stopped.set()
        else:
            stopped.wait(20)
            own.sleep(0)
            own.check()
        return NOTHING

    assert [outcome.error for outcome in run_jobs(jobs("a", "b"), 2, SystemClock(), load)] == [None, None]


def test_a_caller_that_fails_lets_the_accounts_end_first() -> None:
    ended: list[str] = []

    def load(given: Job, own: SystemClock) -> LoadReport:
        if given.account == "long":
            with pytest.raises(Stopped):
                own.sleep(60)
            ended.append(given.account)
        return NOTHING

    def fail(_outcome: Outcome) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_jobs(jobs("short", "long"), 2, SystemClock(), load, fail)
    assert ended == ["long"]


def test_files_are_loaded_side_by_side_and_other_databases_after_each_other() -> None:
    pg = "postgres://h/d"
    given = [job("a"), job("b", pg, None), job("c"), job("d", pg, None)]
    assert [[one.account for one in jobs] for jobs in series_of(given)] == [["a"], ["b", "d"], ["c"]]


ERRORS: Sequence[ConnectorError] = (ConfigError("a"), AuthError("b"), NetworkError("c"), DestinationError("d"))


@given(st.lists(st.sampled_from([None, *ERRORS]), max_size=6))
def test_the_exit_code_is_that_of_an_account_that_needs_a_person_else_of_one_that_is_incomplete(
    errors: list[ConnectorError | None],
) -> None:
    outcomes = [
        Outcome("a", "a", Destination("x", "x"), 0.0, report=None if error else NOTHING, error=error) for error in errors
    ]
    needs_person = any(isinstance(error, ConfigError) for error in errors)  # AuthError is one
    assert worst(outcomes) == (3 if needs_person else 1 if any(errors) else 0)
    assert worst(reversed(outcomes)) == worst(outcomes)
