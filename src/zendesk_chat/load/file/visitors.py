"""Corrects visitors whose last chat was deleted, or now belongs to another visitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa

from zendesk_chat.load.file.merging import Rows, named
from zendesk_chat.load.file.tables import STAGED
from zendesk_chat.streams.derived.visitors import LAST_CHAT, VISITORS
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.sql import quoted, rows_of

if TYPE_CHECKING:
    from zendesk_chat.load.file.merging import Merger

_CHATS: Final = "chats"
_TIME: Final = "strftime({} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"


def correct_visitors(merger: Merger, schema: str, rows: Rows, *, chats_are_current: bool) -> None:
    """Correct the visitors whose last chat is in ``rows.parents`` but no longer shows them.

    Each gets the row from their latest other chat in the file. Visitors without another chat are deleted. If the file has no
    table of chats, they are deleted until a later chat shows them. Unless ``chats_are_current``, that table may be behind, and
    does not count for ``rows.parents``.

    Example: chat ``c2`` of visitor ``v`` was deleted. ``rows`` have no ``v``, their parents include ``c2``, and the row of
    ``v`` has ``c2`` as its last chat. If chat ``c1`` of ``v`` is in the table of chats, the row becomes the one from ``c1``.
    """
    connection = merger.connection
    chats, table = rows.parents, _table_of_chats(merger, schema)
    if chats is None:
        return
    gone = _visitors_not_shown(merger, rows.slices, chats)
    if chats_are_current:
        gone.update(rows.withdrawn)
    merger.delete(sorted(gone))
    if not gone or table is None:
        return
    with named(connection, "_sync_parents", chats) as parents:
        behind = f"AND id NOT IN (SELECT parent FROM {parents})"
        found = rows_of(
            connection,
            f"""
            SELECT id, {_TIME.format('"timestamp"')}, {_TIME.format("update_timestamp")}, visitor::VARCHAR, session::VARCHAR
            FROM {table}
            WHERE visitor->>'id' IN (SELECT unnest(?)) {"" if chats_are_current else behind}
            """,
            [sorted(gone)],
        )
    visitors = VISITORS.extractor(merger.table.schema).extract([_record(*chat) for chat in found]).records
    merger.append(Rows(tuple(RecordReader(merger.table).slices(visitors))))
    if merger.outdated:
        _mark_outdated(merger, sorted(gone))


def _mark_outdated(merger: Merger, visitors: Sequence[str]) -> None:
    """Remember which of these visitors have a row from a chat that was loaded before the redaction rules changed."""
    stream = merger.table.name
    merger.connection.execute(
        f"""
        INSERT INTO {merger.outdated} (stream, key, redaction)
        SELECT $stream, id, (SELECT min(redaction) FROM {merger.outdated} WHERE stream = $stream)
        FROM {merger.target} WHERE id IN (SELECT unnest($visitors))
        AND {LAST_CHAT} IN (SELECT key FROM {merger.outdated} WHERE stream = $chats)
        """,
        {"stream": stream, "visitors": visitors, "chats": _CHATS},
    )


def _visitors_not_shown(merger: Merger, shown: Sequence[pa.Table], chats: pa.Table) -> set[str]:
    """Return the ids of the visitors in the table whose last chat arrived without them."""
    none = pa.table({"id": pa.array([], pa.string()), LAST_CHAT: pa.array([], pa.string())})
    pairs = pa.concat_tables([none, *(rows.select(["id", LAST_CHAT]) for rows in shown)])
    with named(merger.connection, "_sync_rows", pairs) as new, named(merger.connection, "_sync_parents", chats) as parents:
        found = rows_of(
            merger.connection,
            f"""
            SELECT id FROM {merger.target} AS held
            WHERE {LAST_CHAT} IN (SELECT parent FROM {parents})
            AND NOT EXISTS (FROM {new} AS new WHERE new.id = held.id AND new.{LAST_CHAT} = held.{LAST_CHAT})
            """,
        )
    return {visitor for (visitor,) in found}


def _table_of_chats(merger: Merger, schema: str) -> str | None:
    """Return the table of chats, or during a full refresh the table that it fills."""
    sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?"
    names = {name for (name,) in rows_of(merger.connection, sql, [schema])}
    return next((quoted(schema, name) for name in (STAGED + _CHATS, _CHATS) if name in names), None)


def _record(chat: str, timestamp: str | None, updated: str | None, visitor: str | None, session: str | None) -> bytes:
    """Return a chat as the API sends it, with the fields that visitors are extracted from."""
    fields: dict[str, Any] = {"id": chat, "timestamp": timestamp, "update_timestamp": updated}
    nested = {"visitor": visitor, "session": session}
    return msgspec.json.encode(fields | {name: msgspec.Raw(text.encode()) for name, text in nested.items() if text})
