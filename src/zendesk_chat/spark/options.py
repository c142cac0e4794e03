"""The options of the data source. Spark shows options in plans and logs, so none of them may be a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.streams.keys import INTEGER
from zendesk_chat.validation import convert, did_you_mean

SETTINGS: Final = (
    "start_date",
    "end_date",
    "api_url",
    "lookback_minutes",
    "requests_per_minute",
    "request_timeout_seconds",
)
"""Options with the meaning that they have in an accounts file. They apply to all accounts and win over the file."""

_INTEGERS: Final = ("lookback_minutes", "requests_per_minute", "request_timeout_seconds", "days_per_batch", "poll_seconds")
_STREAMING: Final = ("days_per_batch", "poll_seconds")
_SECRET: Final = (
    "token",
    "access_token",
    "credentials",
    "config",
    "client_id",
    "client_secret",
    "refresh_token",
    "password",
    "hash_key",
)


class Options(Struct, frozen=True, kw_only=True):
    """Valid options.

    Attributes:
        accounts: Path of the accounts file; None to read one account.
        only: Names in the accounts file, separated by commas; None for all of them.
        token_file: Path of the file with the token of one account, where it is read.
        parents: Whether a stream extracted from chats has a row more for each chat that was read.
        quota_folder: Where processes share what is left of each account's requests; None for the temporary directory.
        days_per_batch: The longest time that one micro-batch reads of each account; None for no limit.
        poll_seconds: How long a stream waits before it asks for new records again.
    """

    stream: str
    accounts: str | None = None
    only: str | None = None
    subdomain: str | None = None
    token_file: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    api_url: str | None = None
    lookback_minutes: int | str | None = None  # the configuration of an account checks these three
    requests_per_minute: int | str | None = None
    request_timeout_seconds: int | str | None = None
    parents: Literal["false", "true"] = "false"
    quota_folder: str | None = None
    days_per_batch: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    poll_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 60

    @property
    def settings(self) -> dict[str, object]:
        """The settings of accounts that are set here."""
        return {key: value for key in SETTINGS if (value := getattr(self, key)) is not None}


def named(option: str) -> str:
    """Return what the user calls an option, for messages."""
    return f'option("{option}")'


def parse_options(given: Mapping[str, str]) -> Options:
    """Validate the options that Spark passes, whose names are in lower case.

    Raises:
        ConfigError: One is unknown, malformed or a secret, or two contradict each other. The message quotes no value.
    """
    known = Options.__struct_fields__
    for name in given:
        if name in _SECRET:
            raise ConfigError(
                f"{named(name)}: Spark shows options in plans and logs, so they must not contain secrets. Use "
                f"{named('token_file')}, the variable ZENDESK_CHAT_TOKEN of the executors, or an accounts file."
            )
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"Did you mean {near}?" if near else f"The options are {', '.join(known)}."
            raise ConfigError(f"{named(printable(name, LONGEST_NAME))}: there is no such option. {hint}")
        if not given[name].strip():
            raise ConfigError(f"{named(name)}: it is empty. Set a value, or remove the option.")
    options = convert(
        {name: _parsed(name, value.strip()) for name, value in given.items()},
        Options,
        names={name: named(name) for name in known},
    )
    _check_together(options)
    return options


def require_batch(given: Mapping[str, str]) -> None:
    """Raise a ConfigError if a batch query has an option that only a streaming query can use."""
    for name in _STREAMING:
        if name in given:
            raise ConfigError(f"{named(name)}: it is for streaming queries. Remove it, or use spark.readStream.")


def _parsed(name: str, text: str) -> object:
    """Parse the integer in an option. One that cannot be parsed stays as it is, and validation reports it."""
    if name in _INTEGERS:
        return int(text) if INTEGER.fullmatch(text) else text
    return text.lower() if name == "parents" else text


def _check_together(options: Options) -> None:
    """Raise a ConfigError if an option is of no use beside another one."""
    if options.accounts is None:
        if options.only is not None:
            raise ConfigError(f"{named('only')}: it selects accounts of a file. Set {named('accounts')} too.")
        return
    for name in ("subdomain", "token_file"):
        if getattr(options, name) is not None:
            raise ConfigError(
                f"{named(name)}: it is for one account, but {named('accounts')} is for several. Remove one of them."
            )
