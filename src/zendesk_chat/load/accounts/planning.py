"""What ``sync --accounts`` will do: a plan for each account, all of them validated before the first one starts."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.accounts_file import PLACEHOLDER, Entry, chosen, read_accounts
from zendesk_chat.load.accounts.conflicts import check_conflicts
from zendesk_chat.load.accounts.entry_sources import account_name, sources_of, without_secret
from zendesk_chat.load.accounts.running import Job
from zendesk_chat.load.configuration import configure, from_options
from zendesk_chat.load.plan import make_plan
from zendesk_chat.settings import HASH_KEY
from zendesk_chat.sources import Source
from zendesk_chat.variables import from_variables

_OF_ONE_ACCOUNT: Final = ("--config", "--subdomain", "--token", "--api-url", "--renamed-from")


@dataclass(frozen=True, slots=True)
class Planned:
    """An account that will be loaded.

    Attributes:
        problem: Why it cannot be loaded: its secret cannot be read.
    """

    job: Job
    problem: ConfigError | None = None


@dataclass(frozen=True, slots=True)
class Plans:
    """All accounts of a run.

    Attributes:
        others: Accounts in the file that this run does not load.
        parallel: How many are loaded at the same time.
        warnings: About the file.
    """

    planned: Sequence[Planned]
    others: Sequence[str]
    parallel: int
    warnings: Sequence[str]

    @property
    def files(self) -> dict[str, str]:
        """Paths of the databases and of the files that the accounts file names, by what the user calls them."""
        return {
            f"{name} of {one.job.account}" if name.startswith("--") else name: path
            for one in self.planned
            for name, path in one.job.plan.files.items()
        }


def plan_accounts(options: argparse.Namespace, environment: Mapping[str, str], now: float) -> Plans:
    """Validate the accounts file, and everything that it and the options name.

    Of the environment, only the key for hashes and the variables that the file names are used.

    Raises:
        ConfigError: Something is wrong; nothing has been read or written.
    """
    if given := [option for option in _OF_ONE_ACCOUNT if _value(options, option) is not None]:
        raise ConfigError(f"{given[0]} is for one account, but --accounts is for several. Remove one of them.")
    file = read_accounts(Path(options.accounts))
    entries = chosen(file, options.only)
    command, hash_key = from_options(options), from_variables(environment, only=(HASH_KEY,))
    planned = [_plan(entry, [command, hash_key], options, environment, now) for entry in entries]
    check_conflicts([one.job for one in planned], file.path)
    names = {entry.account for entry in entries}
    others = [entry.account for entry in file.entries if entry.account not in names]
    return Plans(planned, others, file.parallel, file.warnings)


def _value(options: argparse.Namespace, option: str) -> object:
    return getattr(options, option.removeprefix("--").replace("-", "_"))


def _plan(
    entry: Entry, common: Sequence[Source], options: argparse.Namespace, environment: Mapping[str, str], now: float
) -> Planned:
    command, *others = common
    problem = None
    try:
        own = sources_of(entry, environment)
    except ConfigError as error:
        problem, own = error, [without_secret(entry)]
    sources = [_for_account(command, entry.account), *own, *others, *account_name(entry, own)]
    plan = make_plan(configure(sources), now, full_refresh=options.full_refresh)
    return Planned(Job(entry.account, plan), problem)


def _for_account(command: Source, account: str) -> Source:
    """Return the options of the command line for one account: ``--to`` and ``--schema`` may name it."""
    named = {key: str(command.values[key]).replace(PLACEHOLDER, account) for key in ("to", "schema") if key in command.values}
    return replace(command, values={**command.values, **named})
