"""What a stream and a source are: values that name, key and read one sequence of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeAlias, TypeVar

from zendesk_chat.errors import ConnectorError
from zendesk_chat.request import Request
from zendesk_chat.streams.schemas import load_redacted_schema, load_schema

if TYPE_CHECKING:
    from zendesk_chat.json_schema import Schema
    from zendesk_chat.redaction.rules import Redaction

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
    """A ``Fetch`` that also makes requests in the background, which a reader identifies by tags."""

    def start(self, request: Request[Page], tag: Tag) -> None:
        """Begin a request in the background."""
        ...

    def finished(self) -> tuple[Tag, Page | ConnectorError]:
        """Wait for a request to end; return its tag and its page or error. The reader MUST be done with the last page."""
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
        records: To write, in the API's order.
        position: Where a later run resumes once ``records`` are written.
        received: Number of records in the API's answer.
        notes: Messages for the user.
        progress: Share of the time until the run's start that is read, from 0 to 1; None if unknown.
        unchanged: Number of records skipped because an earlier batch or run emitted them in the same form.
        outside: Number of records skipped because they are before the start or the position, not before the end, in the range
            of another request, or no objects.
        pages: Number of answers that the records come from.
    """

    records: Sequence[RawRecord]
    position: P_co
    received: int
    notes: tuple[str, ...] = ()
    progress: float | None = None
    unchanged: int = 0
    outside: int = 0
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Children:
    """Records that a derived stream extracted from records of its source.

    Attributes:
        parents: Keys of the records whose children are complete here, also if there are none. Other children of them in a
            destination are stale.
        irregular: Those of ``records`` that may differ from their schema; the others fit it.
    """

    records: Sequence[RawRecord]
    parents: Sequence[str] = ()
    irregular: Sequence[RawRecord] = ()


class PageRecords(list[RawRecord]):
    """The records of a page that several derived streams share.

    Attributes:
        decoded: What the first of their extractors decoded of the records, so that the others need not scan them again.
    """

    __slots__ = ("decoded",)

    def __init__(self, records: Sequence[RawRecord]) -> None:
        super().__init__(records)
        self.decoded: Sequence[object] | None = None


class Extractor(Protocol):
    """Extracts the records of a derived stream from those of its source."""

    def extract(self, records: Sequence[RawRecord], *, encode: bool = False) -> Children:
        """Return the records that are nested in these. ``encode``: they are wanted as bytes."""
        ...


class Extraction(Protocol):
    """How the records of a derived stream are nested in those of its source."""

    @property
    def path(self) -> tuple[str, ...]:
        """The path of the object that becomes a record, such as ``("history", "*")``."""
        ...

    @property
    def other_paths(self) -> Mapping[str, tuple[str, ...] | None]:
        """The paths of fields that are not below ``path`` by their name; None for those that the connector makes."""
        ...

    def extractor(self, schema: Schema) -> Extractor:
        """Return what extracts records of a schema."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run asks of every stream.

    Attributes:
        start: Time of the oldest record to read, seconds since 1970. Configuration lists have no time and ignore it.
        now: When the run began, seconds since 1970.
        lookback: Seconds before ``now`` that a later run reads again, for records that become visible late.
        incremental: Whether to skip records that earlier runs emitted.
        end: The first second not to read; None for all until ``now``.
    """

    start: int
    now: float
    lookback: int = 600
    incremental: bool = True
    end: int | None = None


class Source(Protocol[P]):
    """One endpoint of the API, as a frozen value. Streams with equal sources share each page. ``P`` is private to it."""

    def read(self, fetch: AnyFetcher, positions: Sequence[P | None], bounds: Bounds) -> Iterator[Sequence[Batch[P]]]:
        """Read the pages once for several streams, each from a position of its own.

        Yields one batch per position for each page. It MUST end, and MUST NOT yield a position ahead of its records.
        """
        ...

    def probe(self, bounds: Bounds) -> Request[object]:
        """Return the smallest request that shows whether the source can be read."""
        ...

    def load_state(self, stream: str, cursor_field: str, state: StateBlob) -> P | None:
        """Parse a stored state of any known form; None starts from the beginning.

        Args:
            stream: Its name, for messages.
            cursor_field: The key of the cursor in ``state``.
            state: As stored.

        Raises:
            StateError: The state cannot be read.
        """
        ...

    def dump_state(self, cursor_field: str, position: P) -> StateBlob:
        """Return the state to store for a position."""
        ...

    def redacted(self, redaction: Redaction) -> Source[P]:
        """Return the source with its raw records redacted before anything else reads them."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What all sources have in common.

    Attributes:
        stream: Its name in messages and redaction rules.
        redact: Redacts a raw record before anything else reads it; None for no redaction.
    """

    stream: str
    redact: Callable[[bytes], bytes] | None = field(default=None, kw_only=True)

    def redacted(self, redaction: Redaction) -> Self:
        """Return the source with its raw records redacted before anything else reads them."""
        from zendesk_chat.redaction.redactor import redactor  # late: users without redaction do not load it

        return replace(self, redact=redactor(redaction, self.stream))


@dataclass(frozen=True)  # without slots, for `cached_property`
class Stream:
    """A sequence of records that users read under one name.

    Attributes:
        primary_key: Top-level fields that identify a record; empty when there is exactly one record.
        cursor_field: The field that orders its records; None if each run reads it completely.
        source: Where its records, or the records that contain them, come from.
        extraction: How its records are nested in those of the source; None if they are the source's own.
        parent_field: The field with the key of the record that contained it, if ``Children.parents`` is given.
        latest_by: Of two records with one key, the one with the larger value of this field is later; None: the last to arrive.
        state_field: The key of the cursor in its stored state; "" if that is the ``cursor_field``.
        key_origins: More fields of the source that key and cursor are made from, so that they cannot be redacted.
        optional: Whether an account may lack it by its plan, which is no error.
        load_schema: Loads the JSON schema of its records, given its name.
    """

    name: str
    primary_key: tuple[str, ...]
    cursor_field: str | None
    source: Source[Any]
    extraction: Extraction | None = None
    parent_field: str | None = None
    latest_by: str | None = None
    state_field: str = ""
    key_origins: tuple[str, ...] = ()
    optional: bool = False
    load_schema: Callable[[str], Schema] = load_schema

    @cached_property
    def schema(self) -> Schema:
        """The JSON schema of its records."""
        return self.load_schema(self.name)

    @cached_property
    def extractor(self) -> Extractor | None:
        """Extracts its records from those of the source; None if they are the source's own."""
        return None if self.extraction is None else self.extraction.extractor(self.schema)

    def load_state(self, state: StateBlob) -> object:
        """Parse a stored state into a position of the source. Raises StateError."""
        return self.source.load_state(self.name, self.state_field or self.cursor_field or "", state)

    def dump_state(self, position: object) -> StateBlob:
        """Return the state to store for a position of the source."""
        return self.source.dump_state(self.state_field or self.cursor_field or "", position)

    def redacted(self, redaction: Redaction, source: Source[Any]) -> Stream:
        """Return the redacted stream; ``source`` is its redacted source, one value for all streams that share it."""
        return replace(self, source=source, load_schema=partial(load_redacted_schema, redaction))
