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
"""The JSON that is stored for a stream between runs."""

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
T = TypeVar("T")
Tag = TypeVar("Tag")
Page = TypeVar("Page")


class Fetch(Protocol):
    """One authenticated, rate-limited and retried GET."""

    def __call__(self, request: Request[T]) -> T:
        """Return the decoded body. The caller MUST be done with the previous one.

        Raises:
            ConnectorError: The typed reason why there is no response.
        """
        ...


class Fetcher(Fetch, Protocol[Tag, Page]):
    """A ``Fetch`` that can also send requests in the background, which a reader identifies by tags."""

    def start(self, request: Request[Page], tag: Tag) -> None:
        """Start a request in the background."""
        ...

    def finished(self) -> tuple[Tag, Page | ConnectorError]:
        """Wait for a request to end. Return its tag and its page or error. The reader MUST be done with the previous page."""
        ...

    def free_slots(self) -> int:
        """Return how many more requests are worth starting now; 0 if the API responds at once or its quota is used up."""
        ...


AnyFetcher: TypeAlias = Fetcher[Any, Any]
"""A fetcher for a reader with its own tags and pages."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[P_co]):
    """Records of one page, and the position from which it is safe to resume after them.

    Attributes:
        records: The records to write, in the API's order.
        position: Where a later run resumes once ``records`` are written.
        received: Number of records in the API's response.
        notes: Messages for the user.
        progress: The share of the time until the run's start that is read, from 0 to 1; None if unknown.
        unchanged: Number of records skipped because an earlier batch or run emitted them in the same form.
        outside: Number of records skipped because they are before the start or the position, at or after the end, in the range
            of another request, or not objects.
        pages: Number of responses that the records come from.
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
        parents: Keys of the records whose children are complete here, even if there are none. Any other children of them in a
            destination are outdated.
        irregular: The ``records`` that may differ from their schema. The others fit it.
    """

    records: Sequence[RawRecord]
    parents: Sequence[str] = ()
    irregular: Sequence[RawRecord] = ()


class PageRecords(list[RawRecord]):
    """The records of a page that several derived streams share.

    Attributes:
        decoded: What the first extractor decoded of the records, so that the others need not read them again.
    """

    __slots__ = ("decoded",)

    def __init__(self, records: Sequence[RawRecord]) -> None:
        super().__init__(records)
        self.decoded: Sequence[object] | None = None


class Extractor(Protocol):
    """Extracts the records of a derived stream from the records of its source."""

    def extract(self, records: Sequence[RawRecord], *, encode: bool = False) -> Children:
        """Return the records that are nested in these. Pass ``encode`` if they are needed as bytes."""
        ...


class Extraction(Protocol):
    """How the records of a derived stream are nested in the records of its source."""

    @property
    def path(self) -> tuple[str, ...]:
        """The path of the object that becomes a record, such as ``("history", "*")``."""
        ...

    @property
    def other_paths(self) -> Mapping[str, tuple[str, ...] | None]:
        """Paths of fields that are not below ``path`` under their name; None for fields that the connector makes."""
        ...

    def extractor(self, schema: Schema) -> Extractor:
        """Return the extractor for records of a schema."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run asks of every stream.

    Attributes:
        start: Time of the oldest record to read, in seconds since 1970. Configuration lists have no time and ignore it.
        now: When the run began, in seconds since 1970.
        lookback: Seconds before ``now`` that a later run reads again, for records that become visible late.
        incremental: Whether to skip records that earlier runs emitted.
        end: The first second not to read; None to read until ``now``.
    """

    start: int
    now: float
    lookback: int = 600
    incremental: bool = True
    end: int | None = None


class Source(Protocol[P]):
    """One endpoint of the API, as a frozen value. Streams with equal sources share each page. ``P`` is private to it."""

    def read(self, fetch: AnyFetcher, positions: Sequence[P | None], bounds: Bounds) -> Iterator[Sequence[Batch[P]]]:
        """Read the pages once for several streams, each from its own position.

        Yields one batch per position for each page. It MUST end, and MUST NOT yield a position ahead of its records.
        """
        ...

    def probe(self, bounds: Bounds) -> Request[object]:
        """Return the smallest request that shows whether the source can be read."""
        ...

    def load_state(self, stream: str, cursor_field: str, state: StateBlob) -> P | None:
        """Parse a stored state of any known form. None means to start from the beginning.

        Args:
            stream: The name of the stream, for messages.
            cursor_field: The key of the cursor in ``state``.
            state: The stored state.

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
        stream: The name of the stream in messages and redaction rules.
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
        primary_key: Top-level fields that identify a record; empty if there is only one record.
        cursor_field: The field that orders its records; None if each run reads the complete stream.
        source: The source of its records, or of the records that contain them.
        extraction: How its records are nested in the source's records; None if they are the source's own.
        parent_field: The field with the key of the record that contained it, if ``Children.parents`` is set.
        latest_by: Of two records with the same key, the one with the larger value here is later; None: the last to come.
        state_field: The key of the cursor in its stored state; "" if that is the ``cursor_field``.
        key_origins: More fields of the source that key and cursor are derived from, so that they cannot be redacted.
        optional: Whether an account's plan may lack it, which is not an error.
        load_schema: Loads the JSON schema of its records, by its name.
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
        """The extractor of its records from the source's records; None if they are the source's own."""
        return None if self.extraction is None else self.extraction.extractor(self.schema)

    def load_state(self, state: StateBlob) -> object:
        """Parse a stored state into a position of the source. Raises StateError."""
        return self.source.load_state(self.name, self.state_field or self.cursor_field or "", state)

    def dump_state(self, position: object) -> StateBlob:
        """Return the state to store for a position of the source."""
        return self.source.dump_state(self.state_field or self.cursor_field or "", position)

    def redacted(self, redaction: Redaction, source: Source[Any]) -> Stream:
        """Return the redacted stream. ``source`` is its redacted source, one value for all streams that share it."""
        return replace(self, source=source, load_schema=partial(load_redacted_schema, redaction))
