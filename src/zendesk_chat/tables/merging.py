"""How dlt writes rows: the hints for a table's columns, and merges with conditions in SQL.

dlt writes the rows into a staging table, deletes the rows that its ``destination_scope`` matches, and inserts the rows that
pass its ``source_filter``, all in one transaction of the destination.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema, TWriteDispositionConfig
from dlt.extract import make_hints

from zendesk_chat.tables.table import EXTRA, UNPARSED

if TYPE_CHECKING:
    from dlt.extract.hints import TResourceHints

    from zendesk_chat.tables.table import StreamTable

# The other strategy, MERGE, makes DuckDB keep all rows in memory. The keys are unique already.
_BY_KEY: Final = {"disposition": "merge", "strategy": "delete-insert", "deduplicated": True}


def table_hints(table: StreamTable, disposition: TWriteDispositionConfig) -> TResourceHints:
    """Return what dlt needs to know about a table: its columns, its key, and how to write rows."""
    columns: dict[str, TColumnSchema] = {name: {"data_type": kind} for name, kind in table.columns.items()}
    columns |= {name: {"data_type": "json"} for name in (EXTRA, UNPARSED)}
    for name in table.primary_key:
        columns[name]["primary_key"] = True  # not with primary_key=, which would forbid a null for a key that does not fit
    return make_hints(columns=columns, write_disposition=disposition)  # the table is named like the resource


def merge(table: StreamTable, qualify: Callable[[str], str]) -> TWriteDispositionConfig:
    """Return the write disposition that merges rows into a table.

    With a ``parent_field``, the rows of ``naming_rows`` delete all rows of the parents in the table and are not inserted
    themselves. With ``latest_by``, a row of the table stays if it is later than the new one.

    ``qualify`` returns the qualified name of a table in the destination's SQL.
    """
    conditions: dict[str, str] = {}
    if table.parent_field is not None:
        conditions = _replacing_children(table.primary_key[0], table.parent_field)
    elif table.latest_by is not None:
        conditions = _keeping_later(table.primary_key[0], table.latest_by, qualify(table.name))
    return cast("TWriteDispositionConfig", _BY_KEY | conditions)


def replace_children(table: StreamTable, parents: pa.Table) -> TWriteDispositionConfig:
    """Return the write disposition with which Delta tables replace all children of the parents.

    The condition lists the parents, because Delta's conditions cannot query other tables.
    """
    keys = ", ".join(_literal(str(key)) for key in parents.column(0).to_pylist())
    scope = f"{{table}}.{table.parent_field} IN ({keys})"
    return cast("TWriteDispositionConfig", _BY_KEY | {"strategy": "cdc", "destination_scope": scope})


def _replacing_children(key: str, parent: str) -> dict[str, str]:
    child = f"{key} IS NOT NULL OR {EXTRA} IS NOT NULL OR {UNPARSED} IS NOT NULL"
    return {
        "destination_scope": (
            f"{parent} IN (SELECT {parent} FROM {{staging_table}} WHERE NOT ({child})) "
            f"OR {key} IN (SELECT {key} FROM {{staging_table}} WHERE {key} IS NOT NULL)"
        ),
        "source_filter": child,
    }


def _keeping_later(key: str, latest_by: str, qualified: str) -> dict[str, str]:
    older = (  # MySQL deletes from a table that the condition queries only if an inner query, which DISTINCT keeps apart, does
        f"SELECT older_key FROM (SELECT DISTINCT old.{key} AS older_key "
        f"FROM {{table}} old JOIN {{staging_table}} new ON new.{key} = old.{key} "
        f"WHERE old.{latest_by} IS NULL OR old.{latest_by} <= new.{latest_by}) older"
    )
    left = qualified.replace("{", "{{").replace("}", "}}")
    return {
        "destination_scope": f"{key} IN ({older})",
        # It is evaluated after the older rows were deleted.
        "source_filter": f"{key} IS NULL OR {key} NOT IN (SELECT {key} FROM {left} WHERE {key} IS NOT NULL)",
    }


def _literal(text: str) -> str:
    """Return a string in SQL, in a condition in which dlt replaces names in braces."""
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"
