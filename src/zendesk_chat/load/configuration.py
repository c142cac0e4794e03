"""Where the configuration of a command comes from: a file, environment variables and options."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zendesk_chat.config import ENVIRONMENT, EVERYTHING, TOP_KEYS, unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.config_file import read_config

HASH_KEY: Final = "ZENDESK_CHAT_HASH_KEY"  # an environment variable, for --redact
OPTIONS: Final = {  # by the configuration key that each sets
    "subdomain": "--subdomain",
    "access_token": "--token",
    "start_date": "--start-date",
    "end_date": "--end-date",
    "api_url": "--api-url",
}


def gather_config(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, object]:
    """Return the configuration from a file, or from environment variables. Options override both.

    Raises:
        ConfigError: The file cannot be read or has an unknown key, or the subdomain or token is missing.
    """
    raw = read_config(Path(options.config)) if options.config else {}
    if misspelt := unknown_keys(raw):
        raise ConfigError(f"{options.config}: {' '.join(misspelt)}")
    if not options.config:
        raw |= {key: environment[name] for key, name in ENVIRONMENT.items() if environment.get(name)}
    given = _given(options)
    if "access_token" in given:
        raw.pop("credentials", None)
    raw |= given
    if options.redact:
        raw["redact"] = add_redactions(raw.get("redact"), options.redact, environment.get(HASH_KEY))
    raw.setdefault("start_date", EVERYTHING)
    _require_account(raw, options.config)
    return raw


def _given(options: argparse.Namespace) -> dict[str, str]:
    """Return the values of the options that set a key of the configuration, by key."""
    values = {key: getattr(options, option.removeprefix("--").replace("-", "_")) for key, option in OPTIONS.items()}
    if values["end_date"] == "":
        raise ConfigError("--end-date: missing. Give a date, or remove the option to load everything until now.")
    return {key: value for key, value in values.items() if value is not None}


def names_of_keys(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the user's name of each key that is set: an option, an environment variable, or a key in a file."""
    if options.config:
        names = {key: f"{key} in {options.config}" for key in TOP_KEYS}
    else:
        names = {key: name for key, name in ENVIRONMENT.items() if environment.get(name)}
    return names | {key: OPTIONS[key] for key in _given(options)}


def _require_account(raw: Mapping[str, object], path: str | None) -> None:
    """Check that a configuration has an account and credentials. Raises a ConfigError that names the options and keys."""
    missing = [] if raw.get("subdomain") else ["subdomain"]
    missing += [] if raw.get("access_token") or raw.get("credentials") else ["access_token"]
    if not missing:
        return
    what = " and ".join({"subdomain": "subdomain", "access_token": "access token"}[key] for key in missing)
    options = " and ".join(OPTIONS[key] for key in missing)
    if path:
        keys = " and ".join(f"`{key}`" for key in missing)
        raise ConfigError(f"Missing in {path}: {what}. Add {keys} to the file, or give {options}.")
    variables = " and ".join(ENVIRONMENT[key] for key in missing)
    raise ConfigError(f"Missing: {what}. Give {options}, or set {variables}, or give --config FILE.")


def add_redactions(configured: object, given: Sequence[str], hash_key: str | None) -> dict[str, object]:
    """Return the setting ``redact`` with the rules of ``--redact`` added, such as ``chats.visitor.email=hash``.

    Raises:
        ConfigError: A rule has no action, one hashes and there is no key, or the setting cannot hold rules.
    """
    redact = {} if configured in (None, "") else configured
    listed = redact.get("rules") if isinstance(redact, Mapping) else ""
    if not isinstance(redact, Mapping) or not isinstance(listed, list | None):
        raise ConfigError("redact: must be an object whose `rules` are a list, or --redact could not be added to it.")
    rules = [rule.rpartition("=") for rule in given]
    if not all(separator for _, separator, _ in rules):
        raise ConfigError("--redact: give a field and an action, such as chats.visitor.email=hash.")
    key = {"hash_key": hash_key} if hash_key else {}
    if any(action == "hash" for _, _, action in rules) and not (key or redact.get("hash_key")):
        raise ConfigError(f"--redact: a hash needs a secret. Set {HASH_KEY} to at least 16 characters, and keep it.")
    return {**redact, **key, "rules": [*(listed or ()), *({"field": field, "action": action} for field, _, action in rules)]}
