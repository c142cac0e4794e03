"""The ``sync`` command: loads an account into a database."""

from __future__ import annotations

import argparse
import os
from functools import partial

from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode, exit_code
from zendesk_chat.load.account_load import load_account
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.plan import plan_load
from zendesk_chat.load.progress import announce_stop
from zendesk_chat.load.report import print_report


def sync(options: argparse.Namespace, clock: SystemClock) -> int:
    """Load the account into a database. Returns the exit code; see ``errors.ExitCode``."""
    console = PlainConsole(stderr=True)
    try:
        plan = plan_load(options, os.environ, clock.now())
        warnings = plan.warnings
    except ConfigError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE
    for warning in warnings:
        say(console, f"warning: {warning}", "yellow")
    clock.on_interrupt = partial(announce_stop, console)
    try:
        report = load_account(plan, clock, console)
    except ConnectorError as error:
        say(console, f"error: {error}")
        return exit_code([error])
    except Stopped:  # while another program had the file open
        return ExitCode.INCOMPLETE
    print_report(report, PlainConsole())
    return report.exit_code
