"""What tables and columns contain, for people who query them: comments in a database, and the data dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

if TYPE_CHECKING:
    from zendesk_chat.json_schema import Schema

DUCKDB_TYPES: Final[Mapping[ColumnType, str]] = {
    "text": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
}

# The columns that every table has in addition to its fields.
_EXTRA_COMMENT: Final = "Fields of the record without a column of their own, by name. Null if there are none. A JSON object."
_UNPARSED_COMMENT: Final = (
    "Original values that do not fit the type of their column, which is null then, by the column's name. "
    "Null if all values fit. A JSON object."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its type in DuckDB, and its content."""

    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class SystemTable:
    """A table about the syncs themselves, in addition to those of the streams."""

    name: str
    comment: str
    columns: Mapping[str, Column]

    def column_comments(self) -> dict[str, str]:
        """Return the comment on each column, by name."""
        return {name: column.comment for name, column in self.columns.items()}


def table_comment(table: StreamTable) -> str:
    """Return the comment on a table: what a row is, when it changes, and its key. Empty if the schema has no description."""
    return _described(table.schema)


def column_comments(table: StreamTable) -> dict[str, str]:
    """Return the comment on each column that the schema describes, and on ``_extra`` and ``_unparsed``, by name.

    For ``response_time`` of chats: "How fast agents responded in the chat, in seconds. A JSON object with first, avg, max."
    """
    fields = {name: _column_comment(field, table.columns[name]) for name, field in table.schema.properties.items()}
    return {name: comment for name, comment in fields.items() if comment} | {
        EXTRA: _EXTRA_COMMENT,
        UNPARSED: _UNPARSED_COMMENT,
    }


def _column_comment(field: Schema, kind: ColumnType) -> str:
    description = _described(field).replace("Absent", "Null").replace("absent", "null")  # a row has all columns
    return f"{description} {_json_form(field)}" if description and kind == "json" else description


def _described(schema: Schema) -> str:
    return str(schema.annotations.get("description", ""))


def _json_form(field: Schema) -> str:
    """Describe the JSON in a column: ``A JSON array of objects with timestamp, from, to, title.``."""
    if field.allows("object") and field.allows("array", "string", "boolean", "number", "integer"):
        return f"JSON: an object{_keys(field)}, or another value."
    if field.allows("object"):
        return f"A JSON object{_keys(field)}."
    if field.items is not None and field.items.allows("object"):
        return f"A JSON array of objects{_keys(field.items)}."
    return "A JSON array."


def _keys(schema: Schema) -> str:
    return f" with {', '.join(schema.properties)}" if schema.properties else ""


_RUN: Final = Column("BIGINT", "Number of the run: 1 for the first sync into this schema.")
_STREAM: Final = Column("VARCHAR", "Name of the stream and of its table.")

SYSTEM_TABLES: Final[Mapping[str, SystemTable]] = {
    table.name: table
    for table in (
        SystemTable(
            "_sync_account",
            "The Zendesk Chat account in the tables. One row. Sync refuses to load another account.",
            {
                "format": Column("BIGINT", "Version of the format of these system tables."),
                "subdomain": Column("VARCHAR", "Subdomain of the account: acme for acme.zendesk.com."),
                "account_key": Column("VARCHAR", "Key of the account: accounts.account_key. Null until it is known."),
                "time_zone": Column("VARCHAR", "IANA name of the time zone for days and hours in views."),
            },
        ),
        SystemTable(
            "_sync_streams",
            "How far each stream is loaded. One row for each stream, changed in the same transaction as its rows. Key: stream.",
            {
                "stream": _STREAM,
                "state": Column("JSON", "Where the next sync resumes. Null if it starts from the beginning."),
                "refresh_state": Column("JSON", "Where an interrupted full refresh resumes. Null if there is none."),
                "refreshing": Column("BOOLEAN", "Whether a full refresh is incomplete. Until then, the old rows stay."),
                "refresh_settings": Column(
                    "VARCHAR", "Fingerprint of the settings of a full refresh. The refresh starts again if they change."
                ),
                "redaction": Column("VARCHAR", "Fingerprint of the redaction rules for the loaded rows."),
                "digest": Column(
                    "VARCHAR", "Digest of a complete list, to skip it if it is unchanged. Null for other streams."
                ),
                "completed_at": Column("TIMESTAMP WITH TIME ZONE", "End of the last run that completed the stream."),
                "row_count": Column("BIGINT", "Rows in the table after the last run. Null during a run, or if it was killed."),
            },
        ),
        SystemTable(
            "_sync_outdated",
            "Keys of rows that were loaded with other redaction rules than the current ones. Empty if there are none.",
            {
                "stream": _STREAM,
                "key": Column("VARCHAR", "Key of the row."),
                "parent": Column("VARCHAR", "Key of the chat that contains the record. Null for a stream that is not nested."),
                "redaction": Column("VARCHAR", "Fingerprint of the redaction rules for the loaded row."),
            },
        ),
        SystemTable(
            "_sync_runs",
            "Runs of sync. One row for each run. Key: run.",
            {
                "run": _RUN,
                "started_at": Column("TIMESTAMP WITH TIME ZONE", "When the run started."),
                "ended_at": Column("TIMESTAMP WITH TIME ZONE", "When the run ended. Null if it is running, or was killed."),
                "version": Column("VARCHAR", "Version of zendesk-chat."),
                "result": Column("VARCHAR", "complete, incomplete, interrupted, or running (also if it was killed)."),
                "exit_code": Column("BIGINT", "Exit code of the command: 0 if all streams are complete."),
            },
        ),
        SystemTable(
            "_sync_run_streams",
            "What each run did in each stream. One row for each stream of a run. Key: run, stream.",
            {
                "run": _RUN,
                "stream": _STREAM,
                "result": Column("VARCHAR", "complete, failed, interrupted or not available (the account lacks the stream)."),
                "received": Column("BIGINT", "Records received from the API, or extracted from chats."),
                "loaded": Column("BIGINT", "Records loaded into the table. Received records are either loaded or skipped."),
                "skipped": Column("BIGINT", "Records skipped: unchanged since an earlier run, or outside the requested time."),
                "requests": Column("BIGINT", "Requests sent, including retries. Streams extracted from chats need none."),
                "seconds": Column("DOUBLE", "Duration of the stream in seconds."),
                "resumed_from": Column("VARCHAR", "Cursor from which the run resumed. Null if it read from the start."),
                "reached": Column("VARCHAR", "Cursor that the run reached. Null for a stream without one."),
                "error": Column("VARCHAR", "Why the stream failed or is not available. Null if it is complete."),
            },
        ),
        SystemTable(
            "_sync_views",
            "The reporting views and macros that sync created, so that it never replaces yours. One row for each. Key: view.",
            {
                "view": Column("VARCHAR", "Name of the view or macro; empty in the row that describes all of them."),
                "sql": Column(
                    "VARCHAR",
                    "Its definition, as DuckDB showed it; in the row that describes all, their comments and a digest.",
                ),
            },
        ),
    )
}
