"""What a stream is: a value that names, keys and reads one sequence of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

RawRecord: TypeAlias = bytes
"""One JSON object as UTF-8 on a single line: the API's own bytes wherever possible."""

StateBlob: TypeAlias = Mapping[str, Any]
"""What is stored for a stream between runs; JSON."""

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")


class Fetch(Protocol):
    """One authenticated, limited and retried GET."""

    def __call__(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[bytes], T],
        *,
        patient: bool = True,
    ) -> T:
        """Return the decoded body.

        Args:
            path: Below ``/api/v2/chat/``, without a leading slash.
            params: Query parameters.
            decode: Turns the body into a value. What it refuses is asked for again, so it MUST raise
                ``msgspec.DecodeError`` for an unreadable body and ``EnvelopeError`` for one of another shape.
            patient: False gives up after few attempts, for a caller that has a smaller request to fall back on.

        Raises:
            ConnectorError: The typed reason why there is no answer.
        """
        ...


class Fetcher(Fetch, Protocol):
    """A ``Fetch`` that also makes calls side by side: each is started, and taken back in the order in which they end."""

    def start(self, call: Callable[[Fetch], object]) -> None:
        """Begin a call in the background, given what to fetch with. There is room for few answers that are not taken back."""
        ...

    def finished(self) -> Any:  # noqa: ANN401  whatever the call returns
        """Wait for the next call to end, and return its result or raise its error."""
        ...

    def spare(self) -> int:
        """How many more calls it pays to start now; 0 while the API answers at once or its quota is used up."""
        ...


@dataclass(frozen=True, slots=True)
class Batch(Generic[P_co]):
    """Records of one page, and the position from which it is safe to resume after them.

    Attributes:
        records: What is to be written, in the API's order.
        position: Where a later run resumes once ``records`` are written.
        received: Records in the API's answer.
        notes: What the user should be told.
        progress: How much of the time until the run's start is read, from 0 to 1; None where there is no telling.
        unchanged: Records received but left out because they were emitted before and are the same.
        outside: Records received but left out because they lie outside of what was asked for: before the start or the position,
            or where another request reads.
    """

    records: Sequence[RawRecord]
    position: P_co
    received: int
    notes: tuple[str, ...] = ()
    progress: float | None = None
    unchanged: int = 0
    outside: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run asks of every stream.

    Attributes:
        start: Oldest record wanted, seconds since 1970. Configuration lists have no time and ignore it.
        now: When the run began, seconds since 1970.
        lookback: Seconds before ``now`` that a later run reads again, for records that become visible late.
        incremental: Whether records emitted by earlier runs are left out.
    """

    start: int
    now: float
    lookback: int = 600
    incremental: bool = True


@dataclass(frozen=True, slots=True)
class Stream(Generic[P]):
    """A stream. Its functions are pure but for ``read``, which only fetches.

    Attributes:
        name: As users see it.
        primary_key: Top-level fields that identify a record; empty when there is exactly one record.
        cursor_field: The field that orders it, or None when it can only be read whole.
        read: Yields batches from a position on; MUST end, and MUST NOT yield a position ahead of its records.
        probe: Asks its endpoint for as little as possible, to see whether it can be read.
        load_state: Turns a stored state of any known form into a position, or None to start afresh. Raises StateError.
        dump_state: The state to store for a position.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    read: Callable[[Fetcher, P | None, Bounds], Iterator[Batch[P]]]
    probe: Callable[[Fetch, Bounds], object]
    load_state: Callable[[StateBlob], P | None]
    dump_state: Callable[[P], StateBlob]
