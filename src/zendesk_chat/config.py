"""The user's configuration, validated into values.

The keys are those of Airbyte's Zendesk Chat connector, so that a configuration moves between the two unchanged. A message
names the JSON path of what is wrong and never its value, but for a date, which is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

from zendesk_chat.config_keys import unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction

API_PATH: Final = "/api/v2/chat"
SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
AUTHORITY: Final = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
URL_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", re.ASCII)
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_LOOKBACK_MINUTES: Final = 10
DEFAULT_REQUESTS_PER_MINUTE: Final = 200  # "200 requests per minute", Zendesk's limit for all plans; read 2026-11-22
DEFAULT_TIMEOUT_SECONDS: Final = 60
EVERYTHING: Final = "1970-01-01T00:00:00Z"  # the start date where none is given
CLOCK_TOLERANCE_SECONDS: Final = 300  # between this machine's clock and the one by which a start date was chosen
LONGEST_DATE: Final = 30  # of a message; whatever is longer was pasted by mistake, and may be a secret
AS_THEY_ARE: Final[Mapping[str, str]] = MappingProxyType({})
ENVIRONMENT: Final = {  # where a user without a configuration file may put its keys
    "subdomain": "ZENDESK_CHAT_SUBDOMAIN",
    "access_token": "ZENDESK_CHAT_TOKEN",
    "api_url": "ZENDESK_CHAT_API_URL",
}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is used as it is."""

    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth:
    """What an OAuth client needs to get new tokens. ``refresh_token`` is used once and then replaced."""

    access_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    client_id: str | None = field(repr=False)
    client_secret: str | None = field(repr=False)
    expires_at: float | None = None

    @property
    def renewable(self) -> bool:
        """Whether a new access token can be asked for."""
        return bool(self.client_id and (self.refresh_token or self.client_secret))


Credentials: TypeAlias = AccessToken | OAuth


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration.

    Attributes:
        subdomain: The account's name, as in ``{subdomain}.zendesk.com``.
        origin: Scheme, host and port of the account: the only place a token is ever sent to.
        api_url: ``origin`` and the path of the Chat API, without a slash at its end.
        credentials: How to sign requests.
        start: Seconds since 1970; nothing older is read.
        lookback: Seconds that an incremental run reads again.
        requests_per_minute: The rate that all requests together stay below.
        timeout: Seconds without a byte after which a request is given up.
        raw: The configuration as given, which a rotated token is put back into.
        end: Seconds since 1970; nothing of this second or younger is read. None for all until now.
        redaction: What is changed in records before they leave the process, if anything.
    """

    subdomain: str
    origin: str
    api_url: str
    credentials: Credentials
    start: int
    lookback: int
    requests_per_minute: int
    timeout: float
    raw: Mapping[str, Any] = field(repr=False)
    end: int | None = None
    redaction: Redaction | None = None


def parse_config(raw: object, called: Mapping[str, str] = AS_THEY_ARE) -> Config:
    """Validate a configuration as decoded from JSON.

    Args:
        raw: The configuration.
        called: What the user calls a key, where it is not given in the configuration: ``{"start_date": "--start-date"}``.

    Raises:
        ConfigError: Something is missing or malformed; the message says what and where, and names misspelt keys.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError("The config must be a JSON object, such as the example that the `spec` command shows.")
    try:
        return _parse_config(raw, called)
    except ConfigError as error:
        misspelt = unknown_keys(raw)
        raise ConfigError(" ".join([str(error), *misspelt])) if misspelt else error from None


def _parse_config(raw: Mapping[str, Any], called: Mapping[str, str]) -> Config:
    names = {key: called.get(key, key) for key in ("subdomain", "api_url", "access_token", "start_date", "end_date")}
    subdomain = parse_subdomain(_text(raw, "subdomain", names), names["subdomain"])
    own = f"https://{subdomain}.zendesk.com{API_PATH}"
    api_url = own if raw.get("api_url") in (None, "") else parse_api_url(_text(raw, "api_url", names), names["api_url"])
    parts = urlsplit(api_url)
    start = parse_date(_text(raw, "start_date", names), names["start_date"])
    return Config(
        subdomain=subdomain,
        origin=f"{parts.scheme}://{parts.netloc}",
        api_url=api_url,
        credentials=parse_credentials(raw, names["access_token"]),
        start=start,
        lookback=60 * _integer(raw, "lookback_minutes", DEFAULT_LOOKBACK_MINUTES, low=0, high=7 * 24 * 60),
        requests_per_minute=_integer(raw, "requests_per_minute", DEFAULT_REQUESTS_PER_MINUTE, low=1, high=10_000),
        timeout=_integer(raw, "request_timeout_seconds", DEFAULT_TIMEOUT_SECONDS, low=1, high=600),
        raw=raw,
        end=None if raw.get("end_date") in (None, "") else _end(raw, start, names),
        redaction=_redaction(raw.get("redact")),
    )


def require_past_start(config: Config, now: float, called: Mapping[str, str] = AS_THEY_ARE) -> None:
    """Make sure that the start date is not in the future, where there is nothing to read.

    Raises:
        ConfigError: It is. Reading would store a state from which later runs go on, without what lies before it.
    """
    if config.start > now + CLOCK_TOLERANCE_SECONDS:
        name, date = called.get("start_date", "start_date"), _shown_date(str(config.raw["start_date"]))
        raise ConfigError(f"{name}: {date} is in the future. Choose a date and time that has passed.")


def _redaction(raw: object) -> Redaction | None:
    if raw is None or raw == "":
        return None
    from zendesk_chat.redaction.rules import parse_redaction  # late: who redacts nothing is spared its loading

    return parse_redaction(raw)


def parse_subdomain(text: str, name: str = "subdomain") -> str:
    """Reduce ``acme``, ``acme.zendesk.com`` or ``https://acme.zendesk.com/`` to ``acme``; refuse everything else."""
    account = text.strip().lower().removeprefix("https://").removesuffix("/").removesuffix(".zendesk.com")
    if not (text.isascii() and SUBDOMAIN.fullmatch(account)):  # some letters become ASCII only when lowered
        raise ConfigError(
            f"{name}: give only the name of the account: `acme` for https://acme.zendesk.com (letters, digits and hyphens)."
        )
    return account


def parse_api_url(text: str, name: str = "api_url") -> str:
    """Accept https, or http to this machine's loopback; add the API's path where there is none."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port  # raises for a port that is no number
    except ValueError:
        raise ConfigError(f"{name}: this is not a URL.") from None
    authority, path = parts.netloc.lower(), parts.path.rstrip("/")
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
    plain = text.isascii() and AUTHORITY.fullmatch(authority) and URL_PATH.fullmatch(path)
    if not (secure and plain) or parts.query or parts.fragment or port == 0:
        raise ConfigError(f"{name}: give https://HOST, or http://127.0.0.1:PORT for a sandbox on this machine.")
    return f"{parts.scheme}://{authority}{path or API_PATH}"


def parse_date(text: str, name: str) -> int:
    """Read an ISO 8601 date or time (UTC where it names no zone) as seconds since 1970, rounded down."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(
            f"{name}: {_shown_date(text)} is not a date. Write 2026-01-31, or with a time in UTC 2026-01-31T12:00:00Z."
        ) from None
    return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


def _shown_date(text: str) -> str:
    return f'"{printable(text, LONGEST_DATE)}"'


def _end(raw: Mapping[str, Any], start: int, names: Mapping[str, str]) -> int:
    """Read the first second that is not wanted; refuse one that leaves nothing after the start."""
    text = _text(raw, "end_date", names)
    end = parse_date(text, names["end_date"])
    if end <= start:
        dates = _shown_date(text), _shown_date(str(raw["start_date"]))
        raise ConfigError(f"{names['end_date']}: {dates[0]} must be later than {names['start_date']}, which is {dates[1]}.")
    return end


def parse_credentials(raw: Mapping[str, Any], flat_name: str = "access_token") -> Credentials:
    """Read ``credentials``, or the flat ``access_token`` of Airbyte's connector before its version 0.3."""
    given = raw.get("credentials")
    if given is None:
        if not raw.get("access_token"):
            raise ConfigError(
                "credentials: missing. Give an access token: "
                '{"credentials": {"credentials": "access_token", "access_token": "..."}}, or use OAuth 2.0.'
            )
        return AccessToken(_token(raw, "access_token", flat_name))
    if not isinstance(given, Mapping):
        raise ConfigError("credentials: must be an object.")
    kind = given.get("credentials")
    if kind == "oauth2.0":
        return _oauth(given)
    if kind == "access_token" or (kind is None and given.get("access_token")):
        return AccessToken(_token(given, "access_token", "credentials.access_token"))
    raise ConfigError('credentials.credentials: must be "oauth2.0" or "access_token".')


def _oauth(given: Mapping[str, Any]) -> OAuth:
    names = ("access_token", "refresh_token", "client_id", "client_secret")
    values = {name: _token(given, name, f"credentials.{name}") if given.get(name) else None for name in names}
    oauth = OAuth(**values, expires_at=_expiry(given.get("token_expiry_date")))
    if not oauth.access_token and not oauth.renewable:
        raise ConfigError(
            "credentials: OAuth 2.0 needs an access_token, or a client_id with a refresh_token or client_secret. "
            "Authenticate again to get them."
        )
    return oauth


def _expiry(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ConfigError("credentials.token_expiry_date: give a UTC date and time such as 2027-02-01T00:00:00Z.")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(raw: Mapping[str, Any], key: str, names: Mapping[str, str]) -> str:
    value = raw.get(key)
    if value is None or value == "":
        raise ConfigError(f"{names[key]}: missing.")
    if not isinstance(value, str):
        raise ConfigError(f"{names[key]}: must be a string.")
    return value


def _token(raw: Mapping[str, Any], key: str, name: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{name}: missing or not a string.")
    token = value.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(f"{name}: holds characters that no token has; was it copied whole?")
    return token


def _integer(raw: Mapping[str, Any], key: str, default: int, *, low: int, high: int) -> int:
    value = raw.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(f"{key}: must be a whole number from {low} to {high}.")
    return value
