"""Which files a command uses, by what the user calls them. None that it writes may be another one of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.config_location import default_config
from zendesk_chat.load.destination import duckdb_path, real_path
from zendesk_chat.load.env_file import NAME as ENV_FILE
from zendesk_chat.load.log import Log
from zendesk_chat.load.settings_file import PROJECT_FILE
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.settings import FILE_VARIABLES

_WRITTEN: Final = ("--log-file", "--metrics-file")
_READ: Final = ("--config", "--accounts")


def require_own_files(written: Mapping[str, str], used: Mapping[str, str]) -> None:
    """Check that each written file is none of the others, also through links. Paths are by the user's names for them.

    Raises:
        ConfigError: Two names are of one file: ``--log-file and --to name the same file``.
    """
    for name, path in written.items():
        for other, its in {**written, **used}.items():
            if other != name and _is_same(path, its):
                shown = printable(path, LONGEST_NAME)
                raise ConfigError(f"{name} and {other} name the same file, {shown}. Use another path with {name}.")


def written_files(options: argparse.Namespace) -> dict[str, str]:
    """Return the files that options name, and that are written beside a database."""
    return _given(options, _WRITTEN)


def files_before_reading(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the files whose names are known before any configuration is read."""
    found = _given(options, _READ) | {ENV_FILE: ENV_FILE, PROJECT_FILE: PROJECT_FILE}
    if stored := default_config():
        found["the configuration of `login`"] = str(stored)
    for name, value in (("--to", vars(options).get("to")), ("FILE", vars(options).get("database"))):
        with suppress(ConfigError):  # reported later
            if value and (path := duckdb_path(value)):
                found[name] = path
    return found | {name: environment[name] for name in FILE_VARIABLES if environment.get(name)}


def check_written(options: argparse.Namespace, environment: Mapping[str, str], used: Mapping[str, str], log: Log) -> None:
    """Check that the log and the metrics do not go into a file that the command uses, which is ``used`` and those of options.

    Raises:
        ConfigError: They do. If it is the log, no line goes into its file.
    """
    written, used = written_files(options), {**files_before_reading(options, environment), **used}
    try:
        require_own_files({name: path for name, path in written.items() if name == "--log-file"}, {**written, **used})
    except ConfigError:
        log.close_file()
        raise
    require_own_files(written, used)


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> dict[str, str]:
    values = {name: vars(options).get(name.removeprefix("--").replace("-", "_")) for name in names}
    return {name: str(value) for name, value in values.items() if value}


def _is_same(one: str, other: str) -> bool:
    with suppress(OSError, ValueError):
        return Path(one).samefile(other)
    with suppress(ValueError):
        return real_path(one) == real_path(other)
    return Path(one) == Path(other)
