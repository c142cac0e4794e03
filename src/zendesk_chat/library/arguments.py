"""What an account was created with: its settings and where they come from, and what of them may be pickled."""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import TypeAlias

from zendesk_chat.config import ENVIRONMENT, EVERYTHING, TOP_KEYS, Config, OAuth, parse_config, require_past_start
from zendesk_chat.errors import ConfigError
from zendesk_chat.settings import HASH_KEY
from zendesk_chat.sources import CREDENTIALS, Source, combine
from zendesk_chat.validation import is_absent
from zendesk_chat.variables import from_variables

OnRotation: TypeAlias = Callable[[dict[str, object]], object]
ConfigArgument: TypeAlias = Mapping[str, object] | Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Pickled:
    """What a pickle knows about the account's token: enough to recognize it.

    Attributes:
        digest: Of the token, with ``salt`` as the key. It does not reveal the token, which is long and random.
    """

    subdomain: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, parsed: Config) -> Pickled:
        """Return what to pickle."""
        salt = secrets.token_bytes(16)
        return cls(parsed.subdomain, salt, _digest(parsed.credentials.access_token or "", salt))

    def recognizes(self, token: object) -> bool:
        """Return whether this is the token that the account had."""
        return hmac.compare_digest(_digest(str(token), self.salt), self.digest)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an account was created with.

    Attributes:
        settings: The arguments that have a key in the configuration, by key.
        quota: An absolute path.
        pickled: The account that was pickled, if it was.
    """

    config: ConfigArgument | None = field(repr=False)
    settings: Mapping[str, object] = field(repr=False)
    on_rotation: OnRotation | None = None
    quota: str | None = None
    pickled: Pickled | None = None


def iso(time: object, name: str) -> str:
    """Return a date or time as a setting. Raises ConfigError for anything else; ``name`` is that of the argument."""
    if isinstance(time, date):
        return time.isoformat()
    if isinstance(time, str):
        return time
    raise ConfigError(f"{name}: must be a string such as 2026-01-31, or a date.")


def parse_arguments(arguments: Arguments) -> Config:
    """Merge the settings into the configuration, which they override, and validate the result. Raises ConfigError."""
    config, settings = arguments.config, arguments.settings
    if callable(config):
        config = config()
    if not isinstance(config, Mapping | None):
        raise ConfigError("config: must be a dictionary, or a function that returns one.")
    named = {"access_token": "token"}
    sources = [Source(settings, {key: named.get(key, key) for key in settings}, "option")]
    if config is not None:
        sources.append(Source(config, {key: f"{key} in config" for key in config}))
    if config is None:
        environment = from_variables(os.environ, only=ENVIRONMENT.values())
        if arguments.pickled:
            _require_token_of(arguments.pickled, environment)
        sources.append(environment)
    raw = _with_hash_key({"start_date": EVERYTHING, **combine(sources).values})
    _require_account(raw, in_config=config is not None)
    parsed = parse_config(raw)
    require_past_start(parsed, time.time())
    if arguments.on_rotation is None and _rotates(parsed):
        raise ConfigError("on_rotation: pass a function that stores renewed OAuth tokens. A refresh token works only once.")
    return parsed


def _with_hash_key(raw: dict[str, object]) -> dict[str, object]:
    """Return a configuration whose redaction has the key of hashes from the environment, if it has none itself."""
    redact = raw.get("redact")
    if not isinstance(redact, Mapping) or not is_absent(redact.get("hash_key")):
        return raw
    key = from_variables(os.environ, only=(HASH_KEY,)).values.get("hash_key")
    return raw if key is None else {**raw, "redact": {**redact, "hash_key": key}}


def _require_token_of(pickled: Pickled, environment: Source) -> None:
    """Check that the environment has a token, and that it is of the account that was pickled."""
    token, subdomain = environment.values.get("access_token"), pickled.subdomain
    remedy = "Or create the account with a function as `config`, which returns the token in each process."
    if token is None:
        variable = ENVIRONMENT["access_token"]
        raise ConfigError(f"The pickle of the account {subdomain} has no token. Set {variable} in this process. {remedy}")
    if "subdomain" not in environment.values and not pickled.recognizes(token):
        raise ConfigError(
            f"{environment.names['access_token']} is not the token with which the account {subdomain} was created. If it is "
            f"another one of that account, set {ENVIRONMENT['subdomain']} to {subdomain}. {remedy}"
        )


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


def _rotates(parsed: Config) -> bool:
    """Return whether the account has a refresh token that it will use."""
    credentials = parsed.credentials
    return isinstance(credentials, OAuth) and credentials.renewable and bool(credentials.refresh_token)


def without_secrets(arguments: Arguments, parsed: Config | None) -> Arguments:
    """Return the arguments of an account, without tokens and without the key of hashes."""
    if parsed is None:  # it was loaded from a pickle, and has not been used
        return arguments
    if _rotates(parsed):
        raise ConfigError("An account with an OAuth refresh token cannot be pickled: the token works only once.")
    config, settings = arguments.config, arguments.settings
    if not callable(config):
        config, settings = None, {**parsed.raw, "subdomain": parsed.subdomain, "api_url": parsed.api_url}
    kept = {key: value for key, value in settings.items() if key in TOP_KEYS and key not in CREDENTIALS}
    if isinstance(redact := kept.get("redact"), Mapping):
        kept["redact"] = {key: value for key, value in redact.items() if key != "hash_key"}
    return Arguments(config, kept, quota=arguments.quota, pickled=arguments.pickled or Pickled.of(parsed))


def _digest(token: str, salt: bytes) -> bytes:
    return blake2b(token.encode(), key=salt, digest_size=16).digest()
