"""Loads accounts side by side, each in a thread of its own. An account that fails does not affect the others."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from zendesk_chat.clock import POLL_SECONDS, SystemClock
from zendesk_chat.engine.threads import start_threads
from zendesk_chat.errors import ExitCode
from zendesk_chat.load.outcome import Outcome, attempt
from zendesk_chat.load.plan import Plan
from zendesk_chat.load.report import LoadReport


@dataclass(frozen=True, slots=True)
class Job:
    """An account to load.

    Attributes:
        account: Its name in the accounts file.
    """

    account: str
    plan: Plan


Load: TypeAlias = Callable[[Job, SystemClock], LoadReport]
"""Loads one account, with a clock of its own that it may stop."""


def run_jobs(
    jobs: Sequence[Job],
    parallel: int,
    clock: SystemClock,
    load: Load,
    ended: Callable[[Outcome], object] = lambda _outcome: None,
) -> list[Outcome]:
    """Load accounts, at most ``parallel`` at the same time, and return how each ended, in the order of the jobs.

    Args:
        jobs: Accounts start in this order.
        parallel: How many are loaded at the same time.
        clock: When it is stopped, all end: accounts that are being loaded save their records, and the others do not start.
        load: Loads one account.
        ended: Called in this thread with each outcome, as soon as the account has ended.

    Raises:
        ConfigError: The operating system allows no thread.
    """
    outcomes: dict[str, Outcome] = {}
    waiting = deque(series_of(jobs))
    results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    work = partial(_work, waiting, results, clock, load)
    threads = start_threads(work, min(parallel, len(waiting)), "account")
    try:
        for outcome in _received(results, threads):
            outcomes[outcome.account] = outcome
            ended(outcome)
    finally:
        if len(outcomes) < len(jobs):  # the caller failed: let the accounts save their records
            clock.stop()
        for thread in threads:
            thread.join()
    return [outcomes[job.account] for job in jobs]


def series_of(jobs: Iterable[Job]) -> list[list[Job]]:
    """Return the jobs in series. Several series are loaded side by side, and the jobs of one after each other.

    Each account of a DuckDB file is its own series, even if several share the file. dlt has state that is global to the
    process, so all accounts of other databases are one series.
    """
    series: list[list[Job]] = []
    with_dlt: list[Job] = []
    for job in jobs:
        if job.plan.destination.path is not None:
            series.append([job])
            continue
        if not with_dlt:
            series.append(with_dlt)
        with_dlt.append(job)
    return series


def worst(outcomes: Iterable[Outcome]) -> ExitCode:
    """Return the exit code of several accounts: that of one that needs a person first, then of one that may be completed."""
    return most_urgent(outcome.exit_code for outcome in outcomes)


def most_urgent(exit_codes: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code that needs a person, else that of an account that may be completed, else COMPLETE."""
    codes = set(exit_codes)
    order = (ExitCode.ACTION_NEEDED, ExitCode.INCOMPLETE)
    return next((code for code in order if code in codes), ExitCode.COMPLETE)


def _work(waiting: deque[list[Job]], results: queue.SimpleQueue[Outcome], clock: SystemClock, load: Load) -> None:
    """Load one series after another until none is left."""
    with suppress(IndexError):
        while True:
            for job in waiting.popleft():
                results.put(_run(job, clock, load))


def _run(job: Job, clock: SystemClock, load: Load) -> Outcome:
    if clock.stopped:
        return Outcome(job.account, job.plan.config.subdomain, job.plan.destination, clock.now())
    own = clock.child()
    return attempt(job.account, job.plan, own, partial(load, job, own))


def _received(results: queue.SimpleQueue[Outcome], threads: Sequence[threading.Thread]) -> Iterator[Outcome]:
    """Yield outcomes until no thread is left to send more."""
    while True:
        working = any(thread.is_alive() for thread in threads)
        try:
            yield results.get(timeout=POLL_SECONDS if working else 0)
        except queue.Empty:
            if not working:
                return
