"""What a stream is: a value that names, keys and reads one sequence of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from zendesk_chat.errors import ConnectorError
from zendesk_chat.request import Request

if TYPE_CHECKING:
    from zendesk_chat.streams.drift import Finding

RawRecord: TypeAlias = bytes
"""One JSON object as UTF-8 on a single line: the API's own bytes wherever possible."""

StateBlob: TypeAlias = Mapping[str, Any]
"""What is stored for a stream between runs; JSON."""

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")
Tag = TypeVar("Tag")
Page = TypeVar("Page")


class Fetch(Protocol):
    """One authenticated, limited and retried GET."""

    def __call__(self, request: Request[T]) -> T:
        """Return the decoded body. The caller MUST be done with the last one.

        Raises:
            ConnectorError: The typed reason why there is no answer.
        """
        ...


class Fetcher(Fetch, Protocol[Tag, Page]):
    """A ``Fetch`` that also makes requests in the background: each is started, and taken back in the order in which they end.

    ``Tag`` is what a reader knows a request by, ``Page`` what its requests are decoded to.
    """

    def start(self, request: Request[Page], tag: Tag) -> None:
        """Begin a request in the background."""
        ...

    def finished(self) -> tuple[Tag, Page | ConnectorError]:
        """Wait for the next request to end, and return its tag with the decoded page, or with the error that it ended with.

        The reader MUST be done with the last page. A reader that has a smaller request to fall back on starts it.
        """
        ...

    def free_slots(self) -> int:
        """How many more requests it pays to start now; 0 while the API answers at once or its quota is used up."""
        ...


AnyFetcher: TypeAlias = Fetcher[Any, Any]
"""A fetcher for a reader that has tags and pages of its own."""


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
            not before the end, or where another request reads; or because they are no objects.
        drift: What was found in the records on the way that their schema does not know; None where nobody looked.
        pages: How many answers the records come from.
    """

    records: Sequence[RawRecord]
    position: P_co
    received: int
    notes: tuple[str, ...] = ()
    progress: float | None = None
    unchanged: int = 0
    outside: int = 0
    drift: Sequence[Finding] | None = None
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Children:
    """What a derived stream cuts out of records of the stream that it is derived from.

    Attributes:
        records: In order.
        parents: Key of each record whose children these are: all that it has, and none where it has none. What a destination
            holds of it besides is stale. A record that does not list all of its children is not among them.
    """

    records: Sequence[RawRecord]
    parents: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run asks of every stream.

    Attributes:
        start: Oldest record wanted, seconds since 1970. Configuration lists have no time and ignore it.
        end: The first second that is not wanted, likewise; None for all until ``now``.
        now: When the run began, seconds since 1970.
        lookback: Seconds before ``now`` that a later run reads again, for records that become visible late.
        incremental: Whether records emitted by earlier runs are left out.
    """

    start: int
    now: float
    lookback: int = 600
    incremental: bool = True
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Stream(Generic[P]):
    """A stream. Its functions are pure but for ``read``, which only fetches.

    Attributes:
        name: As users see it.
        primary_key: Top-level fields that identify a record; empty when there is exactly one record.
        cursor_field: The field that orders it, or None when it can only be read whole.
        schema: Makes the JSON schema of its records.
        read: Yields batches from a position on; MUST end, and MUST NOT yield a position ahead of its records.
        probe: Asks its endpoint for as little as possible, to see whether it can be read.
        load_state: Turns a stored state of any known form into a position, or None to start afresh. Raises StateError.
        dump_state: The state to store for a position.
        read_together: Reads the pages of ``read`` once for several streams, each from a position of its own, and yields a batch
            for each of them in their order. Streams that have it in common are read so. None where a stream is always alone.
        derive: Cuts its records out of those of a batch; None where they are the same.
        parent_field: The field of its records that names the record which they were cut from, where ``Children.parents`` tells
            what is stale.
        latest_by: Of two records with one key, the one with more in this field is the later one, whichever came first. None
            where the last to come is.
        optional: Whether an account may lack it by its plan, which is no error then.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    schema: Callable[[], dict[str, Any]]
    read: Callable[[AnyFetcher, P | None, Bounds], Iterator[Batch[P]]]
    probe: Callable[[Fetch, Bounds], object]
    load_state: Callable[[StateBlob], P | None]
    dump_state: Callable[[P], StateBlob]
    read_together: Callable[[AnyFetcher, Sequence[P | None], Bounds], Iterator[Sequence[Batch[P]]]] | None = None
    derive: Callable[[Sequence[RawRecord]], Children] | None = None
    parent_field: str | None = None
    latest_by: str | None = None
    optional: bool = False
