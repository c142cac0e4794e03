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
from zendesk_chat.load.accounts.running import Job
from zendesk_chat.load.configuration import configure, from_options
from zendesk_chat.load.plan import make_plan
from zendesk_chat.load.settings_file import from_file
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.sources import Source
from zendesk_chat.variables import from_variables, read_secret

_OF_ONE_ACCOUNT: Final = ("--config", "--subdomain", "--token", "--api-url", "--renamed-from")
_HASH_KEY: Final = ("ZENDESK_CHAT_HASH_KEY",)
_UNREAD: Final = "unread"  # replaces a secret that cannot be read, so that everything else is validated


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
    command, hash_key = from_options(options), from_variables(environment, only=_HASH_KEY)
    planned = [_plan(entry, [command, hash_key], options, environment, now) for entry in entries]
    check_conflicts([one.job for one in planned], file.path)
    others = [entry.account for entry in file.entries if entry not in entries]
    return Plans(planned, others, file.parallel, file.warnings)


def _value(options: argparse.Namespace, option: str) -> object:
    return getattr(options, option.removeprefix("--").replace("-", "_"))


def _plan(
    entry: Entry, common: Sequence[Source], options: argparse.Namespace, environment: Mapping[str, str], now: float
) -> Planned:
    command, *others = common
    problem = None
    try:
        own = _sources(entry, environment)
    except ConfigError as error:
        problem, own = error, [_without_secret(entry)]
    fallback = Source({"subdomain": entry.account}, {"subdomain": f"the name of the account {entry.account}"})
    sources = [_for_account(command, entry.account), *own, *others]
    sources += [] if any("subdomain" in source.values for source in own) else [fallback]
    plan = make_plan(configure(sources), now, full_refresh=options.full_refresh)
    return Planned(Job(entry.account, plan), problem)


def _for_account(command: Source, account: str) -> Source:
    """Return the options of the command line for one account: ``--to`` and ``--schema`` may name it."""
    named = {key: str(command.values[key]).replace(PLACEHOLDER, account) for key in ("to", "schema") if key in command.values}
    return replace(command, values={**command.values, **named})


def _sources(entry: Entry, environment: Mapping[str, str]) -> list[Source]:
    """Return the settings of an account, with its secret. Raises a ConfigError if it cannot be read."""
    values, names = dict(entry.values), dict(entry.names)
    config = values.pop("config", None)
    if "token_file" in values:
        values["access_token"] = read_secret(str(values.pop("token_file")), names["token_file"])
        names["access_token"] = names["token_file"]
    elif "token_env" in values:
        variable = str(values.pop("token_env"))
        names["access_token"] = variable
        values["access_token"] = environment.get(variable)
        if not values["access_token"]:
            raise ConfigError(f"{names['token_env']}: the environment variable {printable(variable, LONGEST_NAME)} is not set.")
    elif "token" in values:
        values["access_token"], names["access_token"] = values.pop("token"), names["token"]
    sources = [Source(values, names, files=_named(entry))]
    if entry.shared_redact is not None:
        sources.append(Source({"redact": entry.shared_redact}, {"redact": "redact for all accounts"}))
    return [*sources, from_file(Path(str(config)))] if config else sources


def _without_secret(entry: Entry) -> Source:
    values = {key: value for key, value in entry.values.items() if key not in ("config", "token_file", "token_env")}
    return Source({**values, "access_token": _UNREAD}, entry.names, files=_named(entry))


def _named(entry: Entry) -> dict[str, str]:
    """Return the files that an account names, by what the user calls them."""
    return {entry.names[key]: str(entry.values[key]) for key in ("config", "token_file") if key in entry.values}
