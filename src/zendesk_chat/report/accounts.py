"""``report --accounts``: a page for each account of an accounts file."""

from __future__ import annotations

import argparse

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.accounts.accounts_file import PLACEHOLDER
from zendesk_chat.load.accounts.status import entries_of
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.database import MAIN, Database
from zendesk_chat.report.arguments import REPORT_OF_ACCOUNT
from zendesk_chat.report.command import report_on


def report_accounts(options: argparse.Namespace, clock: Clock) -> int:
    """Write the reports, one after another. One that fails does not affect the others.

    Returns:
        The exit code: 0 if all are written.
    """
    try:
        output = _output(options)
        entries = entries_of(options)
    except ConfigError as error:
        say(PlainConsole(stderr=True), f"error: {error}")
        return ExitCode.USAGE
    codes = [
        report_on(
            Database(str(entry.values["to"]), str(entry.values.get("schema") or MAIN)),
            output.replace(PLACEHOLDER, entry.account),
            options,
            clock,
            prefix=f"{entry.account}: ",
        )
        for entry in entries
    ]
    return ExitCode.INCOMPLETE if any(codes) else ExitCode.COMPLETE


def _output(options: argparse.Namespace) -> str:
    """Return where the reports go, with the placeholder. Raises ConfigError if the options do not suit several accounts."""
    output = str(options.output or REPORT_OF_ACCOUNT)
    if options.json:
        raise ConfigError("--json prints the figures of one account. Name its file instead of --accounts.")
    if PLACEHOLDER not in output:
        raise ConfigError(f"-o {output}: each account needs a file of its own. Add {PLACEHOLDER}, such as {REPORT_OF_ACCOUNT}.")
    if options.time_zone:
        check_time_zone(options.time_zone)
    return output
