"""Where settings come from, and which source wins.

Each setting comes from the strongest source that has it. The account is an exception: a token must not reach another account
than its own because one source names the account and another one contains the token. ``choose_account`` rejects such a mix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from zendesk_chat.config import parse_subdomain
from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.validation import is_absent

CREDENTIALS: Final = ("credentials", "access_token")
ACCOUNT: Final = ("subdomain", "api_url", *CREDENTIALS)


@dataclass(frozen=True, slots=True)
class Source:
    """Settings from one source.

    Attributes:
        values: By key of the configuration. A setting that is null or "" counts as not set, except in an option.
        names: What the user calls a setting, for messages: ``subdomain in zendesk-chat.toml``.
        kind: An option or argument, an environment variable, or a file.
        store: The JSON file that takes renewed OAuth tokens; None if this source cannot store any.
        files: Paths of the files that were read for it, by what the user calls them.
    """

    values: Mapping[str, object]
    names: Mapping[str, str]
    kind: Literal["option", "variable", "file"] = "file"
    store: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> str | None:
        """The key of the credentials in this source."""
        return next((key for key in CREDENTIALS if key in self.values), None)


@dataclass(frozen=True, slots=True)
class Combined:
    """The settings of several sources together.

    Attributes:
        values: By key.
        names: What the user calls each of them.
        store: The JSON file that the credentials come from.
    """

    values: dict[str, object]
    names: dict[str, str]
    store: Path | None


def combine(sources: Sequence[Source]) -> Combined:
    """Combine sources, the strongest first.

    Raises:
        ConfigError: The token of one account would be sent to another.
    """
    values: dict[str, object] = {}
    names: dict[str, str] = {}
    for source in reversed(sources):
        values |= {key: value for key, value in source.values.items() if key not in ACCOUNT}
        names |= source.names
    chosen = choose_account(sources)
    for key, source in chosen.items():
        values[key] = source.values[key]
        names[key] = source.names.get(key, key)
    credentials = next((chosen[key] for key in CREDENTIALS if key in chosen), None)
    names = {key: name for key, name in names.items() if key in values}
    return Combined(values, names, credentials.store if credentials else None)


def choose_account(sources: Sequence[Source]) -> dict[str, Source]:
    """Return the source of each key of the account. The first source is the strongest.

    Raises:
        ConfigError: The token of one account would be sent to another.
    """
    subdomain = next((source for source in sources if "subdomain" in source.values), None)
    credentials = next((source for source in sources if source.credentials), None)
    if subdomain is None or credentials is None:
        given = next((source for source in sources if "api_url" in source.values), None)
    else:
        _require_same_account(subdomain, credentials)
        given = _api_url(sources, subdomain, credentials)
    chosen = {"subdomain": subdomain, "api_url": given}
    chosen |= {key: credentials for key in CREDENTIALS if credentials and key in credentials.values}
    return {key: source for key, source in chosen.items() if source is not None}


def _require_same_account(subdomain: Source, credentials: Source) -> None:
    """Check that credentials are for the chosen subdomain, if their source names one."""
    if not _is_of_another(credentials, subdomain):
        return
    chosen, own = (printable(_account_name(source), LONGEST_NAME) for source in (subdomain, credentials))
    name = _name_of_credentials(credentials)
    raise ConfigError(
        f"{name[0].upper()}{name[1:]} is for {own}, but {subdomain.names['subdomain']} is {chosen}. "
        f"Set the token of {chosen} in the same way, or remove one of the two subdomains."
    )


def _api_url(sources: Sequence[Source], subdomain: Source, credentials: Source) -> Source | None:
    """Return the source of the API URL; None for the account's own.

    A token in a file goes to the server that this file names, or that an option names. Any other token goes to the server that
    options, the environment or the file with the subdomain name; a weaker file cannot redirect it.
    """
    complete = max(sources.index(subdomain), sources.index(credentials))
    for position, source in enumerate(sources):
        url = source.values.get("api_url")
        if url is None:
            continue
        same = source is credentials or url == credentials.values.get("api_url")
        if same or source.kind == "option" or (source.kind == "variable" and credentials.kind != "file"):
            return source
        if position > complete and _is_of_another(source, subdomain):
            continue
        if position > complete or credentials.kind == "file":
            raise ConfigError(
                f"{source.names['api_url']} would send {_name_of_credentials(credentials)} to another server. "
                "If you want that, pass --api-url. If not, remove it."
            )
        return source
    return None


def _is_of_another(source: Source, subdomain: Source) -> bool:
    return "subdomain" in source.values and _account_name(source) != _account_name(subdomain)


def _account_name(source: Source) -> str:
    text = str(source.values["subdomain"])
    try:
        return parse_subdomain(text)
    except ConfigError:  # reported later, if it is the one that is used
        return text


def _name_of_credentials(source: Source) -> str:
    key = source.credentials or ""
    name = source.names.get(key, key)
    return name if source.kind != "file" else f"the token of {name.partition(' in ')[2] or name}"


def without_absent(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values that are set: null and "" count as absent."""
    return {key: value for key, value in values.items() if not is_absent(value)}
