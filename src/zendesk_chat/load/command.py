"""The ``sync`` command: loads an account into a database."""

from __future__ import annotations

import argparse
import os
from functools import partial

from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.account_load import load_account
from zendesk_chat.load.log import Log, run_logged
from zendesk_chat.load.metrics_option import checked_metrics_file
from zendesk_chat.load.named_files import check_written
from zendesk_chat.load.outcome import attempt
from zendesk_chat.load.plan import Plan, plan_load
from zendesk_chat.load.report import print_report
from zendesk_chat.load.run_log import log_errors, log_settings, log_summary


def sync(options: argparse.Namespace, clock: SystemClock) -> int:
    """Load one account, or those of a file, into a database. Returns the exit code; see ``errors.ExitCode``."""
    if options.accounts is None:
        return run_logged(options, clock, partial(_sync, options, clock))
    from zendesk_chat.load.accounts.command import sync_accounts  # noqa: PLC0415  most runs load one account

    return run_logged(options, clock, partial(sync_accounts, options, clock))


def _sync(options: argparse.Namespace, clock: SystemClock, log: Log) -> int:
    try:
        metrics, plan = checked_metrics_file(options.metrics_file), _plan(options, clock)
        check_written(options, os.environ, plan.files, log)
    except ConfigError as error:
        log.fail(str(error), kind=type(error).__name__)
        return ExitCode.USAGE
    log_settings(log, plan.origins)
    for warning in plan.warnings:
        log.caution(warning)
    clock.on_interrupt = partial(log.note, "Stopping and saving ...", "stopping")
    outcome = attempt(plan.config.subdomain, plan, clock, partial(load_account, plan, clock, log))
    if outcome.error:
        log.fail(str(outcome.error), kind=type(outcome.error).__name__)
    if outcome.report:
        log_errors(outcome.report, log)
        log.print_result(partial(print_report, outcome.report))
        for warning in outcome.report.warnings:  # last, because the table above fills a terminal
            log.caution(warning)
        log_summary(outcome.report, log)
    if metrics and (failure := metrics.write([outcome], options.final_exit_code)):
        log.caution(failure)
    return outcome.exit_code


def _plan(options: argparse.Namespace, clock: SystemClock) -> Plan:
    if options.only is not None:
        raise ConfigError("--only chooses accounts of a file. Name that file with --accounts.")
    return plan_load(options, os.environ, clock.now())
