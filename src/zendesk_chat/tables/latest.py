"""Which rows of several pages stay: the last extraction of each chat, and in it the latest row of each key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from zendesk_chat.tables.table import StreamTable

Staying: TypeAlias = "pa.BooleanArray | pa.ChunkedArray[Any]"
"""For each row, whether it is the latest of its key and still a child of its parent."""

_ORDER: Final = "_order"


def deciding_columns(table: StreamTable) -> list[str]:
    """Return the names of the columns that decide which rows stay."""
    return list(dict.fromkeys([*table.primary_key, *filter(None, [table.source_field, table.latest_by])]))


def staying_rows(
    table: StreamTable, index: pa.Table, page_sizes: Sequence[int], last_named: Mapping[str, int]
) -> Staying | None:
    """Return which rows stay, or None if all do.

    Args:
        table: The table of the rows.
        index: The ``deciding_columns`` of all rows, in the order of arrival.
        page_sizes: The number of rows in each page.
        last_named: The last page with each chat. Its rows are all that were extracted from this chat.
    """
    held = held_by_chats(table, index, page_sizes, last_named)
    latest = _latest_of_keys(table, index, held)
    return pc.and_(latest, held) if latest is not None and held is not None else (held if latest is None else latest)


def held_by_chats(
    table: StreamTable, index: pa.Table, page_sizes: Sequence[int], last_named: Mapping[str, int]
) -> Staying | None:
    """Return for each row whether no later page has its chat, or None if all stay."""
    if table.source_field is None or not last_named or len(page_sizes) == 1:
        return None
    pages = pa.concat_arrays([pa.repeat(pa.scalar(page, pa.int64()), size) for page, size in enumerate(page_sizes)])
    named: Any = pc.take(
        pa.array(last_named.values(), pa.int64()),
        pc.index_in(index.column(table.source_field), value_set=pa.array(last_named, pa.string())),
    )
    held = pc.less_equal(pc.fill_null(named, -1), pages)
    return None if pc.all(held).as_py() else held


def _latest_of_keys(table: StreamTable, index: pa.Table, held: Staying | None) -> Staying | None:
    """Return for each row whether it is the latest of its key among those that stay, or None if no key occurs twice.

    A row whose key does not fit its column stays.
    """
    key = list(table.primary_key)
    if not key:
        return None
    order_of_rows = pa.array(range(index.num_rows), pa.int64())
    rows = index.append_column(_ORDER, order_of_rows)
    if held is not None:
        rows = rows.filter(held)
    if _are_unique(rows, key):
        return None
    order: list[tuple[str, Literal["ascending", "descending"]]]
    order = [(name, "descending") for name in (table.latest_by, _ORDER) if name]  # nulls are last
    picked = rows.sort_by(order).group_by(key, use_threads=False).aggregate([(_ORDER, "first")]).column(f"{_ORDER}_first")
    staying = pc.is_in(order_of_rows, value_set=picked)
    for name in key:
        staying = pc.or_(staying, pc.is_null(index.column(name)))
    return staying


def _are_unique(index: pa.Table, key: Sequence[str]) -> bool:
    if len(key) == 1:  # without a group, for which Arrow loads more than all the rest takes
        return bool(pc.count_distinct(index.column(key[0]), mode="all").as_py() == index.num_rows)
    return index.group_by(list(key)).aggregate([]).num_rows == index.num_rows
