"""DuckDB views over the Parquet files, which show the latest rows only: what the tables of any other destination contain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zendesk_chat.load.warehouse.lake_folder import PARENTS
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.sql import literal, quoted
from zendesk_chat.tables.table import StreamTable

VIEWS: Final = "views.sql"
"""The file with the views, beside the tables."""
_HEADER: Final = """\
-- Views for DuckDB over the Parquet files of zendesk-chat. They show the latest version of each row.
-- Use them with: duckdb -init {name}
-- For files in a bucket, first run: INSTALL httpfs; CREATE SECRET (TYPE s3, PROVIDER credential_chain);
-- This file is written by `zendesk-chat sync`. Do not change it.
"""


def views_sql(location: str, tables: Iterable[str]) -> str:
    """Return a script that creates the views.

    Args:
        location: The path or URL of the folder that contains the folders of the tables.
        tables: The tables that have files.
    """
    stored = set(tables)
    views = [_view(location, StreamTable.of(STREAMS[name]), stored) for name in sorted(stored) if name in STREAMS]
    return "\n".join([_HEADER.format(name=literal(f"{location}{VIEWS}")), *views])


def _view(location: str, table: StreamTable, stored: set[str]) -> str:
    name = quoted(table.name)
    if table.parent_field is None or table.name + PARENTS not in stored:
        query = f"SELECT * EXCLUDE (refresh, load)\n{_latest(location, table)}"
    else:
        parent = quoted(table.parent_field)
        query = (
            f"WITH latest AS (\n    SELECT *\n{_indented(_latest(location, table))}\n),\n"
            f"complete AS (\n    SELECT {parent}, max(load) AS load\n    FROM {_files(location, table.name + PARENTS)}\n"
            "    GROUP BY ALL\n)\n"
            f"SELECT latest.* EXCLUDE (refresh, load)\nFROM latest LEFT JOIN complete USING ({parent})\n"
            "WHERE complete.load IS NULL OR latest.load >= complete.load"
        )
    return f"CREATE OR REPLACE VIEW {name} AS\n{query};\n"


def _latest(location: str, table: StreamTable) -> str:
    """Return the FROM clause of the latest row of each key since the table was last replaced."""
    files = literal(f"{location}{table.name}/*/*/*.parquet")
    clause = (
        f"FROM {_files(location, table.name)}\n"
        f"WHERE refresh = (SELECT max(regexp_extract(file, 'refresh=(\\d+)', 1)::BIGINT) FROM glob({files}))"
    )
    if not table.primary_key:
        return clause
    key = quoted(table.primary_key[0])
    order = ", ".join([*([f"{quoted(table.latest_by)} DESC NULLS LAST"] if table.latest_by else []), "load DESC"])
    return f"{clause}\nQUALIFY {key} IS NULL OR row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1"


def _files(location: str, table: str) -> str:
    types = "hive_types = {'refresh': BIGINT, 'load': BIGINT}"
    return f"read_parquet({literal(f'{location}{table}/*/*/*.parquet')}, {types}, union_by_name = true)"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
