"""Columns: those of a stream, and ``account`` before them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
from pyspark.sql.types import BooleanType, DataType, DoubleType, LongType, StringType, StructField, StructType, TimestampType

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.spark.accounts import SparkAccount
from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.table import StreamTable
from zendesk_chat.validation import did_you_mean

ACCOUNT: Final = "account"
"""The first column: the name of the account in the accounts file, or its subdomain."""

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_TYPES: Final[dict[pa.DataType, DataType]] = {
    pa.string(): StringType(),
    pa.int64(): LongType(),
    pa.float64(): DoubleType(),
    pa.bool_(): BooleanType(),
    _TIMESTAMP: TimestampType(),
}


def schema_of(accounts: Iterable[SparkAccount]) -> StructType:
    """Return the columns of a stream in any of these accounts: their redactions may differ.

    A column that is a hash in one account and a number in another is a string.
    """
    kinds: dict[str, pa.DataType] = {ACCOUNT: pa.string()}
    streams = {id(account.stream): account.stream for account in accounts}  # most accounts have the same one
    for stream in streams.values():
        for field in arrow_schema(StreamTable.of(stream)):
            kinds[field.name] = field.type if kinds.get(field.name, field.type) == field.type else pa.string()
    return StructType([StructField(name, _TYPES[kind]) for name, kind in kinds.items()])


def require_columns(chosen: StructType, complete: StructType) -> None:
    """Check the columns that a user has set with ``schema(...)``.

    Raises:
        ConfigError: One is unknown, occurs twice, is NOT NULL, or has another type.
    """
    known = {field.name: field.dataType for field in complete}
    for number, field in enumerate(chosen):
        if field.name not in known:
            near = did_you_mean(field.name, known)
            hint = f"Did you mean {near}?" if near else "Remove schema(...), and select the columns that you need."
            raise ConfigError(f"schema: there is no column {printable(field.name, LONGEST_NAME)}. {hint}")
        if field.name in chosen.names[:number]:
            raise ConfigError(f"schema: the column {field.name} occurs twice. Remove one of the two.")
        if field.dataType != known[field.name]:
            raise ConfigError(
                f"schema: {field.name} is {known[field.name].simpleString()}, not {field.dataType.simpleString()}."
            )
        if not field.nullable:
            raise ConfigError(f"schema: the column {field.name} may be null. Remove NOT NULL.")


def arrow_columns(schema: StructType) -> pa.Schema:
    """Return a schema of Spark in Arrow."""
    arrow = {kind: found for found, kind in _TYPES.items()}
    return pa.schema([pa.field(field.name, arrow[field.dataType]) for field in schema])


def aligned(table: pa.Table, account: str, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of the data source. Columns that the account lacks are null.

    Raises:
        ConfigError: A column has another type than when the query was planned.
    """
    columns = []
    for field in schema:
        if field.name == ACCOUNT:
            columns.append(pa.chunked_array([pa.repeat(pa.scalar(account), table.num_rows)]))
        elif field.name in table.column_names:
            found = table.column(field.name)
            if found.type != field.type and field.type != pa.string():
                raise ConfigError(
                    f"{account}: the column {field.name} was {field.type} when the query was planned, and is {found.type} now, "
                    "because redact has changed. Restart the query. If the machines have different accounts files, copy the "
                    "same file to all of them."
                )
            columns.append(found.cast(field.type))
        else:
            columns.append(pa.chunked_array([pa.nulls(table.num_rows, field.type)]))
    return pa.table(columns, schema=schema)
