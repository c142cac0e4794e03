"""The files that dlt loads unchanged, so that rows pass from Arrow to the destination without Python objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dlt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from zendesk_chat.tables.arrow import arrow_schema

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.load.warehouse.transaction import Part

_QUOTED: Final = arrow_csv.WriteOptions(quoting_style="all_valid")
"""Each value is quoted, so that an empty string and a missing value differ."""


def imported_rows(warehouse: Warehouse, part: Part) -> Iterator[object]:
    """Yield the rows of a part for dlt."""
    rows, empty = part.rows, arrow_schema(part.table).empty_table()
    match warehouse.kind.file_format:
        case "csv":
            path = warehouse.directory / f"{part.table.name}.csv"
            records = _write_csv(path, rows.batches, empty.schema)
            yield dlt.mark.with_file_import(str(path), "csv", records, empty)
        case "parquet":
            unique = warehouse.directory / f"{part.table.name}.unique.parquet"
            path = rows.file or _write_parquet(unique, rows.batches, empty.schema)
            yield dlt.mark.with_file_import(str(path), "parquet", rows.records, empty)
        case _:
            yield from rows.batches


def _write_parquet(path: Path, batches: Iterator[pa.Table], schema: pa.Schema) -> Path:
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches:
            writer.write_table(batch)
    return path


def _write_csv(path: Path, batches: Iterator[pa.Table], schema: pa.Schema) -> int:
    records = 0
    with arrow_csv.CSVWriter(path, schema, write_options=_QUOTED) as writer:
        for batch in batches:
            writer.write_table(batch)
            records += batch.num_rows
    return records
