"""An account to read: its configuration, and what all of its reads share."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from zendesk_chat.api.auth import TokenSource, hand_over, token_source
from zendesk_chat.api.client import USER_AGENT, Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.shared_quota import SharedQuota
from zendesk_chat.api.transport import HttpTransport
from zendesk_chat.clock import Clock, SystemClock
from zendesk_chat.config import Config, parse_date, unknown_keys
from zendesk_chat.engine.check import Verdict
from zendesk_chat.engine.check import check as check_account
from zendesk_chat.errors import ConfigError
from zendesk_chat.library.arguments import Arguments, ConfigArgument, OnRotation, iso, parse_arguments, without_secrets
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.records import SECOND_US, iso_seconds

__all__ = ["Account", "OnRotation", "Period", "Verdict", "check"]

logger: Final = logging.getLogger("zendesk_chat")
logger.addHandler(logging.NullHandler())  # without a handler, Python would print warnings to standard error


@dataclass(frozen=True, slots=True)
class Period:
    """The times that a read covers, in seconds since 1970. ``end`` is excluded; None for no end."""

    start: int
    end: int | None


class _Opened:
    """What all reads of an account share, once its configuration is read."""

    def __init__(self, arguments: Arguments, rotated: Callable[[dict[str, object]], None]) -> None:
        self.parsed = parsed = parse_arguments(arguments)
        clock = SystemClock()
        shared = None if arguments.quota is None else SharedQuota(arguments.quota, parsed.requests_per_minute, clock)
        self.transport = HttpTransport(parsed.origin, timeout=parsed.timeout, clock=clock, user_agent=USER_AGENT)
        self.tokens = token_source(parsed, self.transport, clock, hand_over(parsed, rotated))
        self.limiter = RateLimiter(parsed.requests_per_minute, clock, shared)
        self.catalog = Catalog(parsed.redaction)
        self.raw: dict[str, object] = dict(parsed.raw)
        for warning in (*unknown_keys(parsed.raw), *self.catalog.warnings):
            logger.warning("%s", warning)


class Account:
    """An account to read. Creating one sends no request; ``check`` does.

    All reads of one account share its request quota, its connections and its tokens, even if they run in several threads at
    the same time. So create one account object for each account and process. Processes share the quota through a file, if you
    name one as ``quota``.

    An account can be pickled, for example to read it in other processes. **The pickle contains no secrets.** Where it is
    loaded, the account gets them again when it is first used: from ``config``, if that is a function, otherwise from
    ``ZENDESK_CHAT_TOKEN`` or ``ZENDESK_CHAT_TOKEN_FILE``, and ``ZENDESK_CHAT_HASH_KEY``.

    Args:
        subdomain: ``acme`` for acme.zendesk.com. Default: ``ZENDESK_CHAT_SUBDOMAIN``.
        token: A Zendesk Chat access token. Default: ``ZENDESK_CHAT_TOKEN``, or the file ``ZENDESK_CHAT_TOKEN_FILE``.
        config: A configuration as for Airbyte, instead of the environment, or a function that returns one. The other arguments
            override it.
        start_date: Skip chats, timelines and events before this UTC time. Default: read all.
        end_date: Stop before this UTC time. Default: read until now.
        redact: How to change records before they leave the process, as in the setting of this name:
            ``{"hash_key": "...", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}``. Default of the key:
            ``ZENDESK_CHAT_HASH_KEY``.
        lookback_minutes: How long before its state a read starts, to find chats that appear late.
        requests_per_minute: The maximum number of requests in any minute.
        request_timeout_seconds: Seconds without data before a request is retried.
        api_url: Another server with the same API. Default: ``ZENDESK_CHAT_API_URL``.
        on_rotation: Called with the complete new configuration when OAuth tokens were renewed, in a thread of a read, one call
            at a time. It MUST store them: the old tokens no longer work, and no request uses the new ones until it returns.
            It is not pickled.
        quota: Path of a file through which processes share ``requests_per_minute``. It is created if it does not exist. Use one
            file for each account. A relative path starts in the current directory, also in the pickle.

    Raises:
        ConfigError: A setting is missing or malformed, the start date is in the future, or the token is of another account.
    """

    def __init__(  # noqa: PLR0913  one argument for each setting, each with a default
        self,
        *,
        subdomain: str | None = None,
        token: str | None = None,
        config: ConfigArgument | None = None,
        start_date: str | date | None = None,
        end_date: str | date | None = None,
        redact: Mapping[str, object] | None = None,
        lookback_minutes: int | None = None,
        requests_per_minute: int | None = None,
        request_timeout_seconds: int | None = None,
        api_url: str | None = None,
        on_rotation: OnRotation | None = None,
        quota: str | os.PathLike[str] | None = None,
    ) -> None:
        settings = {
            "subdomain": subdomain,
            "access_token": token,
            "start_date": None if start_date is None else iso(start_date, "start_date"),
            "end_date": None if end_date is None else iso(end_date, "end_date"),
            "redact": redact,
            "lookback_minutes": lookback_minutes,
            "requests_per_minute": requests_per_minute,
            "request_timeout_seconds": request_timeout_seconds,
            "api_url": api_url,
        }
        given = {key: value for key, value in settings.items() if value is not None}
        self._restore(Arguments(config, given, on_rotation, None if quota is None else str(Path(quota).absolute())))
        _ = self._opened  # now, so that mistakes are found here

    def _restore(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._lock = threading.Lock()
        self._once: _Opened | None = None

    @property
    def _opened(self) -> _Opened:
        """What reads share. It is created at first use, because a pickled account may be loaded where there is no token."""
        with self._lock:
            self._once = self._once or _Opened(self._arguments, self._rotated)
            return self._once

    def __reduce__(self) -> tuple[Callable[[Arguments], Account], tuple[Arguments]]:
        """Return what to pickle. Raises ConfigError for a refresh token: two processes cannot use it."""
        return _unpickled, (without_secrets(self._arguments, self._once.parsed if self._once else None),)

    def __copy__(self) -> Account:
        """Return this account: a copy would have a quota of its own."""
        return self

    def __deepcopy__(self, memo: object) -> Account:
        """Return this account: a copy would have a quota of its own."""
        return self

    def __repr__(self) -> str:
        pickled = self._arguments.pickled
        return f"<Account {pickled.subdomain if pickled else self.subdomain}>"

    @property
    def subdomain(self) -> str:
        """``acme`` for acme.zendesk.com."""
        return self.parsed.subdomain

    @property
    def config(self) -> dict[str, object]:
        """The configuration as passed in, with the current tokens. It contains secrets."""
        return dict(self._opened.raw)

    @property
    def parsed(self) -> Config:
        """The validated configuration."""
        return self._opened.parsed

    @property
    def catalog(self) -> Catalog:
        """The streams, redacted as configured."""
        return self._opened.catalog

    def client(self, clock: Clock) -> Client:
        """Return a client for one run. It waits by that run's clock."""
        opened = self._opened
        tokens = _RunTokens(opened.tokens, clock)
        return Client(opened.parsed.api_url, transport=opened.transport, tokens=tokens, limiter=opened.limiter, clock=clock)

    def period(self, start_date: str | date | None = None, end_date: str | date | None = None) -> Period:
        """Return the times that a read covers. Each date that is None is the account's own. Raises ConfigError."""
        parsed = self.parsed
        start = parsed.start if start_date is None else parse_date(iso(start_date, "start_date"), "start_date")
        end = parsed.end if end_date is None else parse_date(iso(end_date, "end_date"), "end_date")
        if end is not None and end <= start and (start_date is not None or end_date is not None):
            raise ConfigError(f"end_date: {iso_seconds(end * SECOND_US)} must be later than {iso_seconds(start * SECOND_US)}.")
        return Period(start, end)

    def _rotated(self, config: dict[str, object]) -> None:
        if self._once:
            self._once.raw = config
        try:
            if self._arguments.on_rotation:
                self._arguments.on_rotation(config)
        except Exception as error:
            raise ConfigError(
                f"on_rotation raised {type(error).__name__}, so the renewed tokens may not be stored. The old ones no longer "
                "work. The new ones are in the account's `config`."
            ) from error


def check(account: Account) -> Verdict:
    """Ask each endpoint once whether it can be read. The verdict has ``succeeded`` and ``message``."""
    clock = SystemClock()
    return check_account(account.parsed, account.client(clock), clock)


@dataclass(frozen=True, slots=True)
class _RunTokens:
    """The account's tokens for one run. A stopped run renews none: a refresh token would be lost."""

    tokens: TokenSource
    clock: Clock

    def token(self) -> str:
        self.clock.check()
        return self.tokens.token()

    def renew(self, refused: str) -> bool:
        self.clock.check()
        return self.tokens.renew(refused)

    def settle(self, seconds: float) -> None:
        self.tokens.settle(seconds)


def _unpickled(arguments: Arguments) -> Account:
    account = Account.__new__(Account)
    account._restore(arguments)  # noqa: SLF001  what `__init__` does, except that nothing is read yet
    return account
