"""The keys of a configuration, and what is said about one that does not exist.

Keys that begin with ``_`` are passed over: Airbyte's platform and CDK add some, and users write comments that way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from zendesk_chat.near import did_you_mean
from zendesk_chat.printable import LONGEST_NAME, printable

TOP_KEYS: Final = (
    "start_date",
    "end_date",
    "subdomain",
    "credentials",
    "access_token",
    "lookback_minutes",
    "requests_per_minute",
    "request_timeout_seconds",
    "redact",
    "api_url",
)
CREDENTIALS_KEYS: Final = (
    "credentials",
    "access_token",
    "refresh_token",
    "client_id",
    "client_secret",
    "token_expiry_date",
)
SYNC_OPTIONS: Final = ("streams", "exclude", "to", "full_refresh")  # of the command line, easily taken for keys
SYNONYMS: Final = {"token": "access_token", "account": "subdomain", "timeout": "request_timeout_seconds"}
MOST_REPORTED: Final = 5


def unknown_keys(raw: object) -> list[str]:
    """A message for each key that is not known, at the top and in ``credentials``. None where ``raw`` is no object."""
    if not isinstance(raw, Mapping):
        return []
    found = list(_unknown(raw, "", TOP_KEYS))
    if isinstance(credentials := raw.get("credentials"), Mapping):
        found += _unknown(credentials, "credentials.", CREDENTIALS_KEYS)
    return found[:MOST_REPORTED]


def _unknown(part: Mapping[object, object], place: str, known: Collection[str]) -> Iterator[str]:
    for key in map(str, part):
        if key not in known and not key.startswith("_"):
            yield _message(key, place, known)


def _message(key: str, place: str, known: Collection[str]) -> str:
    path = place + printable(key, LONGEST_NAME)
    if key in SYNC_OPTIONS:
        return f"Unknown key `{path}`: it is an option of `sync`, --{key.replace('_', '-')}."
    if near := _nearest(key, place, known):
        return f"Unknown key `{path}`: did you mean `{near}`?"
    return f"Unknown key `{path}`. The keys are {', '.join(known)}."


def _nearest(key: str, place: str, known: Collection[str]) -> str | None:
    """The path of the key that was meant: one of the same object, or one that belongs into the other."""
    meant = SYNONYMS.get(key.lower(), key)
    other, others = ("", TOP_KEYS) if place else ("credentials.", CREDENTIALS_KEYS)
    if meant in known or meant in others:
        return f"{place if meant in known else other}{meant}"
    near = did_you_mean(meant, known)
    return f"{place}{near}" if near else None
