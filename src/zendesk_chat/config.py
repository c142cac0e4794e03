"""The user's configuration as a validated value.

The keys are those of Airbyte's Zendesk Chat connector, so you can use a configuration with both. A message contains the JSON
path of the invalid value and never the value itself, except for a date, which is not secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_types import Json
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.validation import AS_GIVEN, convert, did_you_mean, is_absent

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction

API_PATH: Final = "/api/v2/chat"
SUBDOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
AUTHORITY: Final = re.compile(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
URL_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", re.ASCII)
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYTHING: Final = "1970-01-01T00:00:00Z"  # the start date if the user sets none
CLOCK_TOLERANCE_SECONDS: Final = 300  # by which this machine's clock may be behind the one that set the start date
LONGEST_DATE: Final = 30  # in a message; a longer value was probably pasted by mistake, and may be a secret
ENVIRONMENT: Final = {  # variables that a user without a configuration file can set instead
    "subdomain": "ZENDESK_CHAT_SUBDOMAIN",
    "access_token": "ZENDESK_CHAT_TOKEN",
    "api_url": "ZENDESK_CHAT_API_URL",
}
# Options of `sync` that users may write as keys.
SYNC_OPTIONS: Final = ("streams", "exclude", "to", "schema", "time_zone", "wait", "full_refresh", "renamed_from")
SYNONYMS: Final = {"token": "access_token", "account": "subdomain", "timeout": "request_timeout_seconds"}
MOST_REPORTED: Final = 5


class Settings(Struct, frozen=True, kw_only=True):
    """The top level of a configuration, as a user writes it."""

    start_date: str
    end_date: str | None = None
    subdomain: str
    credentials: object = None
    access_token: object = None  # where Airbyte's connector stored it before version 0.3
    lookback_minutes: Annotated[int, Meta(ge=0, le=7 * 24 * 60)] = 10
    requests_per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 200  # Zendesk's limit for all plans; read 2026-11-22
    request_timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 60
    redact: object = None
    api_url: str | None = None


class TokenSettings(Struct, frozen=True):
    """``credentials`` with a token that the user created."""

    access_token: str


class OAuthSettings(Struct, frozen=True):
    """``credentials`` for OAuth 2.0. ``token_expiry_date`` is written by this connector."""

    credentials: str
    access_token: str | None = None
    refresh_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    token_expiry_date: object = None


TOP_KEYS: Final = Settings.__struct_fields__
CREDENTIALS_KEYS: Final = OAuthSettings.__struct_fields__


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is used as it is."""

    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth:
    """What an OAuth client needs to get new tokens. ``refresh_token`` works once; each renewal replaces it."""

    access_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    client_id: str | None = field(repr=False)
    client_secret: str | None = field(repr=False)
    expires_at: float | None = None  # seconds since 1970, of the access token; None if that is not known

    @property
    def renewable(self) -> bool:
        """Whether a new access token can be requested."""
        return bool(self.client_id and (self.refresh_token or self.client_secret))


Credentials: TypeAlias = AccessToken | OAuth


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration. Times are in seconds since 1970."""

    subdomain: str
    origin: str  # scheme, host and port of the account; the token is sent there only
    api_url: str  # origin and path of the Chat API, without a slash at its end
    credentials: Credentials
    start: int  # records before this time are not read
    lookback: int  # seconds that an incremental run reads again
    requests_per_minute: int  # the limit for all requests together
    timeout: float  # seconds without data after which a request fails
    raw: Mapping[str, Json] = field(repr=False)  # the configuration as the user wrote it; renewed tokens are stored in it
    end: int | None = None  # records from this time on are not read; None to read all until now
    redaction: Redaction | None = None


def parse_config(raw: object, names: Mapping[str, str] = AS_GIVEN) -> Config:
    """Validate a configuration as decoded from JSON. ``names`` is as for ``convert``.

    Raises:
        ConfigError: Something is missing or malformed. The message names the path, and misspelt keys.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError("The config must be a JSON object, such as the example that the `spec` command shows.")
    try:
        return _parse_config(raw, {key: names.get(key, key) for key in TOP_KEYS})
    except ConfigError as error:
        misspelt = unknown_keys(raw)
        raise ConfigError(" ".join([str(error), *misspelt])) if misspelt else error from None


def _parse_config(raw: Mapping[str, Json], names: Mapping[str, str]) -> Config:
    given = convert(raw, Settings, names=names)
    subdomain = parse_subdomain(given.subdomain, names["subdomain"])
    own_url = f"https://{subdomain}.zendesk.com{API_PATH}"
    api_url = own_url if given.api_url is None else parse_api_url(given.api_url, names["api_url"])
    parts = urlsplit(api_url)
    return Config(
        subdomain=subdomain,
        origin=f"{parts.scheme}://{parts.netloc}",
        api_url=api_url,
        credentials=parse_credentials(raw, names["access_token"]),
        start=parse_date(given.start_date, names["start_date"]),
        lookback=60 * given.lookback_minutes,
        requests_per_minute=given.requests_per_minute,
        timeout=given.request_timeout_seconds,
        raw=raw,
        end=None if given.end_date is None else _parse_end(given.end_date, given.start_date, names),
        redaction=_parse_redaction(given.redact),
    )


def require_past_start(config: Config, now: float, names: Mapping[str, str] = AS_GIVEN) -> None:
    """Raise ConfigError if the start date is in the future: later runs would resume from there, without the records before."""
    if config.start > now + CLOCK_TOLERANCE_SECONDS:
        name, date = names.get("start_date", "start_date"), _quoted(str(config.raw["start_date"]))
        raise ConfigError(f"{name}: {date} is in the future. Choose a date and time that has passed.")


def parse_subdomain(text: str, name: str = "subdomain") -> str:
    """Reduce ``acme``, ``acme.zendesk.com`` or ``https://acme.zendesk.com/`` to ``acme``; reject everything else."""
    account = text.strip().lower().removeprefix("https://").removesuffix("/").removesuffix(".zendesk.com")
    if not (text.isascii() and SUBDOMAIN.fullmatch(account)):  # some letters become ASCII only in lower case
        raise ConfigError(
            f"{name}: use only the name of the account: `acme` for https://acme.zendesk.com (letters, digits and hyphens)."
        )
    return account


def parse_api_url(text: str, name: str = "api_url") -> str:
    """Accept https, or http to this machine's loopback; add the API's path if there is none."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port  # raises for a port that is not a number
    except ValueError:
        raise ConfigError(f"{name}: this is not a URL.") from None
    authority, path = parts.netloc.lower(), parts.path.rstrip("/")
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
    plain = text.isascii() and AUTHORITY.fullmatch(authority) and URL_PATH.fullmatch(path)
    if not (secure and plain) or parts.query or parts.fragment or port == 0:
        raise ConfigError(f"{name}: use https://HOST, or http://127.0.0.1:PORT for a sandbox on this machine.")
    return f"{parts.scheme}://{authority}{path or API_PATH}"


def parse_date(text: str, name: str) -> int:
    """Parse an ISO 8601 date or time (UTC if it names no zone) into seconds since 1970, rounded down."""
    try:
        return max(0, int(_timestamp(text)))
    except ValueError:
        raise ConfigError(
            f"{name}: {_quoted(text)} is not a date. Use 2026-01-31, or with a time in UTC 2026-01-31T12:00:00Z."
        ) from None


def parse_credentials(raw: Mapping[str, object], token_name: str = "access_token") -> Credentials:  # noqa: S107  no password
    """Parse ``credentials``, or the top-level ``access_token`` of Airbyte's connector before its version 0.3."""
    given = raw.get("credentials")
    if given is None:
        if is_absent(raw.get("access_token")):
            raise ConfigError(
                "credentials: missing. Add an access token: "
                '{"credentials": {"credentials": "access_token", "access_token": "..."}}, or use OAuth 2.0.'
            )
        return AccessToken(_token(convert(raw, TokenSettings, names={"access_token": token_name}).access_token, token_name))
    if not isinstance(given, Mapping):
        raise ConfigError("credentials: must be an object.")
    method = given.get("credentials")
    if method == "oauth2.0":
        return _parse_oauth(convert(given, OAuthSettings, "credentials"))
    if method == "access_token" or (method is None and given.get("access_token")):
        return AccessToken(_token(convert(given, TokenSettings, "credentials").access_token, "credentials.access_token"))
    raise ConfigError('credentials.credentials: must be "oauth2.0" or "access_token".')


def unknown_keys(raw: object, more: Collection[str] = (), *, misspelt: bool = False) -> list[str]:
    """Return a message for each key that does not exist, at the top and in ``credentials``. Empty if ``raw`` is not an object.

    ``more`` are further keys of the top level. ``misspelt`` is whether only keys that resemble an existing one are of interest.

    Keys that begin with ``_`` are ignored: Airbyte's platform and CDK add some, and users write comments that way.
    """
    if not isinstance(raw, Mapping):
        return []
    found: list[str] = []
    for part, path, known in ((raw, "", (*TOP_KEYS, *more)), (raw.get("credentials"), "credentials.", CREDENTIALS_KEYS)):
        keys = map(str, part) if isinstance(part, Mapping) else ()
        unknown = [key for key in keys if key not in known and not key.startswith("_")]
        if misspelt:
            unknown = [key for key in unknown if key not in SYNC_OPTIONS and _nearest(key, path, known)]
        found += [_about_key(key, path, known) for key in unknown]
    return found[:MOST_REPORTED]


def _parse_end(text: str, start: str, names: Mapping[str, str]) -> int:
    """Parse the end date. Reject one that is not after the start date."""
    name, start_name = names["end_date"], names["start_date"]
    end = parse_date(text, name)
    if end <= parse_date(start, start_name):
        raise ConfigError(f"{name}: {_quoted(text)} must be later than {start_name}, which is {_quoted(start)}.")
    return end


def _parse_redaction(raw: object) -> Redaction | None:
    if is_absent(raw):
        return None
    from zendesk_chat.redaction.rules import parse_redaction  # late, because few users redact

    return parse_redaction(raw)


def _parse_oauth(given: OAuthSettings) -> OAuth:
    oauth = OAuth(
        access_token=given.access_token and _token(given.access_token, "credentials.access_token"),
        refresh_token=given.refresh_token and _token(given.refresh_token, "credentials.refresh_token"),
        client_id=given.client_id and _token(given.client_id, "credentials.client_id"),
        client_secret=given.client_secret and _token(given.client_secret, "credentials.client_secret"),
        expires_at=_parse_expiry(given.token_expiry_date),
    )
    if not oauth.access_token and not oauth.renewable:
        raise ConfigError(
            "credentials: OAuth 2.0 needs an access_token, or a client_id with a refresh_token or client_secret. "
            "Authenticate again to get them."
        )
    return oauth


def _parse_expiry(value: object) -> float | None:
    if value is None:
        return None
    try:
        return _timestamp(value if isinstance(value, str) else "")
    except ValueError:
        raise ConfigError("credentials.token_expiry_date: use a UTC date and time such as 2027-02-01T00:00:00Z.") from None


def _token(text: str, name: str) -> str:
    token = text.strip()
    if not token:
        raise ConfigError(f"{name}: missing.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"{name}: contains characters that are not valid in a token. Copy the complete token, without quotes."
        )
    return token


def _timestamp(text: str) -> float:
    time = datetime.fromisoformat(text.strip())
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _quoted(date: str) -> str:
    return f'"{printable(date, LONGEST_DATE)}"'


def _about_key(key: str, path: str, known: Collection[str]) -> str:
    name = path + printable(key, LONGEST_NAME)
    if key in SYNC_OPTIONS:
        return f"Unknown key `{name}`: it is an option of `sync`, --{key.replace('_', '-')}."
    if near := _nearest(key, path, known):
        return f"Unknown key `{name}`: did you mean `{near}`?"
    return f"Unknown key `{name}`. The keys are {', '.join(known)}."


def _nearest(key: str, path: str, known: Collection[str]) -> str | None:
    """Return the path of the nearest known key, in the same object or in the other one."""
    meant = SYNONYMS.get(key.lower(), key)
    other_path, others = ("", TOP_KEYS) if path else ("credentials.", CREDENTIALS_KEYS)
    if meant in known or meant in others:
        return f"{path if meant in known else other_path}{meant}"
    near = did_you_mean(meant, known)
    return f"{path}{near}" if near else None
