"""The settings of one account in an accounts file, with the secret that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.accounts_file import Entry
from zendesk_chat.load.settings_file import from_file
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.sources import Source
from zendesk_chat.variables import read_secret

_UNREAD: Final = "unread"  # replaces a secret that cannot be read, so that everything else is validated


def sources_of(entry: Entry, environment: Mapping[str, str]) -> list[Source]:
    """Return the settings of an account, with its secret. Raises a ConfigError if it cannot be read."""
    values, names = dict(entry.values), dict(entry.names)
    config = values.pop("config", None)
    if "token_file" in values:
        values["access_token"] = read_secret(str(values.pop("token_file")), names["token_file"])
        names["access_token"] = names["token_file"]
    elif "token_env" in values:
        variable = str(values.pop("token_env"))
        names["access_token"] = variable
        values["access_token"] = environment.get(variable)
        if not values["access_token"]:
            raise ConfigError(f"{names['token_env']}: the environment variable {printable(variable, LONGEST_NAME)} is not set.")
    elif "token" in values:
        values["access_token"], names["access_token"] = values.pop("token"), names["token"]
    sources = [Source(values, names, files=_named(entry))]
    if entry.shared_redact is not None:
        sources.append(Source({"redact": entry.shared_redact}, {"redact": "redact for all accounts"}))
    return [*sources, from_file(Path(str(config)))] if config else sources


def without_secret(entry: Entry) -> Source:
    """Return the settings of an account whose secret cannot be read."""
    values = {key: value for key, value in entry.values.items() if key not in ("config", "token_file", "token_env")}
    return Source({**values, "access_token": _UNREAD}, entry.names, files=_named(entry))


def account_name(entry: Entry, own: Sequence[Source]) -> list[Source]:
    """Return the name of an account as the source of its subdomain, if its own sources have none."""
    if any("subdomain" in source.values for source in own):
        return []
    return [Source({"subdomain": entry.account}, {"subdomain": f"the name of the account {entry.account}"})]


def _named(entry: Entry) -> dict[str, str]:
    """Return the files that an account names, by what the user calls them."""
    return {entry.names[key]: str(entry.values[key]) for key in ("config", "token_file") if key in entry.values}
