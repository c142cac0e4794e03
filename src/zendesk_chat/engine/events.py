"""What a run tells its face, in order. A face needs nothing else."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from zendesk_chat.errors import ConnectorError, UnavailableError
from zendesk_chat.streams.stream import RawRecord, StateBlob


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of one stream's run.

    Attributes:
        requests: Sent, repeated ones included.
        pages: Answers read.
        received: Records in them.
        emitted: Records handed on.
        seconds: From start to end.
        unchanged: Records left out because they were emitted before and are the same.
        outside: Records left out because they lie before the start or the position, not before the end, or where
            another request reads, or because they are no JSON objects.
        first: The cursor that the run resumed from; None from the start.
        last: The cursor that it reached; None for a stream without one.
    """

    requests: int = 0
    pages: int = 0
    received: int = 0
    emitted: int = 0
    seconds: float = 0.0
    unchanged: int = 0
    outside: int = 0
    first: str | None = None
    last: str | None = None

    @property
    def balanced(self) -> bool:
        """Whether every record received was either emitted or left out for a reason."""
        return self.received == self.emitted + self.unchanged + self.outside

    def __str__(self) -> str:
        """The account in words."""
        left_out = f"{self.unchanged} unchanged and {self.outside} outside left out"
        span = f", from {self.first or 'the start'} to {self.last}" if self.last else ""
        return (
            f"{self.emitted} records in {self.seconds:.1f} s ({self.requests} requests, {self.pages} pages, "
            f"{self.received} received, {left_out}{span})"
        )


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A stream has begun; nothing of it is read yet."""

    stream: str


@dataclass(frozen=True, slots=True)
class PageRead:
    """Records to write, and the state that is safe to store once all of them (and all before) are written.

    Every stream has at least one such event, even without records.

    Attributes:
        progress: How much of the stream is read, from 0 to 1; None where there is no telling.
        parents: For a derived stream with a ``parent_field``: ``records`` are all that these parents have.
    """

    stream: str
    records: Sequence[RawRecord]
    state: StateBlob
    progress: float | None = None
    parents: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RateLimited:
    """A stream waits for the API's quota, until ``reset_at`` (seconds since 1970)."""

    stream: str
    reset_at: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing has happened for some seconds; the run goes on."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line of log. Never holds a secret or a record."""

    level: Literal["DEBUG", "INFO", "WARN"]
    message: str


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """Something new in the records of a stream, reported once a run. The records pass as they are.

    ``SchemaChange("chats", "history.*.msg_id", ("string",), "integer")`` is an integer where the schema has a string.

    Attributes:
        stream: The name of the stream.
        path: Names of fields joined by dots; ``*`` for the items of an array, and for any field of a map.
        known: The JSON types that the schema has there, without null; none for an unknown field.
        found: The JSON type that came. It is null only for a field that was unknown until then.
        rows: In how many rows, where they are counted.
    """

    stream: str
    path: str
    known: tuple[str, ...]
    found: str
    rows: int | None = None

    def __str__(self) -> str:
        """The change in words."""
        what = f"is {self.found} where {' or '.join(self.known)} is known" if self.known else f"is not known yet ({self.found})"
        return f"{self.stream}: the field {self.path} {what}. It is passed on as it came. Please report this."


@dataclass(frozen=True, slots=True)
class CredentialsRotated:
    """OAuth tokens were renewed. Nothing uses the new ones until the consumer, having saved them, asks for the next event.

    Attributes:
        config: The whole new configuration. It holds secrets.
        saved: Set by the engine once the consumer is done.
    """

    config: Mapping[str, Any] = field(repr=False)
    saved: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class StreamCompleted:
    """A stream is read to its end."""

    stream: str
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """A stream stopped early. Its records and states so far stand; the other streams go on.

    One that never started failed together with the first stream, for a reason that holds for the whole run.
    """

    stream: str
    error: ConnectorError
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class StreamUnavailable:
    """The account lacks an optional stream, by its plan or its role. It has no records, and nothing else is touched by that."""

    stream: str
    error: UnavailableError
    ledger: Ledger


Event: TypeAlias = (
    StreamStarted
    | PageRead
    | RateLimited
    | Quiet
    | Note
    | SchemaChange
    | CredentialsRotated
    | StreamCompleted
    | StreamFailed
    | StreamUnavailable
)
