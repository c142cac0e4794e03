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
from zendesk_chat.load.warehouse.finishing import prepare_keys
from zendesk_chat.load.warehouse.lake_resource import lake_resource
from zendesk_chat.load.warehouse.stored_tables import create_staging, is_empty
from zendesk_chat.tables.arrow import naming_rows
from zendesk_chat.tables.merging import merge, table_hints
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
        redactions: The fingerprints of the rules with which the rows were loaded, in order; "" of rows that no rule changed.
    """

    state: StateBlob | None = None
    digest: str = ""
    redactions: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Checkpoint:
        """Return what JSON contains."""
        return cls(stored["state"], stored["digest"], tuple(stored["redactions"]))


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
        rebuild: Whether the columns of the table change their types first.
        first: Whether the state has nothing of the stream, so that the table may be empty.
        longest_key: Bytes in the longest key of a row or of its parent, if the destination limits them.
    """

    table: StreamTable
    rows: Rows
    replace: bool
    rebuild: bool = False
    first: bool = False
    longest_key: int = 0


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
    return Memory(AccountRow(**memory["account"]), {name: Checkpoint.of(kept) for name, kept in memory["streams"].items()})


def commit(warehouse: Warehouse, parts: Sequence[Part], before: Memory, after: Memory) -> None:
    """Write the parts and then the memory.

    dlt writes its state into the same load package, and a package only takes effect when every table in it is written. So at
    worst, a kill leaves rows that a later run, which resumes from the older state, reads and upserts again.

    Args:
        warehouse: The destination.
        parts: The rows.
        before: What is stored now.
        after: What to store with the rows.

    Raises:
        DestinationError: The memory is not stored; some of the parts may be written.
    """
    with explained(f"writing to {warehouse.name}"):
        warehouse.lock.check()
        prepare_keys(warehouse, parts)
        rebuilt = [part for part in parts if part.rebuild and warehouse.kind.table_format is None]  # files change with rows
        # After a kill, the digest of a list or the types of a table may not be those in the memory. Without their
        # checkpoints, the next run loads them from the start.
        unsafe = {part.table.name for part in parts if part in rebuilt or (part.table.mirrors and not part.first)}
        if unsafe:
            safe = {name: kept for name, kept in before.streams.items() if name not in unsafe}
            _load(warehouse, [_states(Memory(after.account, safe))])
        if rebuilt:
            create_staging(warehouse)
            _load(warehouse, [_resource(warehouse, part) for part in rebuilt], drop=True)
        _load(warehouse, [*(_resource(warehouse, part) for part in parts if part not in rebuilt), _states(after)])


def _load(warehouse: Warehouse, resources: Sequence[DltResource], *, drop: bool = False) -> None:
    pipeline = warehouse.pipeline
    pipeline.extract(_package(resources), refresh="drop_resources" if drop else None)
    pipeline.normalize()
    pipeline.load()


def _states(memory: Memory) -> DltResource:
    resource: DltResource = dlt.resource(_store(memory), name="states")
    return resource


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
    if part.first and is_empty(warehouse, part.table.name):
        return "append"  # a first load needs no staging table
    if part.replace:
        return "replace"
    return merge(part.table, warehouse.pipeline.sql_client().make_qualified_table_name)


def _data(warehouse: Warehouse, part: Part, disposition: TWriteDispositionConfig) -> Iterator[object]:
    yield from imported_rows(warehouse, part)
    if isinstance(disposition, dict) and part.rows.parents is not None:
        yield naming_rows(part.table, part.rows.parents)
