"""Which rows are the latest of their key, and still children of their parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from zendesk_chat.tables.table import StreamTable

Staying: TypeAlias = "pa.BooleanArray | pa.ChunkedArray[Any]"
"""For each row whether it stays."""

_ORDER: Final = "_order"


def index_columns(table: StreamTable) -> list[str]:
    """Return the columns that decide which rows stay."""
    return list(dict.fromkeys([*table.primary_key, *filter(None, [table.parent_field, table.latest_by])]))


def staying_rows(
    table: StreamTable, index: pa.Table, page_sizes: Sequence[int], last_named: Mapping[str, int]
) -> Staying | None:
    """Return for each row whether it stays, or None if all do.

    Args:
        table: The table of the rows.
        index: Their ``index_columns``, in the order in which they came.
        page_sizes: The number of rows of each page.
        last_named: For each parent, the last page that has its children. The rows of earlier pages are stale.
    """
    latest = _latest_of_keys(table, index)
    held = _held_by_parents(table, index, page_sizes, last_named)
    if latest is None:
        return held
    return latest if held is None else pc.and_(latest, held)


def _latest_of_keys(table: StreamTable, index: pa.Table) -> Staying | None:
    """Return for each row whether it is the latest of its key. A row whose key does not fit its column stays."""
    key = list(table.primary_key)
    if not key or index.group_by(key).aggregate([]).num_rows == index.num_rows:
        return None
    order_of_rows = pa.array(range(index.num_rows), pa.int64())
    order: list[tuple[str, Literal["ascending", "descending"]]]
    order = [(name, "descending") for name in (table.latest_by, _ORDER) if name]  # nulls come last
    rows = index.append_column(_ORDER, order_of_rows).sort_by(order)
    picked = rows.group_by(key, use_threads=False).aggregate([(_ORDER, "first")]).column(f"{_ORDER}_first")
    staying = pc.is_in(order_of_rows, value_set=picked)
    for name in key:
        staying = pc.or_(staying, pc.is_null(index.column(name)))
    return staying


def _held_by_parents(
    table: StreamTable, index: pa.Table, page_sizes: Sequence[int], last_named: Mapping[str, int]
) -> Staying | None:
    if table.parent_field is None or not last_named:
        return None
    pages = pa.concat_arrays([pa.repeat(pa.scalar(page, pa.int64()), size) for page, size in enumerate(page_sizes)])
    parents = pa.array(last_named, pa.string())
    named: Any = pc.take(
        pa.array(last_named.values(), pa.int64()), pc.index_in(index.column(table.parent_field), value_set=parents)
    )
    held = pc.less_equal(pc.fill_null(named, -1), pages)
    return None if pc.all(held).as_py() else held
