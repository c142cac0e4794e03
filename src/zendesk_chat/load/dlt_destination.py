"""A destination that dlt loads: opened once, used by every transaction of a run, and closed with it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dlt
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.destination import Destination
from dlt.common.runtime import run_context, telemetry

from zendesk_chat.load.failures import explained

_PIPELINE: Final = "zendesk_chat"
DATASET: Final = "zendesk_chat"
"""The schema of the tables, if the user names none."""

_SETTINGS: Final = {
    "runtime.dlthub_telemetry": False,
    "runtime.log_level": "CRITICAL",  # we report errors ourselves
    "runtime.intercept_signals": False,  # Ctrl-C ends a run at once
    "enable_runtime_trace": False,
    "load.workers": 1,  # a database file has one writer
    "normalize.workers": 1,
}


@dataclass(frozen=True, slots=True)
class Target:
    """An open destination.

    Attributes:
        pipeline: dlt's pipeline, with its working directory inside ``directory``.
        directory: A temporary directory; removed when the target is closed.
        name: Its name in messages: the kind of database.
    """

    pipeline: dlt.Pipeline
    directory: Path
    name: str


@contextmanager
def open_target(url: str, dataset: str = DATASET) -> Iterator[Target]:
    """Open the database of a URL, and read dlt's state from it.

    Raises:
        DestinationError: The database cannot be opened or written.
    """
    scheme = url.partition("://")[0]
    name = f"the {scheme} database"  # no more of the URL, which contains the password
    with ExitStack() as stack:
        with explained("creating a temporary directory"):
            temporary = tempfile.TemporaryDirectory(prefix="zendesk-chat-", ignore_cleanup_errors=True)
            directory = Path(stack.enter_context(temporary))
        with explained(f"opening {name}"):
            quieten()
            # By default, dlt assumes that a destination may lack transactions: it would replace a table's contents with two
            # statements, a delete and an insert. This strategy collects the new contents in another schema first.
            options: dict[str, Any] = {"replace_strategy": "insert-from-staging", "supports_transactions": True}
            kind = scheme.replace("postgresql", "postgres")
            pipeline = dlt.pipeline(
                _PIPELINE,
                pipelines_dir=str(directory / "dlt"),
                destination=Destination.from_reference(kind, credentials=url, **options),
                dataset_name=dataset,
            )
            pipeline.sync_destination()
        yield Target(pipeline, directory, name)


def quieten() -> None:
    """Apply our settings to dlt. Its runtime started with its own settings when it was imported."""
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    telemetry.stop_telemetry()
    # Only dlt's own trace, which is off, empties it. Through the exceptions in it, it would keep the data of each commit alive.
    get_resolved_traces().logging_enabled = False
    run_context.active().initialize_runtime()
