"""A destination that dlt loads: opened once, used by every transaction of a run, and closed with it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dlt
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.destination import Destination as DltDestination
from dlt.common.destination import TDestinationReferenceArg
from dlt.common.runtime import run_context, telemetry

from zendesk_chat.clock import Clock
from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.failures import explained
from zendesk_chat.load.warehouse.address import Address, parse_address
from zendesk_chat.load.warehouse.kinds import Kind, install_command, missing_modules
from zendesk_chat.load.warehouse.lock import Lock, Waiting, locked

_PIPELINE: Final = "zendesk_chat"

_SETTINGS: Final = {
    "runtime.dlthub_telemetry": False,
    "runtime.log_level": "CRITICAL",  # we report errors ourselves
    "runtime.intercept_signals": False,  # Ctrl-C ends a run at once
    "enable_runtime_trace": False,
    "load.workers": 1,  # a database file has one writer
    "load.truncate_staging_dataset": True,  # or the rows of the last transaction stay there
    "normalize.workers": 1,
}


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An open destination.

    Attributes:
        kind: What it is.
        pipeline: dlt's pipeline, with its working directory inside ``directory``.
        directory: A temporary directory; removed when the destination is closed.
        name: Its name in messages: the kind of database.
        lock: Keeps other syncs out.
    """

    kind: Kind
    pipeline: dlt.Pipeline
    directory: Path
    name: str
    lock: Lock


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
    name = f"the {address.scheme} database"  # no more of the URL, which contains the password
    _require_driver(address)
    with ExitStack() as stack:
        with explained("creating a temporary directory"):
            temporary = tempfile.TemporaryDirectory(prefix="zendesk-chat-", ignore_cleanup_errors=True)
            directory = Path(stack.enter_context(temporary))
        with explained(f"opening {name}"):
            quieten()
            dlt.config["load.truncate_staging_dataset"] = kind.table_format is None
            pipeline = dlt.pipeline(
                _PIPELINE,
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
    if missing_modules(address.kind, address.scheme):
        raise DestinationRefusedError(
            f"The driver of {address.kind.title} is not installed. Run: {install_command(address.kind, address.scheme)}"
        )


def _destination(address: Address) -> TDestinationReferenceArg:
    # By default, dlt assumes that a destination may lack transactions: it would replace a table's contents with two
    # statements, a delete and an insert. This strategy collects the new contents in another schema first.
    options: dict[str, Any] = {"replace_strategy": "insert-from-staging", "supports_transactions": True}
    kind, url = address.kind, address.url
    match kind.driver:
        case "postgres":
            from zendesk_chat.load.warehouse.postgres import postgres

            return postgres(credentials=url, **options)
        case "filesystem":
            from zendesk_chat.load.warehouse.lake import open_lake

            return open_lake(address)
        case _:
            return DltDestination.from_reference(kind.driver, credentials=url, **options)


def quieten() -> None:
    """Apply our settings to dlt. Its runtime started with its own settings when it was imported."""
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    telemetry.stop_telemetry()
    # Only dlt's own trace, which is off, empties it. Through the exceptions in it, it would keep the data of each commit alive.
    get_resolved_traces().logging_enabled = False
    run_context.active().initialize_runtime()
