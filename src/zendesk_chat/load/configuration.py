"""Where the configuration of a command comes from. docs/configuration.md describes the sources and their order to users."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from zendesk_chat.config import EVERYTHING, Config, parse_config
from zendesk_chat.errors import ConfigError
from zendesk_chat.file_kinds import is_skipped
from zendesk_chat.load.arguments import LONGEST_WAIT
from zendesk_chat.load.config_location import default_config
from zendesk_chat.load.env_file import NAME as ENV_FILE
from zendesk_chat.load.env_file import read_env_file
from zendesk_chat.load.redaction_rules import combine_redactions
from zendesk_chat.load.settings_file import PROJECT_FILE, from_file
from zendesk_chat.settings import DEFAULT_DATABASE, OPTIONS, PREFIX, SYNC_KEYS
from zendesk_chat.sources import Source, combine
from zendesk_chat.validation import convert
from zendesk_chat.variables import from_variables, misspelt_variables

_KEYS_OF_NAMES: Final = ("streams", "exclude")


class SyncSettings(Struct, frozen=True, kw_only=True):
    """The settings of ``sync``, besides those of the API."""

    streams: list[str] | None = None
    exclude: list[str] | None = None
    to: str = DEFAULT_DATABASE
    schema: str | None = None
    time_zone: str = ""
    wait: Annotated[float, Meta(ge=0, le=LONGEST_WAIT)] = 0.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the user has configured.

    Attributes:
        raw: The configuration of the API, for ``parse_config``.
        settings: Those of ``sync``.
        names: What the user calls each setting: ``--start-date``, ``ZENDESK_CHAT_TOKEN in .env``, ``to in zendesk-chat.toml``.
        store: The JSON file that takes renewed OAuth tokens; None if the credentials come from elsewhere.
        warnings: About variables that resemble ours, and files that are skipped.
        files: Paths of the files that were read, by what the user calls them.
    """

    raw: dict[str, object] = field(repr=False)
    settings: SyncSettings
    names: Mapping[str, str]
    store: Path | None
    warnings: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def parse(self) -> Config:
        """Return the validated configuration of the API. Raises ConfigError."""
        return parse_config(self.raw, self.names)

    @property
    def origins(self) -> dict[str, str]:
        """Where each setting comes from, by its name. No value is shown."""
        shown = {"access_token": "token"}
        return {shown.get(key, key): name for key, name in self.names.items()}

    def name(self, key: str) -> str:
        """Return what the user calls a setting; its option, if nothing sets it."""
        return self.names.get(key) or OPTIONS.get(key, key)


def gather(options: argparse.Namespace, environment: Mapping[str, str]) -> Configuration:
    """Return the configuration of a command that reads an account.

    Raises:
        ConfigError: A file cannot be read or has an unknown key, or the subdomain or token is missing.
    """
    named = vars(options).get("config")
    sources, warnings = find_sources(options, environment)
    configuration = configure(sources, warnings)
    _require_account(configuration, named)
    return configuration


def find_sources(options: argparse.Namespace, environment: Mapping[str, str]) -> tuple[list[Source], list[str]]:
    """Return all sources, the strongest first, and warnings about misspelt variables and skipped files.

    The command line is stronger than the environment, which is stronger than files that you have not named.
    """
    named = vars(options).get("config")
    env_file = read_env_file()
    sources = [from_options(options)]
    sources += [from_file(Path(named))] if named else []
    sources += [from_variables(environment), from_variables(env_file, ENV_FILE)]
    sources += [] if named else find_files()
    skipped = skipped_files([Path(ENV_FILE), *([] if named else _found_paths())])
    return sources, [*skipped, *misspelt_variables(environment), *misspelt_variables(env_file, ENV_FILE)]


def find_files() -> list[Source]:
    """Return the settings in the files that you need not name, the strongest first. Raises ConfigError."""
    return [from_file(path) for path in _found_paths() if path.is_file()]


def skipped_files(paths: Sequence[Path]) -> list[str]:
    """Return a warning for each of these paths at which something else than a file is."""
    return [f"{path} is not a regular file and was skipped." for path in paths if is_skipped(path)]


def _found_paths() -> list[Path]:
    stored = default_config()
    return [Path(PROJECT_FILE), *([stored] if stored else [])]


def configure(sources: Sequence[Source], warnings: Sequence[str] = ()) -> Configuration:
    """Combine these sources, the strongest first, into a configuration.

    Raises:
        ConfigError: A setting of ``sync`` or the redaction is malformed, or a token would reach another account than its own.
    """
    combined = combine(sources)
    values = {key: value for key, value in combined.values.items() if key not in ("redact", "hash_key")}
    if (redact := combine_redactions(sources)) is not None:
        values["redact"] = redact
    values = {"start_date": EVERYTHING} | {key: value for key, value in values.items() if key not in SYNC_KEYS}
    files = {name: path for source in sources for name, path in source.files.items()}
    return Configuration(values, sync_settings(sources), combined.names, combined.store, warnings, files)


def sync_settings(sources: Sequence[Source]) -> SyncSettings:
    """Return the settings of ``sync`` in these sources, the strongest first.

    Raises:
        ConfigError: One is malformed.
    """
    chosen: dict[str, object] = {}
    names: dict[str, str] = {}
    for source in reversed(sources):
        chosen |= {key: source.values[key] for key in SYNC_KEYS if key in source.values}
        names |= source.names
    if _position(sources, "streams") < _position(sources, "exclude"):  # the weaker `exclude` belongs to other `streams`
        chosen.pop("exclude", None)
    chosen |= {key: [chosen[key]] for key in _KEYS_OF_NAMES if isinstance(chosen.get(key), str)}
    return convert(chosen, SyncSettings, names=names)


def from_options(options: argparse.Namespace) -> Source:
    """Return the settings from options. An empty option counts as set, so that it is reported.

    Raises:
        ConfigError: An option is empty where that could be a mistake.
    """
    given = vars(options)
    values = {key: given.get(option.removeprefix("--").replace("-", "_")) for key, option in OPTIONS.items()}
    if values["end_date"] == "":
        raise ConfigError("--end-date: missing. Pass a date, or remove the option to load everything until now.")
    if empty := [key for key in SYNC_KEYS if values.get(key) == ""]:
        raise ConfigError(f"{OPTIONS[empty[0]]}: missing. Pass a value, or remove the option.")
    values = {key: value for key, value in values.items() if value is not None and value != []}
    names = {key: OPTIONS[key] for key in values}
    if "token" in values:
        values["access_token"], names["access_token"] = values.pop("token"), OPTIONS["token"]
    return Source(values, names, "option")


def _position(sources: Sequence[Source], key: str) -> int:
    return next((position for position, source in enumerate(sources) if key in source.values), len(sources))


def _require_account(configuration: Configuration, path: str | None) -> None:
    """Check that a configuration has an account and credentials. Raises a ConfigError that names the options and keys."""
    raw = configuration.raw
    missing = [] if raw.get("subdomain") else ["subdomain"]
    missing += [] if raw.get("access_token") or raw.get("credentials") else ["token"]
    if not missing:
        return
    what = " and ".join({"subdomain": "subdomain", "token": "access token"}[key] for key in missing)
    options = " and ".join(OPTIONS[key] for key in missing)
    hints = "".join(f" {warning}" for warning in configuration.warnings)
    if path:
        keys = " and ".join("`access_token`" if key == "token" else f"`{key}`" for key in missing)
        raise ConfigError(f"Missing in {path}: {what}. Add {keys} to the file, or pass {options}.{hints}")
    variables = " and ".join(PREFIX + key.upper() for key in missing)
    raise ConfigError(
        f"Missing: {what}. Run `zendesk-chat login`, or pass {options}, or set {variables}, or pass --config FILE.{hints}"
    )
