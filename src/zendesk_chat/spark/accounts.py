"""The accounts that Spark reads. The driver plans with their settings, and each executor finds the token itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from pyspark import SparkFiles

from zendesk_chat.config import ENVIRONMENT, Config, parse_subdomain, require_past_start
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.accounts_file import CREDENTIALS as ACCOUNT_CREDENTIALS
from zendesk_chat.load.accounts.accounts_file import Entry, chosen, read_accounts
from zendesk_chat.load.accounts.entry_sources import account_name, sources_of
from zendesk_chat.load.configuration import Configuration, configure
from zendesk_chat.load.selection import choose_streams
from zendesk_chat.load.settings_file import from_file
from zendesk_chat.printable import printable
from zendesk_chat.redaction.rules import Redaction
from zendesk_chat.settings import HASH_KEY
from zendesk_chat.sources import CREDENTIALS, Source
from zendesk_chat.spark.options import Options, named
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Stream
from zendesk_chat.variables import from_variables, read_secret

HasValues = TypeVar("HasValues", Entry, Source)
# Weaker than everything else, so that a driver without secrets validates the rest.
_UNREAD_TOKEN: Final = Source({"access_token": "unread"}, {}, "variable")
_UNREAD_KEY: Final = Source({"hash_key": "unread-unread-unread"}, {}, "variable")


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Finds the configuration of an account on the machine where it is called.

    It is sent to executors. It names files and variables, and carries no secret.

    Attributes:
        name: In the accounts file; of a single account, its subdomain.
    """

    name: str
    options: Options

    def __call__(self) -> dict[str, object]:
        """Return the configuration with its secrets.

        Raises:
            ConfigError: A file or a variable with a secret is missing on this machine, or the account needs a refresh token.
        """
        configuration = configure(self._sources(secrets=True))
        raw = configuration.raw
        if not (raw.get("credentials") or raw.get("access_token")):
            raise ConfigError(
                f"The token of {self.name} is missing on {socket.gethostname()}. Set ZENDESK_CHAT_TOKEN or "
                f"ZENDESK_CHAT_TOKEN_FILE in the environment of the driver and the executors, or {named('token_file')}."
            )
        _refuse_refresh_token(self.name, raw)
        configuration.parse()  # a message names the file or the variable of a malformed token
        return raw

    def settings(self) -> Configuration:
        """Return the configuration without its secrets, which the driver may not have. Raises ConfigError."""
        sources = self._sources(secrets=False)
        missing = [] if any(source.credentials for source in sources) else [_UNREAD_TOKEN]
        return configure([*sources, *missing, _UNREAD_KEY])

    def _sources(self, *, secrets: bool) -> list[Source]:
        """Return where the settings come from, the strongest first."""
        settings = self.options.settings
        command = Source(settings, {key: named(key) for key in settings}, "option")
        if self.options.accounts is not None:
            entry = self._entry(self.options.accounts)
            own = sources_of(entry, os.environ) if secrets else _settings_of(entry)
            return [command, *own, *account_name(entry, own), *_variables(HASH_KEY, secrets=secrets)]
        return [self._single(command, secrets=secrets), *_variables(*ENVIRONMENT.values(), HASH_KEY, secrets=secrets)]

    def _single(self, command: Source, *, secrets: bool) -> Source:
        """Return the options of a single account, with the token in ``token_file``."""
        values, names = {**command.values, "subdomain": self.name}, {**command.names, "subdomain": named("subdomain")}
        if self.options.token_file is not None and secrets:
            values["access_token"] = read_secret(str(found_here(self.options.token_file)), named("token_file"))
            names["access_token"] = named("token_file")
        return Source(values, names, "option")

    def _entry(self, file: str) -> Entry:
        path = found_here(file)
        if not path.exists():
            raise ConfigError(
                f"{named('accounts')}: {printable(file)} does not exist on {socket.gethostname()}. Put the file at this path "
                "on the driver and on each executor, or distribute it: spark.sparkContext.addFile(...)."
            )
        entry = _entries(path).get(self.name)
        if entry is None:
            raise ConfigError(
                f"{path} on {socket.gethostname()} has no account {self.name}. Copy the same file to all machines."
            )
        return entry


@dataclass(frozen=True, slots=True)
class SparkAccount:
    """An account to read, as the driver knows it.

    Attributes:
        stream: The stream to read, redacted as the account requires.
    """

    config: AccountConfig
    parsed: Config
    stream: Stream

    @property
    def name(self) -> str:
        """The value of the column ``account``."""
        return self.config.name


def _variables(*names: str, secrets: bool) -> list[Source]:
    """Return the settings in these variables, all of which may have secrets."""
    return [from_variables(os.environ, only=names)] if secrets else []


def _settings_of(entry: Entry) -> list[Source]:
    """Return the settings of an account, without secrets. Those in its JSON file count, if this machine has the file."""
    _refuse_refresh_token(entry.account, entry.values)
    path = entry.values.get("config")
    without_file = replace(entry, values={key: value for key, value in entry.values.items() if key != "config"})
    own = sources_of(_without_token(without_file, ACCOUNT_CREDENTIALS), os.environ)
    if not path:
        return own
    try:
        file = from_file(Path(str(path)))
    except ConfigError:  # the executor reports it
        return own
    _refuse_refresh_token(entry.account, file.values)
    return [*own, _without_token(file, CREDENTIALS)]


def _without_token(given: HasValues, keys: Sequence[str]) -> HasValues:
    """Return settings whose token is replaced, if they have one: settings beside a token are for its account only."""
    values = {key: value for key, value in given.values.items() if key not in keys}
    return replace(given, values={**values, **_UNREAD_TOKEN.values} if len(values) < len(given.values) else values)


def _entries(path: Path) -> Mapping[str, Entry]:
    """Return the accounts of a file by name. A process parses each version of a file once, for thousands of accounts."""
    found = path.stat()
    return _parsed_entries(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _parsed_entries(path: Path, _mtime_ns: int, _bytes: int) -> Mapping[str, Entry]:
    return {entry.account: entry for entry in read_accounts(path).entries}


def find_accounts(options: Options, now: float) -> list[SparkAccount]:
    """Return the accounts to read that have the stream: not those whose ``streams`` or ``exclude`` in the file omit it.

    Raises:
        ConfigError: There is no such stream, the accounts file cannot be read, or a setting in it is malformed.
    """
    _check_stream(options)
    accounts = [account for name in _names(options) if (account := _account(AccountConfig(name, options), now))]
    if not accounts:
        raise ConfigError(f"{named('stream')}: no account has {options.stream}. See streams and exclude in {options.accounts}.")
    _require_different(accounts)
    return accounts


def found_here(file: str) -> Path:
    """Return the path of a file on this machine: as it is named, or as ``SparkContext.addFile`` distributed it."""
    path = Path(file).expanduser()
    if not path.exists():
        with suppress(AssertionError):  # there is no Spark in this process
            distributed = Path(SparkFiles.get(path.name))
            return distributed if distributed.exists() else path
    return path


def _names(options: Options) -> Sequence[str]:
    if options.accounts is None:
        subdomain = options.subdomain or os.environ.get(ENVIRONMENT["subdomain"])
        if not subdomain:
            raise ConfigError(
                f"Set {named('accounts')} to the path of an accounts file, or {named('subdomain')} for one account."
            )
        return [parse_subdomain(subdomain, named("subdomain"))]
    only = None if options.only is None else [options.only]
    return [entry.account for entry in chosen(read_accounts(_existing(options.accounts)), only, named("only"))]


def _existing(file: str) -> Path:
    path = found_here(file)
    if not path.exists():
        raise ConfigError(f"{named('accounts')}: {printable(file)} does not exist on the driver.")
    return path


def _account(config: AccountConfig, now: float) -> SparkAccount | None:
    """Return an account, or None if its settings omit the stream."""
    configuration = config.settings()
    parsed = configuration.parse()
    require_past_start(parsed, now, configuration.names)
    given, name = configuration.settings, configuration.name
    stream = config.options.stream
    if stream not in choose_streams(given.streams, given.exclude, (name("streams"), name("exclude"))):
        return None
    return SparkAccount(config, parsed, _catalog(parsed.redaction).streams[stream])


@lru_cache(maxsize=16)
def _catalog(redaction: Redaction | None) -> Catalog:
    """Return the streams for a redaction, which most accounts share."""
    return Catalog(redaction)


def _refuse_refresh_token(account: str, raw: Mapping[str, object]) -> None:
    credentials = raw.get("credentials")
    if isinstance(credentials, Mapping) and credentials.get("refresh_token"):
        raise ConfigError(
            f"{account} has an OAuth refresh token. It works only once, so the machines of a cluster cannot share it. Use an "
            "access token that does not expire."
        )


def _check_stream(options: Options) -> None:
    (name,) = choose_streams([options.stream], names=(named("stream"), ""))
    if options.parents == "true" and Catalog().streams[name].parent_field is None:
        raise ConfigError(f"{named('parents')}: the records of {name} replace no other records. Remove the option.")


def _require_different(accounts: Sequence[SparkAccount]) -> None:
    known: dict[tuple[str, str], str] = {}
    for account in accounts:
        key = (account.parsed.subdomain, account.parsed.api_url)
        if (other := known.setdefault(key, account.name)) != account.name:
            raise ConfigError(f"{other} and {account.name} are the same account, {key[0]}. Remove one of them.")
