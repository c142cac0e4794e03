"""Airbyte's own connector as a migration meets it: the streams it has, the state it reads and writes, what it asks the API for.

Written from what its published versions 1.1 to 1.3 were seen to do, and no more of that than matters here.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from zendesk_chat_sandbox import Sandbox

SECOND = 1_000_000
CURSORS = {"agent_timeline": "start_time", "agents": "id", "bans": "id", "chats": "update_timestamp"}
KEYS = {
    "accounts": "account_key",
    **dict.fromkeys(("agents", "agent_timeline", "bans", "chats", "departments", "goals", "roles"), "id"),
    "routing_settings": None,
    **dict.fromkeys(("shortcuts", "skills", "triggers"), "id"),
}


class CrashError(Exception):
    """It fails on this state."""


def micros(time: str) -> int:
    """A time as the API writes it, in microseconds."""
    return (datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution


def identity(stream: str, record: Mapping[str, Any]) -> str:
    """What makes a raw record different from the others; of chats and spans, each version."""
    names = {"chats": ("id", "update_timestamp"), "agent_timeline": ("agent_id", "start_time")}.get(stream, ("id",))
    return "|".join(str(record[name]) for name in names)


def chats_from(state: Mapping[str, Any]) -> int:
    """The second that it resumes chats from: epoch seconds as number or text, or a time in whole seconds."""
    value = state["update_timestamp"]
    if isinstance(value, int):
        return value
    if re.fullmatch(r"\d+", value):
        return int(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return micros(value) // SECOND
    raise CrashError(value)


def timeline_from(state: Mapping[str, Any]) -> int:
    """The microsecond that it resumes agent_timeline from: a number in microseconds, whatever it was meant as, or a time."""
    value = state["start_time"]
    if isinstance(value, str) and re.fullmatch(r"\d+", value):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value):
        return micros(value)
    raise CrashError(value)


def id_from(state: Mapping[str, Any]) -> int:
    """The id that it resumes agents or bans from: a number."""
    if type(state["id"]) is not int:
        raise CrashError(state["id"])
    return int(state["id"])


@dataclass(frozen=True)
class AirbyteConnector:
    """It reads one sandbox.

    Attributes:
        sandbox: The account.
        start: The start date in epoch seconds.
        keeps_strangers: Whether fields of a state that are not its own stay in the state that it writes.
    """

    sandbox: Sandbox
    start: int = 0
    keeps_strangers: bool = True

    def read(self, stream: str, state: Mapping[str, Any] | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The API's records that an incremental sync gives, and the state that it writes."""
        cursor = CURSORS[stream]
        resume = {"chats": chats_from, "agent_timeline": timeline_from}.get(stream, id_from)
        saved = resume(state) if state else 0
        if cursor == "id":
            records = list(self._by_id(stream, saved))
            reached: Any = max((saved, *(record["id"] for record in records)))
        else:
            unit = SECOND if stream == "chats" else 1
            begin = max(saved, self.start * SECOND // unit)
            records = list(self._export(stream, begin, unit))
            latest = max((begin, *(micros(record[cursor]) // unit for record in records)))
            reached = str(latest if stream == "chats" else latest // SECOND * SECOND)
        strangers = state if state and self.keeps_strangers else {}
        return records, {**strangers, cursor: reached}

    def _export(self, stream: str, begin: int, unit: int) -> Iterator[dict[str, Any]]:
        """Pages from a time on (inclusive), by the API's own links, until one brings nothing new."""
        if begin * unit > self.sandbox.clock.time() * SECOND:
            return
        query = urlencode({"fields": f"{stream}(*)", "limit": 1000, "start_time": begin})
        url = f"{self.sandbox.url}/api/v2/chat/incremental/{stream}?{query}"
        met: set[str] = set()
        while True:
            page = self._get(url)
            new = {identity(stream, record): record for record in page[stream]}
            if new.keys() <= met:
                return
            yield from (record for key, record in new.items() if key not in met)
            met |= new.keys()
            url = page["next_page"]

    def _by_id(self, stream: str, begin: int) -> Iterator[dict[str, Any]]:
        """Pages from an id on (inclusive) until an empty one."""
        while True:
            page = self._get(f"{self.sandbox.url}/api/v2/chat/{stream}?limit=100&since_id={begin}")
            records: list[dict[str, Any]] = page if isinstance(page, list) else [*page["ip_address"], *page["visitor"]]
            if not records:
                return
            yield from records
            begin = max(record["id"] for record in records) + 1

    def _get(self, url: str) -> Any:
        with urlopen(Request(url, headers={"Authorization": f"Bearer {self.sandbox.token}"})) as answer:
            return json.loads(answer.read())


def state_message(stream: str, blob: Any, **more: Any) -> dict[str, Any]:
    """A state of one stream as the platform stores it."""
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob}, **more}


def catalog_of_its_own(streams: Iterable[str] = KEYS, **configured: Any) -> dict[str, Any]:
    """Its streams as a connection has them configured, with its own schemas: poorer than ours, and wrong about bans."""

    def entry(name: str) -> dict[str, Any]:
        key, cursor = KEYS[name], CURSORS.get(name)
        fields = {field: {"type": ["null", "string"]} for field in filter(None, (key, cursor))}
        stream: dict[str, Any] = {
            "name": name,
            "json_schema": {"type": "object", "properties": fields | ({"create_date": {}} if name == "bans" else {})},
            "supported_sync_modes": ["full_refresh", "incremental"] if cursor else ["full_refresh"],
            "source_defined_primary_key": [[key]] if key else [],
        }
        if cursor:
            stream |= {"source_defined_cursor": True, "default_cursor_field": [cursor]}
        return {
            "stream": stream,
            "sync_mode": "incremental" if cursor else "full_refresh",
            "cursor_field": [cursor] if cursor else [],
            "primary_key": [[key]] if key else [],
            "destination_sync_mode": "append_dedup" if cursor else "overwrite",
            **configured,
        }

    return {"streams": [entry(name) for name in streams]}
