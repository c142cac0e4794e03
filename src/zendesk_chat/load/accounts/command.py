"""``sync --accounts``: loads several accounts, and reports how each of them ended."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.account_load import load_account
from zendesk_chat.load.accounts.planning import Plans, plan_accounts
from zendesk_chat.load.accounts.progress_table import AccountsProgress, animated
from zendesk_chat.load.accounts.running import Job, run_jobs, worst
from zendesk_chat.load.accounts.summary import log_summary, print_summary, state_of
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.sharing import SharedFiles
from zendesk_chat.load.log import Log
from zendesk_chat.load.metrics_option import checked_metrics_file
from zendesk_chat.load.named_files import check_written
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.report import LoadReport
from zendesk_chat.load.run_log import log_errors
from zendesk_chat.wording import counted, duration


def sync_accounts(options: argparse.Namespace, clock: SystemClock, log: Log) -> int:
    """Load the accounts of a file. Returns the exit code; see ``running.worst``."""
    try:
        metrics = checked_metrics_file(options.metrics_file)
        plans = plan_accounts(options, os.environ, clock.now())
        check_written(options, os.environ, plans.files, log)
    except ConfigError as error:
        log.fail(str(error), kind=type(error).__name__)
        return ExitCode.USAGE
    for warning in plans.warnings:
        log.caution(warning)
    clock.on_interrupt = partial(log.note, "Stopping and saving ...", "stopping")
    began = clock.monotonic()
    outcomes = _load(plans, clock, log)
    seconds = clock.monotonic() - began
    for outcome in outcomes:
        _log_errors(outcome, log)
    log.print_result(partial(print_summary, outcomes, seconds))
    for outcome in outcomes:
        for warning in outcome.report.warnings if outcome.report else ():
            log.of(outcome.account).caution(warning)
    log_summary(outcomes, seconds, log)
    if metrics and (failure := metrics.write(outcomes, options.final_exit_code, plans.others)):
        log.caution(failure)
    return worst(outcomes)


def _load(plans: Plans, clock: SystemClock, log: Log) -> list[Outcome]:
    """Load all accounts that can be loaded, and return how each ended, in the order of the file."""
    files, progress = SharedFiles(), AccountsProgress([planned.job.account for planned in plans.planned], clock.monotonic)

    def logs(account: str) -> Log:
        return log.of(account, partial(progress.start, account))

    def load(job: Job, own: SystemClock) -> LoadReport:
        account_log = logs(job.account)
        for warning in job.plan.warnings:
            account_log.caution(warning)
        create_directory(job.plan.destination)
        return load_account(job.plan, own, account_log, files)

    def end(outcome: Outcome) -> None:
        progress.end(outcome)
        log_end(outcome, logs(outcome.account))

    problems = [_unloaded(planned.job, planned.problem, clock.now()) for planned in plans.planned if planned.problem]
    with animated(log, progress):
        for problem in problems:
            end(problem)
        loaded = run_jobs([planned.job for planned in plans.planned if not planned.problem], plans.parallel, clock, load, end)
    outcomes = {outcome.account: outcome for outcome in (*problems, *loaded)}
    return [outcomes[planned.job.account] for planned in plans.planned]


def create_directory(destination: Destination) -> None:
    """Create the directory of a DuckDB file, such as ``data`` for ``data/acme.duckdb``, if only the last part of it is missing.

    A longer path that is missing may be a disk that is not mounted, so it is an error.

    Raises:
        DestinationError: The directory cannot be created.
    """
    if destination.path is not None:
        with explained(f"creating the directory of {destination.path}"):
            Path(destination.path).parent.mkdir(exist_ok=True)


def _unloaded(job: Job, problem: ConfigError, now: float) -> Outcome:
    return Outcome(job.account, job.plan.config.subdomain, job.plan.destination, now, error=problem)


def log_end(outcome: Outcome, log: Log) -> None:
    """Log how an account ended."""
    report, state = outcome.report, state_of(outcome)
    saved = report.saved if report else 0
    message = f"{state}, {counted(saved, 'record')} saved in {duration(outcome.seconds)}"
    log.note(message, "account_ended", state=state, records=saved, seconds=round(outcome.seconds, 3))


def _log_errors(outcome: Outcome, log: Log) -> None:
    """Log why an account is not complete, each reason once."""
    log = log.of(outcome.account)
    if outcome.error:
        log.fail(str(outcome.error), kind=type(outcome.error).__name__)
    elif outcome.report and outcome.report.is_one_failure:
        for reason in outcome.report.failures:
            log.fail(reason)
    elif outcome.report:
        log_errors(outcome.report, log)
