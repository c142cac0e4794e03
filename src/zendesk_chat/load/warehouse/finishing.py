"""What a database gets beside rows: indexes and comments, where we know how to create them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.load.warehouse.transaction import Part
    from zendesk_chat.tables.table import StreamTable


def prepare_keys(warehouse: Warehouse, parts: Sequence[Part]) -> None:
    """Let the indexes accept the keys of rows that are about to be written."""
    if warehouse.kind.name == "postgres":
        from zendesk_chat.load.warehouse.postgres_tables import accept_long_keys  # noqa: PLC0415  others lack its driver

        accept_long_keys(warehouse.pipeline, [(part.table, part.longest_key) for part in parts])


def finish_tables(warehouse: Warehouse, tables: Sequence[StreamTable]) -> list[str]:
    """Create indexes and comments that these tables lack. Return what the user should know."""
    if warehouse.kind.name == "postgres":
        from zendesk_chat.load.warehouse.postgres_tables import create_indexes_and_comments  # noqa: PLC0415

        return create_indexes_and_comments(warehouse.pipeline, tables)
    return []
