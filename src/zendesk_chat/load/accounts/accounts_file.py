"""The file of ``sync --accounts``: settings for all accounts, and a table for each. docs/schedule.md describes it to users.

Mistakes in the file itself are found before anything runs. A problem with something that the file names, such as a secret
that is not mounted, concerns only one account: the others are loaded.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from zendesk_chat.config import unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.settings_file import KEYS, plain, read_toml
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.sources import without_absent
from zendesk_chat.validation import convert, did_you_mean

PLACEHOLDER: Final = "{account}"
SECRETS: Final = ("token", "access_token", "credentials")
CREDENTIALS: Final = ("token_file", "token_env", "config", *SECRETS)
"""The keys that contain the token of an account, or name its source. An account has one of them."""

_OWN_KEYS: Final = (*KEYS, "token_env", "config")
_SHARED_KEYS: Final = ("parallel", *_OWN_KEYS)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_FOR_EACH: Final = ("to", "schema", "token_file", "token_env", "config")  # keys whose values may have the placeholder
_PATHS: Final = ("token_file", "config")
_WITH_PASSWORD: Final = re.compile(r"://[^@]*:[^@]*@|[?&]\w*(password|secret|token|key)\w*=", re.IGNORECASE)


class _Top(Struct, frozen=True):
    parallel: Annotated[int, Meta(ge=1, le=64)] = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One account in the file.

    Attributes:
        values: Its settings, and those for all accounts that it does not set itself. Paths are relative to the file.
        names: What the user calls each of them: ``start_date in accounts.toml [accounts.acme]``.
        shared_redact: The redaction for all accounts, if the account also has its own: all rules apply.
    """

    account: str
    values: Mapping[str, object] = field(repr=False)
    names: Mapping[str, str]
    shared_redact: object = None


@dataclass(frozen=True, slots=True)
class AccountsFile:
    """A valid accounts file.

    Attributes:
        parallel: How many accounts are loaded at the same time.
    """

    path: Path
    parallel: int
    entries: tuple[Entry, ...]

    @property
    def warnings(self) -> list[str]:
        """A warning if other users can read the secrets in the file."""
        has_secrets = any(key in entry.values for entry in self.entries for key in SECRETS)
        has_secrets |= any(_WITH_PASSWORD.search(str(entry.values["to"])) for entry in self.entries)
        if has_secrets and stat.S_IMODE(self.path.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH):
            return [f"Other users of this machine can read the secrets in {self.path}. Run: chmod 600 {self.path}"]
        return []


def read_accounts(path: Path) -> AccountsFile:
    """Read an accounts file. No secret that it names is read.

    Raises:
        ConfigError: It cannot be read, is not TOML, or has an unknown key or a value that is invalid for every account.
    """
    shared = read_toml(path, "accounts")
    tables = shared.pop("accounts", None)
    top = convert({"parallel": shared.pop("parallel", None)}, _Top, names={"parallel": f"parallel in {path}"})
    _check_shared(shared, path)
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        what = "has no accounts" if tables is None else "has accounts that are not tables"
        raise ConfigError(f"{path} {what}. Add a table for each, such as [accounts.acme].")
    if not tables:
        raise ConfigError(f"{path} has no accounts. Add a table for each, such as [accounts.acme].")
    _check_names(list(tables), path)
    return AccountsFile(path, top.parallel, tuple(_entry(name, table, shared, path) for name, table in tables.items()))


def chosen(file: AccountsFile, only: Sequence[str] | None, option: str = "--only") -> list[Entry]:
    """Return the accounts that an option names, in the order of the file, or all of them. Raises ConfigError."""
    if only is None:
        return list(file.entries)
    names = [name.strip() for value in only for name in value.split(",") if name.strip()]
    known = [entry.account for entry in file.entries]
    for name in names:
        if name not in known:
            near = did_you_mean(name, known)
            hint = f"Did you mean {near}?" if near else f"The accounts are {', '.join(known)}."
            raise ConfigError(f"{option}: {file.path} has no account {printable(name, LONGEST_NAME)}. {hint}")
    if not names:
        raise ConfigError(f"{option}: no account is named.")
    return [entry for entry in file.entries if entry.account in names]


def _check_shared(shared: Mapping[str, object], path: Path) -> None:
    """Check the settings for all accounts. Raises ConfigError."""
    for key, value in shared.items():
        if isinstance(value, Mapping) and key not in _OWN_KEYS and unknown_keys({key: value}, _OWN_KEYS):
            shown = printable(key, LONGEST_NAME)
            raise ConfigError(f"{path}: [{shown}] is not a table of this file. For an account, write [accounts.{shown}].")
    if misspelt := unknown_keys(shared, _SHARED_KEYS):
        raise ConfigError(f"{path}: {' '.join(misspelt)}")
    for key in ("subdomain", *CREDENTIALS):
        if key in shared and not (key in _FOR_EACH and PLACEHOLDER in str(shared[key])):
            hint = f' Or let it differ by account, as in {key} = "...{PLACEHOLDER}...".' if key in _FOR_EACH else ""
            raise ConfigError(
                f"{key} in {path}: it would apply to all accounts. Move it to the table of its account, such as "
                f"[accounts.acme].{hint}"
            )


def _check_names(names: Sequence[str], path: Path) -> None:
    """Check that the names of accounts can be part of a path. Raises ConfigError."""
    known: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name):
            shown = printable(name, LONGEST_NAME)
            raise ConfigError(
                f"{path}: the account {shown!r} needs another name: letters, digits, dots, hyphens and underscores."
            )
        if (other := known.setdefault(name.lower(), name)) != name:
            raise ConfigError(
                f"{path}: the accounts {other} and {name} differ only in upper and lower case. Rename one of them."
            )


def _entry(account: str, table: Mapping[str, object], shared: Mapping[str, object], path: Path) -> Entry:
    where = f"{path} [accounts.{account}]"
    if "parallel" in table:
        raise ConfigError(f"{where}: `parallel` is for all accounts. Move it to the top of the file.")
    if misspelt := unknown_keys(table, _OWN_KEYS):
        raise ConfigError(f"{where}: {' '.join(misspelt)}")
    own, common = (without_absent({key: plain(value) for key, value in part.items()}) for part in (table, shared))
    if any(key in own for key in CREDENTIALS):
        common = {key: value for key, value in common.items() if key not in CREDENTIALS}
    values = {"to": f"{PLACEHOLDER}.duckdb"} | common | own
    names = {"to": "--to"} | {key: f"{key} in {path}" for key in common} | {key: f"{key} in {where}" for key in own}
    given = [key for key in CREDENTIALS if key in values]
    if len(given) > 1:
        raise ConfigError(f"{where}: `{given[0]}` and `{given[1]}` are both set. Remove one of them.")
    if not given:
        raise ConfigError(f"{where}: the token is missing. Add `token_file`, `token_env` or `config`.")
    if isinstance(credentials := values.get("credentials"), Mapping) and credentials.get("refresh_token"):
        raise ConfigError(
            f"{where}: a refresh token works once, and the next one cannot be stored in a TOML file. Keep it in a JSON file, "
            'and name that file here: config = "acme.json".'
        )
    values |= {key: _for_account(values[key], account, names[key]) for key in _FOR_EACH if key in values}
    values |= dict(_located(values, names, path.parent))
    redact = common.get("redact") if "redact" in own else None
    return Entry(account, values, names, redact)


def _for_account(value: object, account: str, name: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name}: must be a string.")
    return value.replace(PLACEHOLDER, account)


def _located(values: Mapping[str, object], names: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the paths in a table, resolved from the directory of the file."""
    for key in _PATHS:
        if key in values:
            yield key, str(folder / Path(str(values[key])).expanduser())
    schema = str(values["schema"]) if "schema" in values else None
    database = duckdb_path(str(values["to"]), names["to"], schema, names.get("schema", "schema"))
    if database is not None:
        yield "to", f"duckdb:///{folder / database}"
