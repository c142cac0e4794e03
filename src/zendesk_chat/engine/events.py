"""What a run reports to its entry point, in order."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ConnectorError, UnavailableError
from zendesk_chat.json_types import Json
from zendesk_chat.streams.stream import RawRecord, StateBlob

_NOTHING: Final = SyncStats()


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A stream has started; none of it has been read yet."""

    stream: str


@dataclass(frozen=True, slots=True)
class PageRead:
    """Records to write, and the state that is safe to store once these and all earlier ones are written.

    Every stream has at least one such event, even without records.

    Attributes:
        progress: From 0 to 1; None if unknown.
        parents: For a derived stream, the ids of the chats on the page: ``records`` are all that was extracted from them.
        stats: What has happened to the stream so far, including these records.
    """

    stream: str
    records: Sequence[RawRecord]
    state: StateBlob
    progress: float | None = None
    parents: Sequence[str] = ()
    stats: SyncStats = _NOTHING


@dataclass(frozen=True, slots=True)
class RateLimited:
    """A stream waits for the API's quota, until ``reset_at`` (seconds since 1970)."""

    stream: str
    reset_at: float


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing has happened for some seconds; the run continues."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line in the log. It never contains a secret or a record."""

    level: Literal["DEBUG", "INFO", "WARN"]
    message: str


@dataclass(frozen=True, slots=True)
class Retrying(Note):
    """A request of a stream failed, and is sent again at ``retry_at`` (seconds since 1970)."""

    stream: str = ""
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Answered(Note):
    """A request of a stream was answered with an HTTP status; with 0 if it got no answer."""

    stream: str = ""
    path: str = ""
    status: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """Something new in the records of a stream, reported once per run. The records pass through unchanged.

    ``SchemaChange("chats", "history.*.msg_id", ("string",), "integer")`` is an integer where the schema has a string.

    Attributes:
        path: Names of fields joined by dots; ``*`` for the items of an array, and for any field of a map.
        known: The JSON types that the schema has there, without null; empty for an unknown field.
        found: The JSON type that was found; null only for an unknown field.
        rows: The number of rows that have it, if they are counted.
    """

    stream: str
    path: str
    known: tuple[str, ...]
    found: str
    rows: int | None = None

    def __str__(self) -> str:
        """Return the change as sentences."""
        known = f"is {self.found}, but {' or '.join(self.known)} was expected"
        what = known if self.known else f"is not in the schema ({self.found})"
        return f"{self.stream}: the field {self.path} {what}. It is passed through unchanged. Please report this."


@dataclass(frozen=True, slots=True)
class CredentialsRotated:
    """OAuth tokens were renewed. Nothing uses them until the consumer has saved them and asks for the next event.

    Attributes:
        config: The complete new configuration. It contains secrets.
        saved: Set by the engine when the consumer asks for the next event.
    """

    config: Mapping[str, Json] = field(repr=False)
    saved: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class StreamCompleted:
    """A stream is complete."""

    stream: str
    stats: SyncStats


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """A stream stopped early. Its records and states so far remain valid, and the other streams continue.

    A stream that never started failed together with the first one, for a reason that affects the complete run.
    """

    stream: str
    error: ConnectorError
    stats: SyncStats


@dataclass(frozen=True, slots=True)
class StreamUnavailable:
    """The account lacks an optional stream because of its plan or role. The stream has no records, and the others continue."""

    stream: str
    error: UnavailableError
    stats: SyncStats


Event: TypeAlias = (
    StreamStarted
    | PageRead
    | RateLimited
    | Heartbeat
    | Note
    | SchemaChange
    | CredentialsRotated
    | StreamCompleted
    | StreamFailed
    | StreamUnavailable
)
