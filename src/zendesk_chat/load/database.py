"""Which DuckDB file a command reads if you name none: the one that ``sync`` fills."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zendesk_chat.load.configuration import SyncSettings, find_files, sync_settings
from zendesk_chat.load.env_file import NAME as ENV_FILE
from zendesk_chat.load.env_file import read_env_file
from zendesk_chat.settings import OPTIONS
from zendesk_chat.sources import Source
from zendesk_chat.variables import from_variables

MAIN: Final = "main"
_VARIABLES: Final = ("ZENDESK_CHAT_TO", "ZENDESK_CHAT_SCHEMA")


@dataclass(frozen=True, slots=True)
class Database:
    """A database that ``sync`` fills.

    Attributes:
        file: A path or a URL, as the user wrote it.
        schema: Of the account's tables.
    """

    file: str
    schema: str


def find_database(options: argparse.Namespace, environment: Mapping[str, str]) -> Database:
    """Return what the argument FILE and ``--schema`` name, or ``to`` and ``schema`` of the configuration, or the defaults.

    Raises:
        ConfigError: The configuration cannot be read.
    """
    if options.database is not None and options.schema is not None:
        return Database(options.database, options.schema)
    given = {} if options.schema is None else {"schema": options.schema}
    sources = [
        Source(given, {"schema": OPTIONS["schema"]}, "option"),
        from_variables(environment, only=_VARIABLES),
        from_variables(read_env_file(), ENV_FILE, only=_VARIABLES),
        *find_files(),
    ]
    return chosen_database(options, sync_settings(sources))


def chosen_database(options: argparse.Namespace, settings: SyncSettings) -> Database:
    """Return the same for a command that has read the configuration already."""
    return Database(settings.to if options.database is None else options.database, settings.schema or MAIN)
