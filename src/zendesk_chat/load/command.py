"""The ``sync`` command: loads an account into a database."""

from __future__ import annotations

import argparse
import os
from functools import partial

from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.account_load import load_account
from zendesk_chat.load.console import PlainConsole
from zendesk_chat.load.log import Log, run_logged
from zendesk_chat.load.plan import plan_load
from zendesk_chat.load.report import print_report
from zendesk_chat.load.run_log import log_errors, log_settings, log_summary


def sync(options: argparse.Namespace, clock: SystemClock) -> int:
    """Load the account into a database. Returns the exit code; see ``errors.ExitCode``."""
    return run_logged(options, clock, partial(_sync, options, clock))


def _sync(options: argparse.Namespace, clock: SystemClock, log: Log) -> int:
    try:
        plan = plan_load(options, os.environ, clock.now())
    except ConfigError as error:
        log.fail(str(error), kind=type(error).__name__)
        return ExitCode.USAGE
    log_settings(log, plan.origins)
    for warning in plan.warnings:
        log.caution(warning)
    clock.on_interrupt = partial(log.note, "Stopping; saving ...", "stopping")
    try:
        report = load_account(plan, clock, log)
    except Stopped:  # while another program had the file open
        return ExitCode.INCOMPLETE
    log_errors(report, log)
    if not log.quiet:
        print_report(report, PlainConsole())
    log_summary(report, log)
    return report.exit_code
