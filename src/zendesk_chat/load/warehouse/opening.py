"""A destination that dlt loads: opened once, used by every transaction of a run, and closed with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination import Destination as DltDestination
from dlt.common.destination import TDestinationReferenceArg

from zendesk_chat.clock import Clock
from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.failures import explained
from zendesk_chat.load.warehouse.address import Address, parse_address
from zendesk_chat.load.warehouse.credentials import credentials_of, naming_missing, options_of
from zendesk_chat.load.warehouse.drivers import install_command, missing_driver
from zendesk_chat.load.warehouse.kinds import Kind
from zendesk_chat.load.warehouse.lock import KeptLock, Waiting, locked
from zendesk_chat.load.warehouse.surroundings import PIPELINE, our_settings
from zendesk_chat.load.warehouse.working_directory import working_directory


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An open destination.

    Attributes:
        kind: What it is.
        pipeline: dlt's pipeline, with its working directory inside ``directory``.
        directory: A temporary directory; removed when the destination is closed.
        name: What messages call it.
        lock: Keeps other syncs out.
    """

    kind: Kind
    pipeline: dlt.Pipeline
    directory: Path
    name: str
    lock: KeptLock


@contextmanager
def open_warehouse(
    url: str,
    dataset: str | None,
    clock: Clock,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], object] = lambda _message: None,
) -> Iterator[Warehouse]:
    """Open the destination of a URL, wait until no other sync loads into it, and read dlt's state from it.

    Args:
        url: Of the destination.
        dataset: The schema of the tables; None for the one in the URL, or the default of the destination.
        clock: For the time to wait.
        wait_seconds: How long to wait while another sync loads into the same schema.
        on_wait: Called with a message when waiting begins.

    Raises:
        DestinationError: The destination cannot be opened or written, or another sync uses it.
    """
    address = parse_address(url, dataset)
    kind = address.kind
    name = address.shown
    _require_driver(address)
    with ExitStack() as stack:
        with explained("creating a temporary directory"):
            directory = stack.enter_context(working_directory(clock))
        with explained(f"opening {name}"), naming_missing(address):
            stack.enter_context(our_settings())
            pipeline = dlt.pipeline(
                f"{PIPELINE}_files" if kind.table_format else PIPELINE,
                pipelines_dir=str(directory / "dlt"),
                destination=_destination(address),
                dataset_name=dataset or address.dataset or kind.dataset,
            )
            waiting = Waiting(clock, wait_seconds, on_wait)
            lock = stack.enter_context(locked(kind, pipeline, name, waiting))
            pipeline.sync_destination()
        yield Warehouse(kind, pipeline, directory, name, lock)


def _require_driver(address: Address) -> None:
    """Raise DestinationRefusedError with the command that installs the driver, if it is missing."""
    if missing := missing_driver(address.kind, address.scheme):
        raise DestinationRefusedError(
            f"The driver of {missing} is not installed. Run: {install_command(address.kind, address.scheme)}"
        )


def _destination(address: Address) -> TDestinationReferenceArg:  # noqa: PLR0911  one for each driver
    kind = address.kind
    options: dict[str, Any] = {
        "enable_dataset_name_normalization": False,  # or My-Schema would become my_schema without a word
        # By default, dlt assumes that a destination may lack transactions: it would replace a table's contents with two
        # statements, a delete and an insert. This strategy collects the new contents in another schema first.
        "replace_strategy": "insert-from-staging",
        "supports_transactions": kind.atomic,
        "credentials": credentials_of(address),
        **options_of(address),
    }
    match kind.driver:
        case "postgres":
            from zendesk_chat.load.warehouse.postgres import postgres

            return postgres(**options)
        case "clickhouse":
            from zendesk_chat.load.warehouse.clickhouse import clickhouse_of

            return clickhouse_of(**options)
        case "filesystem":
            from zendesk_chat.load.warehouse.lake import open_lake

            return open_lake(address)
        case "mssql":
            from zendesk_chat.load.warehouse.mssql import mssql

            return mssql(**options)
        case "sqlalchemy" if kind.name == "sqlite":
            from zendesk_chat.load.warehouse.sqlite import sqlite

            return sqlite(**options)
        case "sqlalchemy":
            from zendesk_chat.load.warehouse.mysql import mysql

            return mysql(**options)
        case _:
            return DltDestination.from_reference(kind.driver, **options)
