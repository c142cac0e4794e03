"""What dlt writes for a part of a load whose destination is files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dlt.extract import DltResource

from zendesk_chat.load.warehouse.files import imported_rows
from zendesk_chat.load.warehouse.lake_folder import SOURCE
from zendesk_chat.tables.merging import table_hints

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.lake import filesystem
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.load.warehouse.transaction import Part


def lake_resource(warehouse: Warehouse, part: Part) -> DltResource:
    """Return the rows of a part. The job that writes them gets the part itself, which contains what they replace."""
    cast("filesystem", warehouse.pipeline.destination).lake.parts[part.table.name] = part
    hints = table_hints(part.table, "append")  # or dlt would delete rows before the new ones are written
    if warehouse.kind.table_format != "parquet":
        hints["table_format"] = warehouse.kind.table_format
    return DltResource.from_data(imported_rows(warehouse, part), part.table.name, SOURCE, hints)
