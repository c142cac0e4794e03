"""The ``sync`` command: loads an account into a database."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.account_load import load_account
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.outcome import attempt
from zendesk_chat.load.plan import plan_load
from zendesk_chat.load.progress import announce_stop
from zendesk_chat.load.report import print_report

if TYPE_CHECKING:
    from zendesk_chat.load.metrics_file import MetricsFile


def sync(options: argparse.Namespace, clock: SystemClock) -> int:
    """Load the account into a database. Returns the exit code; see ``errors.ExitCode``."""
    console = PlainConsole(stderr=True)
    try:
        metrics = checked_metrics_file(options.metrics_file)
        plan = plan_load(options, os.environ, clock.now())
        warnings = plan.warnings
    except ConfigError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE
    for warning in warnings:
        say(console, f"warning: {warning}", "yellow")
    clock.on_interrupt = partial(announce_stop, console)
    outcome = attempt(plan.config.subdomain, plan, clock, partial(load_account, plan, clock, console))
    if outcome.error:
        say(console, f"error: {outcome.error}")
    if outcome.report:
        print_report(outcome.report, PlainConsole())
    if metrics and (failure := metrics.write([outcome], options.final_exit_code)):
        say(console, f"warning: {failure}", "yellow")
    return outcome.exit_code


def checked_metrics_file(path: str | None) -> MetricsFile | None:
    """Return the file of ``--metrics-file``, which can be written; None without this option. Raises ConfigError."""
    if path is None:
        return None
    from zendesk_chat.load.metrics_file import MetricsFile  # noqa: PLC0415  most runs have no such file

    file = MetricsFile(Path(path))
    file.check()
    return file
