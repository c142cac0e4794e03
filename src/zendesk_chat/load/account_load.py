"""Loads an account into the destination of ``sync --to``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.analytics.views import create_views
from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import Config
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.load.config_file import ConfigFile
from zendesk_chat.load.console import say
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.account import ACCOUNTS
from zendesk_chat.load.file.opening import DATABASE, open_file
from zendesk_chat.load.file.shadows import naming_shadows
from zendesk_chat.load.file.store import FileStore, Target
from zendesk_chat.load.file.system import AccountRow
from zendesk_chat.load.file.tables import existing_schema
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.progress import show_progress
from zendesk_chat.load.report import LoadReport
from zendesk_chat.load.store import Store
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds, Stream
from zendesk_chat.tables.table import StreamTable

if TYPE_CHECKING:
    from rich.console import Console

MAIN: Final = "main"
"""The schema of the tables in a file, if the user names none."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What to load, and how.

    Attributes:
        options: Of ``sync``.
    """

    options: argparse.Namespace
    config: Config
    catalog: Catalog
    streams: Sequence[Stream]
    clock: Clock
    console: Console

    @property
    def tables(self) -> list[StreamTable]:
        """The table of each stream."""
        return [StreamTable.of(stream) for stream in self.streams]

    def into(self, store: Store, streams: Sequence[Stream]) -> LoadReport:
        """Read these streams, and load them into a store. The report has those that the user wants."""
        config, clock, states = self.config, self.clock, store.states()
        bounds = Bounds(config.start, clock.now(), config.lookback, end=config.end)
        tasks = [Task(stream, states.get(stream.name), bounds) for stream in streams]
        rotations = Rotations(clock)
        credentials = ConfigFile(Path(self.options.config), clock) if self.options.config else None
        events = run(tasks, connect(config, clock, rotations.save, credentials), rotations, clock)
        names = [stream.name for stream in self.streams]
        with show_progress(self.console) as observe:
            return load_events(events, names, store, observe, required=names if self.options.streams else ())


def load_account(loading: Loading) -> LoadReport:
    """Load the account into the destination of ``--to``.

    Raises:
        ConnectorError: The destination cannot be opened or written, or is not for this account.
    """
    path = duckdb_path(loading.options.to)
    return _load_with_dlt(loading) if path is None else _load_file(loading, path)


def _load_file(loading: Loading, path: str) -> LoadReport:
    options, config, catalog = loading.options, loading.config, loading.catalog
    target = Target(
        path,
        options.schema or MAIN,
        AccountRow(config.subdomain, time_zone=check_time_zone(options.time_zone) if options.time_zone else ""),
        loading.tables,
        {stream.name: catalog.redaction_of(stream.name) for stream in loading.streams},
        f"{config.start} {config.end}",
        full_refresh=options.full_refresh,
        renamed_from=options.renamed_from or "",
    )
    account = catalog.streams[ACCOUNTS]  # first, so that the store knows early whose records come
    streams = [account, *(stream for stream in loading.streams if stream is not account)]
    with (
        open_file(path, loading.clock, options.wait, partial(say, loading.console)) as connection,
        naming_shadows(connection, DATABASE),
    ):
        with explained(f"reading {path}"):
            target = replace(target, schema=existing_schema(connection, target.schema))
        store = FileStore(connection, target, loading.clock)
        report = loading.into(store, streams)
        with explained(f"making the views in {path}"):
            taken = create_views(connection, target.schema, store.account.time_zone)
        for warning in dict.fromkeys((*store.warnings, *taken)):
            say(loading.console, f"warning: {warning}", "yellow")
    return replace(report, destination=Path(path), schema=target.schema)


def _load_with_dlt(loading: Loading) -> LoadReport:
    from zendesk_chat.load.dlt_destination import DATASET, open_target
    from zendesk_chat.load.dlt_store import DltStore

    options = loading.options
    with open_target(options.to, options.schema or DATASET) as target:
        return loading.into(DltStore(target, loading.tables, full_refresh=options.full_refresh), loading.streams)
