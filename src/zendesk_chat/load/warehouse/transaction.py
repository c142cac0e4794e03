"""One transaction of a load: rows of streams, and the checkpoints from which a later run resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import dlt
from dlt.common.schema.typing import TWriteDispositionConfig
from dlt.extract import DltResource

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.failures import explained
from zendesk_chat.load.warehouse.files import imported_rows
from zendesk_chat.load.warehouse.lake_resource import lake_resource
from zendesk_chat.tables.merging import merge, naming_rows, table_hints
from zendesk_chat.tables.table import StreamTable

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.spool import Rows

_SOURCE: Final = "zendesk_chat"
_VERSION: Final = 1
"""Of what is stored in dlt's state. A later version may be unreadable for this one."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the destination's state has of a stream.

    Attributes:
        state: The state to resume from; None for a stream that each run reads completely.
        digest: Of the records of a list, so that an unchanged one is not written again.
        redaction: A fingerprint of the rules that changed the last rows.
    """

    state: StateBlob | None = None
    digest: str = ""
    redaction: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the destination's state has of the account: None if nothing was loaded yet."""

    account: AccountRow | None = None
    streams: Mapping[str, Checkpoint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for one table.

    Attributes:
        replace: Whether the rows replace all others, or only those with equal keys and parents.
        rebuild: Whether the table is dropped first, because the type of a column changes.
    """

    table: StreamTable
    rows: Rows
    replace: bool
    rebuild: bool = False


def read_memory(warehouse: Warehouse) -> Memory:
    """Return what earlier runs stored.

    Raises:
        DestinationRefusedError: A later version of this program wrote it.
    """
    stored = warehouse.pipeline.state.get("sources", {}).get(_SOURCE, {}).get("sync")
    if stored is None:
        return Memory()
    memory: dict[str, Any] = json.loads(stored)
    if memory["version"] > _VERSION:
        raise DestinationRefusedError(f"A later version of zendesk-chat loaded {warehouse.name}. Update this one.")
    return Memory(AccountRow(**memory["account"]), {name: Checkpoint(**kept) for name, kept in memory["streams"].items()})


def commit(warehouse: Warehouse, parts: Sequence[Part], memory: Memory) -> None:
    """Write the parts and then the memory.

    dlt writes its state into the same load package, and a package only takes effect when every table in it is written. So at
    worst, a kill leaves rows that a later run, which resumes from the older state, reads and upserts again.

    Raises:
        DestinationError: The memory is not stored; some of the parts may be written.
    """
    in_files = warehouse.kind.table_format is not None  # whose schema changes with their rows
    with explained(f"writing to {warehouse.name}"):
        warehouse.lock.check()
        if rebuilt := [part for part in parts if part.rebuild and not in_files]:
            _load(warehouse, [_resource(warehouse, part) for part in rebuilt], drop=True)
        kept = [_resource(warehouse, part) for part in parts if not part.rebuild or in_files]
        _load(warehouse, [*kept, dlt.resource(_store(memory), name="states")])


def _load(warehouse: Warehouse, resources: Sequence[DltResource], *, drop: bool = False) -> None:
    pipeline = warehouse.pipeline
    pipeline.extract(_package(resources), refresh="drop_resources" if drop else None)
    pipeline.normalize()
    pipeline.load()


def _store(memory: Memory) -> Iterator[object]:
    """Put the memory into dlt's state. This is a resource without rows, because only resources can access the state."""
    account = asdict(memory.account) if memory.account else None
    streams = {name: asdict(kept) for name, kept in memory.streams.items()}
    dlt.current.source_state()["sync"] = json.dumps({"version": _VERSION, "account": account, "streams": streams})
    yield from ()


@dlt.source(name=_SOURCE)
def _package(resources: Sequence[DltResource]) -> Sequence[DltResource]:
    """Return what is written together. dlt keeps this function, so it must not refer to any data."""
    return resources


def _resource(warehouse: Warehouse, part: Part) -> DltResource:
    if warehouse.kind.table_format is not None:
        return lake_resource(warehouse, part)
    disposition = _disposition(warehouse, part)
    rows = _data(warehouse, part, disposition)
    return DltResource.from_data(rows, part.table.name, _SOURCE, table_hints(part.table, disposition))


def _disposition(warehouse: Warehouse, part: Part) -> TWriteDispositionConfig:
    if part.replace:
        return "replace"
    return merge(part.table, warehouse.pipeline.sql_client().make_qualified_table_name)


def _data(warehouse: Warehouse, part: Part, disposition: TWriteDispositionConfig) -> Iterator[object]:
    yield from imported_rows(warehouse, part)
    if isinstance(disposition, dict) and part.rows.parents is not None:
        yield naming_rows(part.table, part.rows.parents)
