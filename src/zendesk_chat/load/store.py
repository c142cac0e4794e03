"""What a load needs from a destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.load.report import LoadReport
    from zendesk_chat.streams.stream import StateBlob


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work an interruption may cost. The first limit that is reached commits what was collected so far.

    Attributes:
        length: Bytes of rows.
        records: Number of records.
        seconds: Time since the last transaction, or four times its duration if that is longer.
    """

    length: int = 16 * 2**20
    records: int = 500_000
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What can be committed now.

    Attributes:
        streams: How many streams have something to commit. A state without records counts.
    """

    streams: int
    records: int
    length: int


class Store(Protocol):
    """A destination that is open for one run. It keeps pages, and writes them with their states when it commits."""

    @property
    def name(self) -> str:
        """Its name in messages: the path of a file, or the kind of a database."""

    @property
    def limits(self) -> Limits:
        """When to commit."""

    def states(self) -> Mapping[str, StateBlob]:
        """Return the state of each stream that has one, for the engine to resume from."""

    def take(self, page: PageRead) -> None:
        """Keep a page."""

    def end(self, stream: str, *, complete: bool) -> None:
        """Note that a stream has ended."""

    def waiting(self) -> Waiting:
        """Return what can be committed now."""

    def commit(self) -> int:
        """Write what can be committed, and return the number of records written. Raises DestinationError."""

    def finish(self, report: LoadReport) -> None:
        """Store how the run ended. Raises DestinationError."""
