"""The ``check`` command for people: reports whether the configuration can read the account, in sentences and by exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from zendesk_chat.api.client import connect
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Clock
from zendesk_chat.config import Config
from zendesk_chat.engine.check import check
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode, exit_code
from zendesk_chat.load.advice import for_people
from zendesk_chat.load.configuration import Configuration, gather
from zendesk_chat.load.console import PlainConsole, say


def run_check(options: argparse.Namespace, clock: Clock) -> int:
    """Check the account. Returns the exit code: 0 if it can be read, 1 to try again, 2 or 3 if a person must fix something."""
    console = PlainConsole(stderr=True)
    try:
        configuration = gather(options, os.environ)
        config = configuration.parse()
    except ConfigError as error:
        say(console, f"error: {error}")
        return ExitCode.USAGE
    for warning in configuration.warnings:
        say(console, f"warning: {warning}", "yellow")
    for line in _account(configuration, config):
        say(PlainConsole(), line)
    sys.stdout.flush()
    store = ConfigFile(configuration.store, clock) if configuration.store else None
    try:
        verdict = check(config, connect(config, clock, lambda _config: None, store), clock)
    except ConnectorError as error:
        say(console, f"error: {for_people(str(error))}")
        return exit_code([error])
    if verdict.succeeded:
        say(PlainConsole(), verdict.message)
        return ExitCode.COMPLETE
    say(console, f"error: {for_people(verdict.message)}")
    return ExitCode.INCOMPLETE if verdict.retry else ExitCode.ACTION_NEEDED


def _account(configuration: Configuration, config: Config) -> Iterator[str]:
    """Yield the account that is checked, and the source of each setting."""
    token = "credentials" if "credentials" in configuration.raw else "access_token"
    yield f"account  {config.subdomain} ({configuration.name('subdomain')})"
    yield f"token    {configuration.name(token)}"
    if "api_url" in configuration.raw:
        yield f"server   {config.origin} ({configuration.name('api_url')})"
