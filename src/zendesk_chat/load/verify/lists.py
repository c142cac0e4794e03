"""Compares lists, such as agents and departments, which are read again completely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from zendesk_chat.load.verify.answers import Requests
from zendesk_chat.load.verify.comparison import SEVERAL_ROWS, Tally, differing_fields
from zendesk_chat.load.verify.rows import ComparedTable
from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import AnyFetcher, Bounds, RawRecord, Stream

VOLATILE: Final[Mapping[str, frozenset[str]]] = {"agents": frozenset({"last_login", "login_count"})}
"""Fields that change every working day. They are not compared."""

LISTS: Final = (
    "accounts",
    "agents",
    "agent_routing_settings",
    "bans",
    "departments",
    "goals",
    "roles",
    "routing_settings",
    "shortcuts",
    "skills",
    "triggers",
)
"""The streams that can be read completely at any time."""


@dataclass(slots=True)
class ListCheck:
    """The comparison of a list.

    Attributes:
        records: The complete list, as it is now.
    """

    stream: Stream
    table: ComparedTable
    tally: Tally = field(default_factory=Tally)
    records: Sequence[RawRecord] = ()

    def compare(self, fetch: Requests) -> None:
        """Read the list, and compare it. Raises ConnectorError."""
        bounds = Bounds(0, fetch.now_us / SECOND_US)
        batches = self.stream.source.read(cast("AnyFetcher", fetch), [None], bounds)  # a list sends one request at a time
        self.records = [record for (batch,) in batches for record in batch.records]
        self.compare_records()

    def compare_records(self) -> None:
        """Compare the list that was read."""
        stored, current = self.table.rows(), self.table.of_records(self.records)
        tally, ignored = self.tally, VOLATILE.get(self.stream.name, frozenset())
        tally.checked = len(stored.keys() | current.keys())
        tally.missing += [key for key in current if key not in stored]
        tally.extra += [key for key in stored if key not in current]
        both = stored.keys() & current.keys()
        by_key, repeated = self.table.redacted_otherwise(both), self.table.repeated()
        tally.by_key = len(by_key)
        for key in both - by_key:
            fields = [name for name in differing_fields(stored[key], current[key].row) if name not in ignored]
            fields += [SEVERAL_ROWS] if key in repeated else []
            if fields:
                tally.differ(key, fields)
