"""What one account's load does: its configuration, its streams and its destination, all validated."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.config import Config, require_past_start
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.configuration import Configuration, gather
from zendesk_chat.load.destination import Destination, check_schema, duckdb_path
from zendesk_chat.load.selection import choose_streams
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.table import StreamTable


@dataclass(frozen=True, slots=True)
class Plan:
    """What to load, and where to.

    Attributes:
        streams: In the order of their tables.
        required: Names of the streams that the user named. It is an error if the account lacks one.
        config_file: Where renewed OAuth tokens are stored; None without a file.
        warnings: Warnings about the configuration.
        origins: Where each setting comes from: ``ZENDESK_CHAT_SUBDOMAIN in .env`` for ``subdomain``.
        files: Paths of the database and of the files of the configuration, by what the user calls them.
    """

    config: Config
    catalog: Catalog
    streams: Sequence[Stream]
    required: frozenset[str]
    destination: Destination
    config_file: Path | None
    warnings: Sequence[str] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[StreamTable]:
        """The table of each stream."""
        return [StreamTable.of(stream) for stream in self.streams]


def plan_load(options: argparse.Namespace, environment: Mapping[str, str], now: float) -> Plan:
    """Validate the options of ``sync`` and everything that they name, before any request and before the destination is opened.

    Raises:
        ConfigError: Something is missing or wrong.
    """
    configuration = gather(options, environment)
    return make_plan(configuration, now, full_refresh=options.full_refresh, renamed_from=options.renamed_from or "")


def make_plan(configuration: Configuration, now: float, *, full_refresh: bool = False, renamed_from: str = "") -> Plan:
    """Validate a configuration and everything that it names. ``full_refresh`` and ``renamed_from`` are as in ``Destination``.

    Raises:
        ConfigError: Something is missing or wrong.
    """
    config, settings, name = configuration.parse(), configuration.settings, configuration.name
    require_past_start(config, now, configuration.names)
    catalog = Catalog(config.redaction)
    streams = catalog.select(choose_streams(settings.streams, settings.exclude, (name("streams"), name("exclude"))))
    destination = _destination(configuration, full_refresh=full_refresh, renamed_from=renamed_from)
    database = {name("to"): destination.path} if destination.path is not None else {}
    return Plan(
        config,
        catalog,
        streams,
        frozenset(stream.name for stream in streams) if settings.streams else frozenset(),
        destination,
        configuration.store,
        (*configuration.warnings, *catalog.warnings),
        configuration.origins,
        {**configuration.files, **database},
    )


def _destination(configuration: Configuration, *, full_refresh: bool, renamed_from: str) -> Destination:
    settings, name = configuration.settings, configuration.name
    path = duckdb_path(settings.to, name("to"), settings.schema, name("schema"))
    check_schema(settings.schema, path, name("schema"))
    if path is None and settings.time_zone:
        raise ConfigError(f"{name('time_zone')} is for DuckDB files only. Remove it, or load into a file.")
    if settings.time_zone:
        check_time_zone(settings.time_zone)
    return Destination(
        settings.to,
        path,
        settings.schema,
        time_zone=settings.time_zone,
        wait_seconds=settings.wait,
        renamed_from=renamed_from,
        full_refresh=full_refresh,
    )
