"""Settings from environment variables, and secrets from files that variables name, as Docker and Kubernetes mount them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.file_kinds import blocking_kind
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.settings import FILE_VARIABLES, PREFIX, VARIABLES, Setting
from zendesk_chat.sources import Source

LARGEST_SECRET_BYTES: Final = 65_536
_PATH: Final = re.compile(r"[/\\]|\.\w{1,5}$")  # otherwise the value may be the secret itself
NEAR: Final = 0.8  # similarity of the part after the prefix
_CLIENT: Final[tuple[str, ...]] = ("client_id", "client_secret", "refresh_token")
_SYNONYMS: Final = {"ACCESS_TOKEN": "TOKEN", "ACCOUNT": "SUBDOMAIN", "DOMAIN": "SUBDOMAIN", "URL": "API_URL"}


def from_variables(environment: Mapping[str, str], where: str = "", only: Collection[str] = VARIABLES) -> Source:
    """Return the settings in environment variables.

    Args:
        environment: Variables by name. Empty ones count as not set.
        where: Where they are, for messages: ``.env``; empty for the environment of the process.
        only: The variables to read, with their ``_FILE`` forms.

    Raises:
        ConfigError: A secret is set twice, its file cannot be read, or it is a refresh token, which cannot be stored here.
    """
    suffix = f" in {where}" if where else ""
    given = {name: environment[name] for name in only if environment.get(name, "").strip()}
    strings = {VARIABLES[name].key: (text, f"{name}{suffix}") for name, text in given.items()}
    for name, setting in FILE_VARIABLES.items():
        if setting.variable not in only or not environment.get(name):
            continue
        if setting.key in strings:
            raise ConfigError(f"{setting.variable} and {name} are both set{suffix}. Remove one of them.")
        strings[setting.key] = (read_secret(environment[name], f"{name}{suffix}"), f"{name}{suffix}")
    values = {key: _parsed(VARIABLES[f"{PREFIX}{key.upper()}"], text) for key, (text, _) in strings.items()}
    names = {key: name for key, (_, name) in strings.items()}
    files = {f"{name}{suffix}": environment[name] for name in FILE_VARIABLES if environment.get(name)}
    return Source(*_with_credentials(values, names), "file" if where else "variable", files=files)


def read_secret(path: str, name: str) -> str:
    """Return the secret in a file, without the line break at its end. Messages call the file ``name``.

    Raises:
        ConfigError: The file cannot be read, or is empty.
    """
    shown = f"the file {printable(path)}" if _PATH.search(path) else "the file that it names"
    if kind := blocking_kind(path):
        raise ConfigError(f"{name}: {shown} is {kind}. Name a regular file.")
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_SECRET_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{name}: {shown} does not exist.") from None
    except IsADirectoryError:
        raise ConfigError(f"{name}: {shown} is a directory. Name the file in it that contains the secret.") from None
    except (OSError, ValueError) as error:  # a path with a null character
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigError(f"{name}: {shown} cannot be read: {reason}.") from None
    try:
        secret = data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: {shown} is not UTF-8 text.") from None
    if not secret.strip():
        raise ConfigError(f"{name}: {shown} is empty.")
    if len(data) > LARGEST_SECRET_BYTES:
        raise ConfigError(f"{name}: {shown} is too large for a secret.")
    return secret


def misspelt_variables(environment: Mapping[str, str], where: str = "") -> list[str]:
    """Return a message for each variable whose name resembles one of ours.

    Others are ignored: Kubernetes sets ``ZENDESK_CHAT_PORT`` and the like for a service of this name.
    """
    known = [name.removeprefix(PREFIX) for name in (*VARIABLES, *FILE_VARIABLES)]
    found = []
    for name in environment:
        rest = name.removeprefix(PREFIX)
        if rest == name or rest in known:
            continue
        near = _SYNONYMS.get(rest) or next(iter(difflib.get_close_matches(rest, known, 1, NEAR)), None)
        if near:
            shown = printable(name, LONGEST_NAME) + (f" in {where}" if where else "")
            found.append(f"{shown} is not used. Did you mean {PREFIX}{near}?")
    return found


def _parsed(setting: Setting, text: str) -> object:
    """Parse the string in a variable. One that cannot be parsed stays as it is, and validation reports it."""
    if setting.kind == "names":
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        match setting.kind:
            case "integer":
                return int(text)
            case "seconds":
                return float(text)
    except ValueError:
        return text
    return text if setting.secret else text.strip()


def _with_credentials(values: dict[str, object], names: dict[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """Turn a token, or the id and the secret of an OAuth client, into the credentials of a configuration."""
    client: dict[str, object] = {key: values.pop(key) for key in _CLIENT if key in values}
    if "token" in values:
        values["access_token"], names["access_token"] = values.pop("token"), names["token"]
    elif "refresh_token" in client:
        raise ConfigError(
            f"{names['refresh_token']}: a refresh token works once, and a variable cannot store the next one. "
            "Run `zendesk-chat login`, or keep it in a JSON file that you name with --config."
        )
    elif {"client_id", "client_secret"} <= client.keys():
        client["credentials"] = "oauth2.0"
        values["credentials"] = client
        names["credentials"] = names["client_id"]
    return values, names
