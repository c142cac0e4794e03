"""Configuration files of the command line: JSON, with the keys of Airbyte's connector, or TOML.

Both may also contain the settings of ``sync``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Final

from zendesk_chat.config import unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.file_kinds import blocking_kind
from zendesk_chat.json_files import decode_json, read_bytes, repeated_key
from zendesk_chat.load.text_file import read_text
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.settings import SYNC_KEYS
from zendesk_chat.sources import Source, without_absent
from zendesk_chat.variables import read_secret

PROJECT_FILE: Final = "zendesk-chat.toml"
KEYS: Final = (*SYNC_KEYS, "token", "token_file")
_AT: Final = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_CURLY: Final = re.compile("[\u201c\u201d\u2018\u2019]")


def from_file(path: Path) -> Source:
    """Return the settings in a file: TOML if its name ends in ``.toml``, else JSON.

    Raises:
        ConfigError: The file cannot be read, is malformed, has an unknown key, or cannot store its OAuth tokens.
    """
    if kind := blocking_kind(path):
        raise ConfigError(f"The config file is {kind}: {path}. Name a regular file.")
    if path.suffix.lower() != ".toml":
        data = read_bytes(str(path), "config")
        given = decode_json(data, str(path), "config")
        if key := repeated_key(data):
            raise ConfigError(f"{path}: the key {printable(key, LONGEST_NAME)} occurs twice. Remove one of the two.")
        if not isinstance(given, dict):
            raise ConfigError(f"The config file must contain a JSON object: {path}")
        return from_mapping(given, str(path), path)
    values = read_toml(path)
    credentials = values.get("credentials")
    if isinstance(credentials, Mapping) and credentials.get("refresh_token"):
        raise ConfigError(
            f"credentials.refresh_token in {path}: a refresh token works once, and the next one cannot be stored in a TOML "
            "file. Run `zendesk-chat login`, or keep it in a JSON file that you name with --config."
        )
    return from_mapping(values, str(path))


def from_mapping(given: Mapping[str, object], where: str, store: Path | None = None) -> Source:
    """Return the settings in an object.

    Args:
        given: The settings by key, as decoded from a file.
        where: Names the file in messages.
        store: The JSON file that takes renewed OAuth tokens.

    Raises:
        ConfigError: A key is unknown, or the file of a secret cannot be read.
    """
    if misspelt := unknown_keys(given, KEYS):
        raise ConfigError(f"{where}: {' '.join(misspelt)}")
    values = without_absent({key: plain(value) for key, value in given.items()})
    names = {key: f"{key} in {where}" for key in values}
    files = {where: where} | ({names["token_file"]: str(values["token_file"])} if "token_file" in values else {})
    if "token_file" in values:
        if {"token", "access_token", "credentials"} & values.keys():
            raise ConfigError(f"{where}: `token_file` and another token are both set. Remove one of them.")
        values["token"], names["token"] = read_secret(str(values.pop("token_file")), names["token_file"]), names["token_file"]
    if "token" in values:
        if {"access_token", "credentials"} & values.keys():
            raise ConfigError(f"{where}: `token` and another token are both set. Remove one of them.")
        values["access_token"], names["access_token"] = values.pop("token"), names["token"]
    return Source(values, names, store=store, files=files)


def read_toml(path: Path, what: str = "config") -> dict[str, object]:
    """Return the content of a TOML file. ``what`` is its purpose, for messages.

    Raises:
        ConfigError: The file cannot be read, or is not TOML. The message has the line and column, and quotes nothing.
    """
    if kind := blocking_kind(path):
        raise ConfigError(f"The {what} file is {kind}: {path}. Name a regular file.")
    text = read_text(path, what)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML{_explained(str(error), text)}") from None
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML: It is nested too deeply.") from None
    except ValueError:  # of Python's limit for the digits of an integer
        raise ConfigError(f"{path} is not valid TOML: A number in it has too many digits.") from None


def _explained(reason: str, text: str) -> str:
    """Return the position of the mistake, and a description of it."""
    at = _AT.search(reason)
    words = _AT.sub("", reason)
    if not at or not at["line"]:
        return f": {words}."
    line, column = int(at["line"]), int(at["column"])
    rest = text.splitlines()[line - 1][column - 1 :] if line <= len(text.splitlines()) else ""
    if _CURLY.match(rest):
        words = 'a curly quote. TOML needs straight quotes (")'
    elif words == "Invalid value":
        words = 'a value without quotes. Write it as in subdomain = "acme"'
    elif line == 1 and text.lstrip().startswith("{"):
        words = "this looks like JSON. Name the file .json, or write one setting per line"
    return f", line {line}, column {column}: {words}."


def plain(value: object) -> object:
    """Return a TOML date as a string: JSON has no dates. Other values stay."""
    return value.isoformat() if isinstance(value, date | time) else value
