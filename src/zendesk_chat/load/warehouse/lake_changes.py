"""What a load changes in a Delta or Iceberg table, found by comparing its rows with the keys that the table has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from zendesk_chat.tables.latest import deciding_columns

if TYPE_CHECKING:
    from zendesk_chat.tables.table import StreamTable


@dataclass(frozen=True, slots=True)
class Change:
    """What a load changes.

    Attributes:
        rows: To insert.
        replaced: Keys of stored rows that ``rows`` have too.
        removed: Keys of other stored rows: their chats no longer have them.
    """

    rows: pa.Table
    replaced: pa.Array[Any]
    removed: pa.Array[Any]

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return self.rows.num_rows == 0 and len(self.removed) == 0

    @property
    def deletes(self) -> bool:
        """Whether stored rows are replaced or removed."""
        return len(self.replaced) + len(self.removed) > 0


def find_change(
    table: StreamTable, rows: pa.Table, parents: pa.Table | None, read_stored: Callable[[Sequence[str]], pa.Table]
) -> Change:
    """Compare new rows with those that the table has.

    Args:
        table: The table.
        rows: The new rows, with unique keys.
        parents: The parents whose only children are these rows; None if the table has none.
        read_stored: Returns columns of the table in the destination.
    """
    key, parent, latest_by = table.primary_key[0], table.parent_field, table.latest_by
    stored = read_stored(deciding_columns(table))
    if latest_by is not None:
        rows = rows.filter(_not_older(rows, stored, key, latest_by))
    keys = stored.column(key)
    again = pc.is_in(keys, rows.column(key), skip_nulls=True)
    if parent is None or parents is None:
        removed = keys.slice(0, 0)
    else:
        of_parents = pc.is_in(stored.column(parent), parents.column(parent))
        removed = keys.filter(pc.and_(of_parents, pc.invert(again)))
    return Change(rows, keys.filter(again).combine_chunks(), removed.combine_chunks())


def _not_older(rows: pa.Table, stored: pa.Table, key: str, latest_by: str) -> Any:  # noqa: ANN401  Arrow's condition
    """Return for each new row whether the stored row with its key is not later. Null is the earliest time."""
    known = stored.filter(pc.is_valid(stored.column(key)))
    before: Any = known.column(latest_by).take(pc.index_in(rows.column(key), known.column(key)))
    reached: Any = pc.less_equal(before, rows.column(latest_by))  # null if one of the two is
    return pc.or_kleene(pc.is_null(before), pc.and_kleene(pc.is_valid(rows.column(latest_by)), reached))
