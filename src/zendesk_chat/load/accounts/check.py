"""``check --accounts``: whether each account of an accounts file can be read, in one table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from zendesk_chat.api.client import connect
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import SystemClock
from zendesk_chat.engine.check import check
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode, exit_code, one_line
from zendesk_chat.load.accounts.planning import Planned, plan_accounts
from zendesk_chat.load.accounts.running import most_urgent
from zendesk_chat.load.advice import for_people
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.report import plain_table, print_complete


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one account's check. The message describes what can be read, or what to do."""

    account: str
    message: str
    code: ExitCode = ExitCode.COMPLETE


def run_accounts_check(options: argparse.Namespace, clock: SystemClock) -> int:
    """Check all accounts, some at the same time. Returns the exit code: the most urgent one, as of ``sync --accounts``."""
    console = PlainConsole(stderr=True)
    try:
        plans = plan_accounts(options, os.environ, clock.now())
    except ConfigError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE
    for warning in plans.warnings:
        say(console, f"warning: {warning}", "yellow")
    with ThreadPoolExecutor(plans.parallel) as threads:
        results = list(threads.map(partial(_check, clock), plans.planned))
    _print_table(results)
    sys.stdout.flush()
    for result in results:
        if result.code:
            say(console, f"error: {result.account}: {for_people(result.message)}")
    return most_urgent(result.code for result in results)


def _check(clock: SystemClock, planned: Planned) -> Checked:
    """Check one account. Never raises."""
    account, plan = planned.job.account, planned.job.plan
    if planned.problem:
        return Checked(account, str(planned.problem), exit_code([planned.problem]))
    own = clock.child()  # the check stops it
    store = ConfigFile(plan.config_file, own) if plan.config_file else None
    try:
        verdict = check(plan.config, connect(plan.config, own, lambda _config: None, store), own)
    except ConnectorError as error:
        return Checked(account, str(error), exit_code([error]))
    except Exception as unexpected:  # noqa: BLE001  the user sees a message, and other accounts continue
        return Checked(account, one_line(unexpected), ExitCode.INCOMPLETE)
    if verdict.succeeded:
        return Checked(account, verdict.message)
    return Checked(account, verdict.message, ExitCode.INCOMPLETE if verdict.retry else ExitCode.ACTION_NEEDED)


def _print_table(results: Sequence[Checked]) -> None:
    from rich.text import Text  # noqa: PLC0415  late, because it takes time to import

    table = plain_table(["account", "result"])
    for result in results:
        table.add_row(result.account, Text("failed", style="red") if result.code else Text(result.message))
    print_complete(table, PlainConsole())
