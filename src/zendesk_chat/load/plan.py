"""What one account's load does: its configuration, its streams and its destination, all validated."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.config import Config, parse_config, require_past_start
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.configuration import gather_config, names_of_keys
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
        required: Names of the streams that the user named: it is an error if the account lacks one.
        config_file: Where renewed OAuth tokens are stored; None without a file.
    """

    config: Config
    catalog: Catalog
    streams: Sequence[Stream]
    required: frozenset[str]
    destination: Destination
    config_file: Path | None

    @property
    def tables(self) -> list[StreamTable]:
        """The table of each stream."""
        return [StreamTable.of(stream) for stream in self.streams]


def plan_load(options: argparse.Namespace, environment: Mapping[str, str], now: float) -> Plan:
    """Validate the options of ``sync`` and everything that they name, before any request and before the destination is opened.

    Raises:
        ConfigError: Something is missing or wrong.
    """
    names = names_of_keys(options, environment)
    config = parse_config(gather_config(options, environment), names)
    require_past_start(config, now, names)
    catalog = Catalog(config.redaction)
    streams = catalog.select(choose_streams(options.streams, options.exclude))
    return Plan(
        config,
        catalog,
        streams,
        frozenset(stream.name for stream in streams) if options.streams else frozenset(),
        _destination(options),
        Path(options.config) if options.config else None,
    )


def _destination(options: argparse.Namespace) -> Destination:
    path = duckdb_path(options.to)
    check_schema(options.schema, path)
    if path is None:
        _require_file_for(options)
    if options.time_zone:
        check_time_zone(options.time_zone)
    return Destination(
        options.to,
        path,
        options.schema,
        time_zone=options.time_zone or "",
        wait_seconds=options.wait,
        renamed_from=options.renamed_from or "",
        full_refresh=options.full_refresh,
    )


def _require_file_for(options: argparse.Namespace) -> None:
    """Raise a ConfigError if an option is given that only a DuckDB file has."""
    values = {"--time-zone": options.time_zone, "--wait": options.wait, "--renamed-from": options.renamed_from}
    if given := [name for name, value in values.items() if value]:
        raise ConfigError(f"{given[0]} is for DuckDB files only. Remove it, or load into a file.")
