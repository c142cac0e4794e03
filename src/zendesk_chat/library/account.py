"""An account to read: its configuration, and what all reads of it share."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from zendesk_chat.api.auth import TokenSource, hand_over, token_source
from zendesk_chat.api.client import USER_AGENT, Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import HttpTransport
from zendesk_chat.clock import Clock, SystemClock
from zendesk_chat.config import ENVIRONMENT, EVERYTHING, Config, OAuth, parse_config, require_past_start
from zendesk_chat.config_keys import unknown_keys
from zendesk_chat.engine.check import Verdict
from zendesk_chat.engine.check import check as check_account
from zendesk_chat.errors import ConfigError
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds

__all__ = ["Account", "OnRotation", "Verdict", "check", "connect"]

OnRotation = Callable[[dict[str, Any]], object]
logger: Final = logging.getLogger("zendesk_chat")
logger.addHandler(logging.NullHandler())  # or Python would print warnings itself


class _TokensOfRun:
    """The account's tokens as one run uses them: a run that is to end uses up no refresh token any more."""

    def __init__(self, tokens: TokenSource, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self.settle = tokens.settle

    def token(self) -> str:
        self._clock.sleep(0)
        return self._tokens.token()

    def renew(self, refused: str) -> bool:
        self._clock.sleep(0)
        return self._tokens.renew(refused)


class Account:
    """An account to read, made by ``connect``.

    Reads of one account share its quota of requests, its connections and its tokens, at once and in any threads. So make one
    for each account and process.

    Attributes:
        catalog: The streams that can be read, redacted as configured.
    """

    def __init__(self, config: Config, on_rotation: OnRotation | None) -> None:
        clock = SystemClock()
        self._parsed = config
        self._raw = dict(config.raw)
        self._on_rotation = on_rotation
        self._transport = HttpTransport(config.origin, timeout=config.timeout, clock=clock, user_agent=USER_AGENT)
        self._tokens = token_source(config, self._transport, clock, hand_over(config, self._rotated))
        self._limiter = RateLimiter(config.requests_per_minute, clock)
        self.catalog = Catalog(config.redaction)
        for warning in (*unknown_keys(config.raw), *self.catalog.warnings):
            logger.warning("%s", warning)

    def __repr__(self) -> str:
        return f"<Account {self._parsed.subdomain}>"

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as given, with the tokens as they are now. It holds secrets."""
        return dict(self._raw)

    @property
    def parsed(self) -> Config:
        """The configuration as it was understood."""
        return self._parsed

    def client(self, clock: Clock) -> Client:
        """What one run asks the API with; the run's waits are those of its own clock."""
        tokens = _TokensOfRun(self._tokens, clock)
        return Client(self._parsed.api_url, transport=self._transport, tokens=tokens, limiter=self._limiter, clock=clock)

    def bounds(self, now: float) -> Bounds:
        """What a run that begins now asks of every stream."""
        return Bounds(self._parsed.start, now, self._parsed.lookback, end=self._parsed.end)

    def _rotated(self, config: dict[str, Any]) -> None:
        self._raw = config
        try:
            if self._on_rotation:
                self._on_rotation(config)
        except Exception as error:
            raise ConfigError(
                f"on_rotation raised {type(error).__name__}, so the renewed tokens may not be stored. The old ones are used "
                "up; the new ones are in the account's `config`."
            ) from error


def connect(  # noqa: PLR0913  the keys of a configuration, each with a default
    *,
    subdomain: str | None = None,
    token: str | None = None,
    config: Mapping[str, Any] | None = None,
    start_date: str | date | None = None,
    end_date: str | date | None = None,
    redact: Mapping[str, Any] | None = None,
    lookback_minutes: int | None = None,
    requests_per_minute: int | None = None,
    request_timeout_seconds: int | None = None,
    api_url: str | None = None,
    on_rotation: OnRotation | None = None,
) -> Account:
    """Say which account to read. Asks it nothing yet: ``check`` does.

    Args:
        subdomain: ``acme`` of acme.zendesk.com; by default ``ZENDESK_CHAT_SUBDOMAIN``.
        token: An access token of Zendesk Chat; by default ``ZENDESK_CHAT_TOKEN``.
        config: A configuration as Airbyte has it, in place of the environment; what is given beside it goes before it.
        start_date: Chats, timelines and events older than this UTC time are not read; by default all are.
        end_date: What is of this moment or younger is not read; by default all until now is.
        redact: What is changed in records before they leave the process, as in the setting of that name:
            ``{"hash_key": "...", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}``.
        lookback_minutes: How far a read from a state goes back, for chats that appear late.
        requests_per_minute: The most requests in any minute.
        request_timeout_seconds: A request without data for so long is given up and sent again.
        api_url: Another server that speaks this API; by default ``ZENDESK_CHAT_API_URL``.
        on_rotation: Called with the whole new configuration when OAuth tokens were renewed, in a thread of a read, one call at
            a time. The old tokens are used up, and the new ones are used only after it returns: it MUST store them.

    Raises:
        ConfigError: Something is missing or malformed, or the start date is in the future; the message says what.
    """
    given = {
        "subdomain": subdomain,
        "access_token": token,
        "start_date": start_date.isoformat() if isinstance(start_date, date) else start_date,
        "end_date": end_date.isoformat() if isinstance(end_date, date) else end_date,
        "redact": redact,
        "lookback_minutes": lookback_minutes,
        "requests_per_minute": requests_per_minute,
        "request_timeout_seconds": request_timeout_seconds,
        "api_url": api_url,
    }
    raw = {"start_date": EVERYTHING, **_configured(config)} | {key: value for key, value in given.items() if value is not None}
    if token is not None:
        raw.pop("credentials", None)
    parsed = parse_config(raw)
    require_past_start(parsed, time.time())
    credentials = parsed.credentials
    if on_rotation is None and isinstance(credentials, OAuth) and credentials.renewable and credentials.refresh_token:
        raise ConfigError("on_rotation: give a function that stores renewed OAuth tokens. A refresh token works only once.")
    return Account(parsed, on_rotation)


def check(account: Account) -> Verdict:
    """Ask each endpoint once whether it can be read; ``succeeded`` and ``message`` say what came of it."""
    stopped = threading.Event()
    clock = SystemClock(stopped)
    # Renewed tokens go from the account to its own on_rotation.
    return check_account(account.parsed, lambda _save: account.client(clock), clock, stopped, lambda _config: None)


def _configured(config: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if config is None:
        return {key: os.environ[name] for key, name in ENVIRONMENT.items() if os.environ.get(name)}
    if not isinstance(config, Mapping):
        raise ConfigError("config: give a dictionary.")
    return config
