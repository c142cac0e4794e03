"""Events to load into a database, and what its tables hold afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import duckdb

from zendesk_chat.clock import SystemClock
from zendesk_chat.engine.events import Event, PageRead, StreamCompleted, StreamStarted
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.json_schema import Schema
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.file.opening import open_file
from zendesk_chat.load.file.store import FileStore, Target
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.report import LoadReport
from zendesk_chat.load.store import Limits
from zendesk_chat.streams.stream import StateBlob
from zendesk_chat.tables.table import StreamTable

EACH_PAGE = Limits(length=1, records=1, seconds=0.0)
TIME = {"type": ["null", "string"], "format": "date-time", "airbyte_type": "timestamp_with_timezone"}
CHATS = StreamTable(
    "chats",
    ("id",),
    "update_timestamp",
    Schema.parse(
        {
            "type": "object",
            "properties": {
                "id": {"type": ["null", "string"]},
                "update_timestamp": TIME,
                "duration": {"type": ["null", "number"]},
                "department_id": {"type": ["null", "integer"]},
                "missed": {"type": ["null", "boolean"]},
                "unread": {"type": ["null", "boolean", "integer"]},
                "comment": {"type": ["null", "string", "integer"]},
                "visitor": {"type": ["null", "object"], "properties": {}},
                "history": {"type": ["null", "array"], "items": {}},
                "never_sent": {"type": ["null", "integer"]},
            },
        }
    ),
)
DEPARTMENTS = StreamTable(
    "departments",
    ("id",),
    None,
    Schema.parse({"properties": {"id": {"type": ["null", "integer"]}, "name": {"type": ["null", "string"]}}}),
)
ACCOUNTS = StreamTable("accounts", (), None, Schema.parse({"properties": {"account_key": {"type": ["null", "string"]}}}))
TABLES = (CHATS, DEPARTMENTS, ACCOUNTS)


def chat(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"2603.1.{number:04d}",
        "update_timestamp": f"2026-03-14T09:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "duration": number / 4,
        "department_id": number,
        "missed": number % 2 == 0,
        "unread": False,
        "comment": "naïve \U0001f600 'quoted' \"text\"",
        "visitor": {"id": str(number), "name": "V", "nested": [{"a": [1, None, 2.5, "é"]}]},
        "history": [{"type": "chat.msg", "msg": f"hello {number}"}],
        "never_sent": None,
    } | fields


def encode(records: Iterable[Mapping[str, Any]]) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() for record in records]


def started(*names: str) -> list[Event]:
    return [StreamStarted(name) for name in names]


def page(name: str, records: Iterable[Mapping[str, Any]], **state: Any) -> PageRead:
    return PageRead(name, encode(records), state)


def completed(name: str, records: int = 0) -> StreamCompleted:
    return StreamCompleted(name, SyncStats(1, 1, records, records, 0.5))


def chat_pages(records: Sequence[Mapping[str, Any]], size: int = 10) -> list[Event]:
    pages = [page("chats", records[at : at + size], next=at + size) for at in range(0, len(records), size)]
    return [*started("chats"), *pages, completed("chats", len(records))]


def url(path: Path) -> str:
    return f"duckdb:///{path}"


def target(path: Path, tables: Sequence[StreamTable] = TABLES, **options: Any) -> Target:
    return Target(str(path), options.pop("schema", "main"), AccountRow("acme"), tables, **options)


class Recording:
    """A connection that reports each statement before it executes it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reach: Callable[[str], object]) -> None:
        self._connection = connection
        self._reach = reach

    def execute(self, sql: str, *arguments: Any) -> Any:
        self._reach(sql)
        return self._connection.execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> Any:
        self._reach(sql)
        return self._connection.executemany(sql, *arguments)

    def commit(self) -> Any:
        self._reach("COMMIT")
        return self._connection.commit()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def opened(
    path: Path, tables: Sequence[StreamTable] = TABLES, *, reach: Callable[[str], object] = lambda _sql: None, **options: Any
) -> Iterator[FileStore]:
    clock = SystemClock()
    with open_file(str(path), clock) as connection:
        yield FileStore(cast("duckdb.DuckDBPyConnection", Recording(connection, reach)), target(path, tables, **options), clock)


def load(
    path: Path, events: Iterable[Event], *, tables: Sequence[StreamTable] = TABLES, limits: Limits | None = None, **options: Any
) -> LoadReport:
    """Load events; ``options`` are those of ``load_events`` or of ``opened``."""
    loading = {name: options.pop(name) for name in ("observe", "required", "monotonic") if name in options}
    streams = options.pop("streams", [table.name for table in tables])
    with opened(path, tables, **options) as store:
        return load_events(events, streams, store, limits=limits, **loading)


def states(path: Path) -> dict[str, StateBlob]:
    """The state from which each stream resumes."""
    try:
        found = rows(path, "SELECT stream, CASE WHEN refreshing THEN refresh_state ELSE state END FROM _sync_streams")
    except (duckdb.CatalogException, duckdb.IOException):  # nothing was committed
        return {}
    return {stream: json.loads(state) for stream, state in found if state is not None}


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(query).fetchall()


def loaded_chats(path: Path) -> dict[str, dict[str, Any]]:
    """Return the table as records by id, in the API's form again, without nulls."""
    instant = "strftime(update_timestamp AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    lines = rows(path, f"SELECT to_json(t) FROM (SELECT * REPLACE ({instant} AS update_timestamp) FROM chats) t")
    records = [json.loads(line) for (line,) in lines]
    assert len({record["id"] for record in records}) == len(records)
    return {record["id"]: without_nulls(record) for record in records}


def by_id(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["id"]: without_nulls(record) for record in records}


def without_nulls(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def raising_after(events: Sequence[Event], count: int, error: BaseException) -> Iterator[Event]:
    yield from events[:count]
    raise error


TEXT = {"type": ["null", "string"]}
EVENTS = StreamTable(
    "chat_events",
    ("id",),
    "chat_update_timestamp",
    Schema.parse({"properties": {"id": TEXT, "chat_id": TEXT, "chat_update_timestamp": TIME, "msg": TEXT}}),
    parent_field="chat_id",
)
VISITORS = StreamTable(
    "visitors",
    ("id",),
    "last_chat_timestamp",
    Schema.parse({"properties": {"id": TEXT, "last_chat_timestamp": TIME, "name": TEXT}}),
    latest_by="last_chat_timestamp",
)

Family: TypeAlias = tuple[str, Iterable[str], bool]
"""A parent, its children's keys, and whether these are all that it has."""
Held: TypeAlias = dict[str, tuple[str, str]]
"""A table of children: parent and text by key."""


def family_page(families: Iterable[Family], text: str, **state: Any) -> PageRead:
    """A page of children; all have the same text."""
    families = list(families)
    records = [{"id": key, "chat_id": parent, "msg": text} for parent, keys, _ in families for key in keys]
    return PageRead("chat_events", encode(records), state, parents=[parent for parent, _, complete in families if complete])


def after_page(held: Mapping[str, tuple[str, str]], families: Iterable[Family], text: str) -> Held:
    """What a table holds after such a page."""
    families = list(families)
    emptied = {parent for parent, _, complete in families if complete}
    kept = {key: row for key, row in held.items() if row[0] not in emptied}
    return kept | {key: (parent, text) for parent, keys, _ in families for key in keys}


def held_events(path: Path) -> Held:
    """The table of children; every key is there once."""
    found = rows(path, "SELECT id, chat_id, msg FROM chat_events")
    held = {key: (parent, text) for key, parent, text in found}
    assert len(held) == len(found), "a key is there twice"
    return held


def visitor_page(visitors: Iterable[tuple[str, int | None]], text: str, **state: Any) -> PageRead:
    """A page of visitors: each a key and the minute of its last chat; all have the same name."""
    records = [{"id": key, "last_chat_timestamp": minute and time_of(minute), "name": text} for key, minute in visitors]
    return PageRead("visitors", encode(records), state)


def time_of(minute: int) -> str:
    return f"2026-03-14T09:{minute:02d}:00Z"


def held_visitors(path: Path) -> dict[str, tuple[int | None, str]]:
    """The table of visitors: minute and name by key; every key is there once."""
    found = rows(path, "SELECT id, minute(last_chat_timestamp), name FROM visitors")
    held = {key: (minute, name) for key, minute, name in found}
    assert len(held) == len(found), "a key is there twice"
    return held
