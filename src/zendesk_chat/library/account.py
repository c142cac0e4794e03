"""An account to read: its configuration, and what all of its reads share."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from zendesk_chat.api.auth import TokenSource, hand_over, token_source
from zendesk_chat.api.client import USER_AGENT, Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import HttpTransport
from zendesk_chat.clock import Clock, SystemClock
from zendesk_chat.config import ENVIRONMENT, EVERYTHING, Config, OAuth, parse_config, require_past_start, unknown_keys
from zendesk_chat.engine.check import Verdict
from zendesk_chat.engine.check import check as check_account
from zendesk_chat.errors import ConfigError
from zendesk_chat.sources import Source, combine
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds
from zendesk_chat.validation import is_absent
from zendesk_chat.variables import from_variables

__all__ = ["Account", "OnRotation", "Verdict", "check"]

OnRotation = Callable[[dict[str, object]], object]
logger: Final = logging.getLogger("zendesk_chat")
logger.addHandler(logging.NullHandler())  # without a handler, Python would print warnings to standard error


class Account:
    """An account to read. Creating one sends no request; ``check`` does.

    All reads of one account share its request quota, its connections and its tokens, even if they run in several threads at
    the same time. So create one account object for each account and process.

    Args:
        subdomain: ``acme`` for acme.zendesk.com. Default: ``ZENDESK_CHAT_SUBDOMAIN``.
        token: A Zendesk Chat access token. Default: ``ZENDESK_CHAT_TOKEN``, or the file ``ZENDESK_CHAT_TOKEN_FILE``.
        config: A configuration as for Airbyte, instead of the environment. The other arguments override it.
        start_date: Skip chats, timelines and events before this UTC time. Default: read all.
        end_date: Stop before this UTC time. Default: read until now.
        redact: How to change records before they leave the process, as in the setting of this name:
            ``{"hash_key": "...", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}``.
        lookback_minutes: How long before its state a read starts, to find chats that appear late.
        requests_per_minute: The maximum number of requests in any minute.
        request_timeout_seconds: Seconds without data before a request is retried.
        api_url: Another server with the same API. Default: ``ZENDESK_CHAT_API_URL``.
        on_rotation: Called with the complete new configuration when OAuth tokens were renewed, in a thread of a read, one call
            at a time. It MUST store them: the old tokens no longer work, and no request uses the new ones until it returns.

    Attributes:
        catalog: The streams, redacted as configured.

    Raises:
        ConfigError: A setting is missing or malformed, the start date is in the future, or the token is of another account.
    """

    def __init__(  # noqa: PLR0913  one argument for each setting, each with a default
        self,
        *,
        subdomain: str | None = None,
        token: str | None = None,
        config: Mapping[str, object] | None = None,
        start_date: str | date | None = None,
        end_date: str | date | None = None,
        redact: Mapping[str, object] | None = None,
        lookback_minutes: int | None = None,
        requests_per_minute: int | None = None,
        request_timeout_seconds: int | None = None,
        api_url: str | None = None,
        on_rotation: OnRotation | None = None,
    ) -> None:
        settings = {
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
        self._parsed = _parse(config, {key: value for key, value in settings.items() if value is not None}, on_rotation)
        self._raw: dict[str, object] = dict(self._parsed.raw)
        self._on_rotation = on_rotation
        clock = SystemClock()
        origin, timeout = self._parsed.origin, self._parsed.timeout
        self._transport = HttpTransport(origin, timeout=timeout, clock=clock, user_agent=USER_AGENT)
        self._tokens = token_source(self._parsed, self._transport, clock, hand_over(self._parsed, self._rotated))
        self._limiter = RateLimiter(self._parsed.requests_per_minute, clock)
        self.catalog = Catalog(self._parsed.redaction)
        for warning in (*unknown_keys(self._parsed.raw), *self.catalog.warnings):
            logger.warning("%s", warning)

    def __repr__(self) -> str:
        return f"<Account {self._parsed.subdomain}>"

    @property
    def config(self) -> dict[str, object]:
        """The configuration as passed in, with the current tokens. It contains secrets."""
        return dict(self._raw)

    @property
    def parsed(self) -> Config:
        """The validated configuration."""
        return self._parsed

    def client(self, clock: Clock) -> Client:
        """Return a client for one run. It waits by that run's clock."""
        tokens = _RunTokens(self._tokens, clock)
        return Client(self._parsed.api_url, transport=self._transport, tokens=tokens, limiter=self._limiter, clock=clock)

    def bounds(self, now: float) -> Bounds:
        """Return what a run that starts now asks of every stream."""
        return Bounds(self._parsed.start, now, self._parsed.lookback, end=self._parsed.end)

    def _rotated(self, config: dict[str, object]) -> None:
        self._raw = config
        try:
            if self._on_rotation:
                self._on_rotation(config)
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


def _parse(config: object, settings: Mapping[str, object], on_rotation: OnRotation | None) -> Config:
    """Merge the settings into the configuration, which they override, and validate the result."""
    if not isinstance(config, Mapping | None):
        raise ConfigError("config: must be a dictionary.")
    named = {"access_token": "token"}
    given = Source(settings, {key: named.get(key, key) for key in settings}, "option")
    if config is None:
        below = from_variables(os.environ, only=ENVIRONMENT.values())
    else:
        below = Source(config, {key: f"{key} in config" for key in config})
    raw = {"start_date": EVERYTHING, **combine([given, below]).values}
    _require_account(raw, in_config=config is not None)
    parsed = parse_config(raw)
    require_past_start(parsed, time.time())
    credentials = parsed.credentials
    if on_rotation is None and isinstance(credentials, OAuth) and credentials.renewable and credentials.refresh_token:
        raise ConfigError("on_rotation: pass a function that stores renewed OAuth tokens. A refresh token works only once.")
    return parsed


def _require_account(raw: Mapping[str, object], *, in_config: bool) -> None:
    """Raise a ConfigError that names what to give, if there is no account or no credentials."""
    remedies = {
        "subdomain": f"Pass subdomain=..., or set {ENVIRONMENT['subdomain']}.",
        "credentials": f"Pass token=..., or set {ENVIRONMENT['access_token']}.",
    }
    found = {"subdomain": raw.get("subdomain"), "credentials": raw.get("credentials") or raw.get("access_token")}
    for name, remedy in remedies.items():
        if is_absent(found[name]):
            raise ConfigError(f"{name}: missing. {'Add it to the config.' if in_config else remedy}")
