"""Loads an account into the destination of ``sync --to``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.analytics.views import create_views
from zendesk_chat.api.client import connect
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Clock
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.load.account_guard import ACCOUNTS, AccountRow
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.opening import DATABASE
from zendesk_chat.load.file.shadows import naming_shadows
from zendesk_chat.load.file.sharing import SharedFiles
from zendesk_chat.load.file.store import FileStore
from zendesk_chat.load.file.store import Target as FileTarget
from zendesk_chat.load.file.tables import existing_schema
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.log import Log
from zendesk_chat.load.plan import Plan
from zendesk_chat.load.report import LoadReport
from zendesk_chat.load.run_log import log_start, show_progress
from zendesk_chat.load.store import Store
from zendesk_chat.streams.stream import Bounds, Stream

MAIN: Final = "main"
"""The schema of the tables in a file, if the user names none."""


def load_account(plan: Plan, clock: Clock, log: Log, files: SharedFiles | None = None) -> LoadReport:
    """Load an account into its destination.

    Args:
        plan: What to load.
        clock: Is stopped when the run has ended.
        log: For progress and warnings.
        files: Shared by accounts that are loaded at the same time.

    Raises:
        ConnectorError: The destination cannot be opened or written, or is not for this account.
    """
    path = plan.destination.path
    if path is None:
        return _load_warehouse(plan, clock, log)
    return _load_file(plan, path, clock, log, files or SharedFiles())


def _load_file(plan: Plan, path: str, clock: Clock, log: Log, files: SharedFiles) -> LoadReport:
    destination, config, catalog = plan.destination, plan.config, plan.catalog
    time_zone = check_time_zone(destination.time_zone) if destination.time_zone else ""
    target = FileTarget(
        path,
        destination.schema or MAIN,
        AccountRow(config.subdomain, time_zone=time_zone),
        plan.tables,
        {stream.name: catalog.redaction_of(stream.name) for stream in plan.streams},
        f"{config.start} {config.end}",
        full_refresh=destination.full_refresh,
        renamed_from=destination.renamed_from,
    )
    with (
        files.open(path, clock, destination.wait_seconds, partial(log.note, event="waiting")) as file,
        naming_shadows(file.connection, DATABASE),
    ):
        with explained(f"reading {path}"):
            target = replace(target, schema=existing_schema(file.connection, target.schema))
        store = FileStore(file.connection, target, clock, file.writing)
        report = _read_into(store, _account_first(plan), plan, clock, log)
        with file.writing, explained(f"creating the views in {path}"):
            taken = create_views(file.connection, target.schema, store.account.time_zone)
    warnings = tuple(dict.fromkeys((*store.warnings, *taken)))
    return replace(report, destination=Path(path), schema=target.schema, warnings=warnings)


def _load_warehouse(plan: Plan, clock: Clock, log: Log) -> LoadReport:
    from zendesk_chat.load.warehouse.opening import open_warehouse
    from zendesk_chat.load.warehouse.store import Target, WarehouseStore

    destination, config, catalog = plan.destination, plan.config, plan.catalog
    target = Target(
        AccountRow(config.subdomain),
        plan.tables,
        {stream.name: catalog.redaction_of(stream.name) for stream in plan.streams},
        full_refresh=destination.full_refresh,
        renamed_from=destination.renamed_from,
    )
    on_wait = partial(log.note, event="waiting")
    with open_warehouse(destination.url, destination.schema, clock, destination.wait_seconds, on_wait) as warehouse:
        store = WarehouseStore(warehouse, target)
        report = _read_into(store, _account_first(plan), plan, clock, log)
    return replace(report, warnings=tuple(store.warnings))


def _account_first(plan: Plan) -> list[Stream]:
    """Return the streams to read. The account comes first, so that the store knows early whose records come."""
    account = plan.catalog.streams[ACCOUNTS]
    return [account, *(stream for stream in plan.streams if stream is not account)]


def _read_into(store: Store, streams: Sequence[Stream], plan: Plan, clock: Clock, log: Log) -> LoadReport:
    """Read these streams, and load them into a store. The report has those of the plan."""
    config, states = plan.config, store.states()
    bounds = Bounds(config.start, clock.now(), config.lookback, end=config.end)
    tasks = [Task(stream, states.get(stream.name), bounds) for stream in streams]
    rotations = Rotations(clock)
    credentials = ConfigFile(plan.config_file, clock) if plan.config_file else None
    events = run(tasks, connect(config, clock, rotations.save, credentials), rotations, clock, each_request=log.detailed)
    names = [stream.name for stream in plan.streams]
    with show_progress(log, names) as observe:
        log_start(log, config.subdomain, store.name, names)
        return load_events(events, names, store, observe, required=plan.required)
