"""Readers of configuration lists: whole ones, and those paged by ``since_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec

from zendesk_chat.errors import ConnectorError, EnvelopeError, PaginationStuckError, RecordShapeError
from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.keys import INTEGER, keyless_note, list_position, number_key, skipped_note, text_key, usable
from zendesk_chat.streams.positions import ListPosition, dump_list, load_list
from zendesk_chat.streams.records import decode_answer, decode_fields, digest, with_fields
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord, StateBlob, record_redactor

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction

ID_PAGE_SIZE: Final = 100  # agents answer 400 to more (singer-io/tap-zendesk-chat #18); read 2026-11-22
MAX_NAMED: Final = 10
MAX_DIGESTS: Final = 10_000  # about 300 KB of state; beyond, changes of the records with the lowest ids are not seen
DIGEST_IN_STATE_BYTES: Final = 32
RECORDS_PER_STATE: Final = 5  # bytes of records for one byte of state, or a long list would be mostly states
SHORT_LIST: Final = 500  # records; up to here, a checkpoint follows each page
GROWTH: Final = 4  # a checkpoint also comes when so many times as many records are read as at the last one

Extract = Callable[[bytes], Sequence[msgspec.Raw]]
Groups = Callable[[bytes], Sequence[Sequence[msgspec.Raw]]]
Redact = Callable[[bytes], bytes]


class _Row(msgspec.Struct):
    id: Any = None
    account_key: Any = None
    agent_id: Any = None
    name: Any = None
    enabled: Any = None


class _Data(msgspec.Struct):
    data: dict[str, msgspec.Raw]


class _Settings(msgspec.Struct):
    data: list[msgspec.Raw] | dict[str, msgspec.Raw]


class _Bans(msgspec.Struct):
    ip_address: list[msgspec.Raw] | None = None
    visitor: list[msgspec.Raw] | None = None
    error: msgspec.Raw | None = None


_array: Final = msgspec.json.Decoder(list[msgspec.Raw])
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_data: Final = msgspec.json.Decoder(_Data)
_settings: Final = msgspec.json.Decoder(list[msgspec.Raw] | _Settings)
_bans: Final = msgspec.json.Decoder(_Bans)
_row: Final = msgspec.json.Decoder(_Row)
_ACCOUNT_FIELDS: Final = frozenset({"account_key", "status", "create_date", "plan", "billing"})


@dataclass(frozen=True, slots=True)
class WholeList:
    """A list that comes in one answer.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        extract: The records of an answer.
        key: The field that identifies a record, or "" where there is only one record.
        stand_in: The field whose value is the key of a record that lacks ``key``; "" where no field is.
        text_keys: Whether the keys are text, and not numbers.
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    path: str
    extract: Extract
    key: str = "id"
    stand_in: str = ""
    text_keys: bool = False
    redact: Redact | None = None

    def read(self, fetch: Fetch, positions: Sequence[None], _bounds: Bounds) -> Iterator[Sequence[Batch[None]]]:
        """Read the list: one page."""
        rows = fetch(Request(self.path, self.extract))
        found = [keyed for raw in rows if (keyed := _keyed(self, raw, text_key if self.text_keys else number_key))]
        if rows and not found:
            raise _no_object(self.stream)
        skipped = len(rows) - len(found)
        notes = _notes(self.stream, found, skipped)
        batch = Batch([keyed.record for keyed in found], None, len(rows), notes, outside=skipped)
        yield [batch for _ in positions]

    def probe(self, _bounds: Bounds) -> Request[object]:
        """Ask for the list: there is nothing smaller to ask for."""
        return Request(self.path, self.extract, attempts=FEW_ATTEMPTS)

    def load_state(self, _stream: str, _cursor_field: str, _state: StateBlob) -> None:
        """Start from the beginning, as always."""

    def dump_state(self, _cursor_field: str, _position: None) -> StateBlob:
        """Store nothing."""
        return {}

    def redacted(self, redaction: Redaction) -> WholeList:
        """Return the list with its records redacted before anything else is made of them."""
        return replace(self, redact=record_redactor(redaction, self.stream))


@dataclass(frozen=True, slots=True)
class IdList:
    """A list ordered by id and paged by ``since_id``, which is inclusive.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        groups: The lists of an answer. Whether the page size counts all of them together or each is not known, so the next
            page begins after the lowest of their last ids: whatever the answer is, nothing lies before it unread.
        key: The field that identifies a record and orders the list.
        unpaged: Whether the API may know no paging here, and answer with the whole list each time.
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    path: str
    groups: Groups
    key: str = "id"
    unpaged: bool = False
    redact: Redact | None = None

    def read(
        self, fetch: Fetch, positions: Sequence[ListPosition | None], bounds: Bounds
    ) -> Iterator[Sequence[Batch[ListPosition]]]:
        """Read the list for one stream.

        An incremental run reads the complete list again, because a change does not move a record to a new id, and emits what
        is new or changed. A full refresh that resumes continues after the last id. The end is an empty page, or the complete
        list again.
        """
        (position,) = positions
        return ([batch] for batch in _IdReading(self, position, bounds).batches(fetch))

    def probe(self, _bounds: Bounds) -> Request[object]:
        """Ask for one record."""
        return Request(self.path, self.groups, {"limit": 1, "since_id": 0}, FEW_ATTEMPTS)

    def load_state(self, stream: str, cursor_field: str, state: StateBlob) -> ListPosition | None:
        """Parse a stored state of any known form; None starts from the beginning. Raises StateError."""
        return load_list(stream, cursor_field, state)

    def dump_state(self, cursor_field: str, position: ListPosition) -> StateBlob:
        """Return the state to store for a position."""
        return dump_list(cursor_field, position)

    def redacted(self, redaction: Redaction) -> IdList:
        """Return the list with its records redacted before anything else is made of them."""
        return replace(self, redact=record_redactor(redaction, self.stream))


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A record with its key.

    Attributes:
        key: Of the record as it is emitted; None where its stream has no key.
        record: What to write.
        note: What to tell the user of it, or "".
    """

    key: str | int | None
    record: RawRecord
    note: str = ""


@dataclass(slots=True)
class _Waiting:
    """What was read since the last checkpoint."""

    records: list[RawRecord] = field(default_factory=list)
    size: int = 0
    pages: int = 0
    received: int = 0
    outside: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    def batch(self, position: ListPosition) -> Batch[ListPosition]:
        """The batch that ends with a position."""
        unchanged = self.received - self.outside - len(self.records)
        return Batch(
            self.records,
            position,
            self.received,
            tuple(self.notes),
            unchanged=unchanged,
            outside=self.outside,
            pages=self.pages,
        )


class _IdReading:
    """One run over a list by id.

    A checkpoint holds the digests of all records so far. So it follows not each page of a long list, but pages of so many
    records that all checkpoints together are a fraction of them.
    """

    def __init__(self, listing: IdList, position: ListPosition | None, bounds: Bounds) -> None:
        self._listing = listing
        self._saved = position or ListPosition(0)
        self._all = bounds.incremental
        self._since = 0 if bounds.incremental or position is None else position.id + 1
        self._from_start = self._since == 0
        self._digests = dict(self._saved.digests)
        self._met: set[int] = set()
        self._met_at_checkpoint = 0
        self._told: set[str] = set()
        self._waiting = _Waiting()

    def batches(self, fetch: Fetch) -> Iterator[Batch[ListPosition]]:
        """Read to the end."""
        while True:
            try:
                groups = self._page(fetch)
            except ConnectorError:
                yield from self._checkpoint()
                raise
            following = self._following(groups)
            self._take(list(chain.from_iterable(groups)))
            if following <= self._since:
                error = self._error(fetch, groups)
                if error is None:
                    yield self._last()
                    return
                yield from self._checkpoint()
                raise error
            self._since = following
            if self._is_due():
                yield from self._checkpoint()

    def _page(self, fetch: Fetch) -> list[list[tuple[int, _Keyed]]]:
        """Fetch the next page: the records of each of its lists, with their places in the order of the list."""
        raw_groups = fetch(self._request(ID_PAGE_SIZE, self._since))
        groups = [[keyed for raw in group if (keyed := _keyed(self._listing, raw, number_key))] for group in raw_groups]
        received, found = sum(map(len, raw_groups)), list(chain.from_iterable(groups))
        skipped = received - len(found)
        self._waiting.pages += 1
        self._waiting.received += received
        self._waiting.outside += skipped
        self._tell(_notes(self._listing.stream, found, skipped))
        return [[(_place(keyed), keyed) for keyed in group] for group in groups]

    def _request(self, limit: int, since_id: int) -> Request[Sequence[Sequence[msgspec.Raw]]]:
        return Request(self._listing.path, self._listing.groups, {"limit": limit, "since_id": since_id})

    def _following(self, groups: Sequence[Sequence[tuple[int, _Keyed]]]) -> int:
        """The id that the next page begins at; 0 where none of a page's records has a number for an id."""
        lasts = [max(place for place, _ in group) for group in groups if group]
        return min((last for last in lasts if last >= 0), default=-1) + 1

    def _take(self, rows: Sequence[tuple[int, _Keyed]]) -> None:
        """Keep the records of a page that this run has not met yet and that are new or changed."""
        for place, keyed in sorted(dict(rows).items()):
            if place in self._met or 0 <= place < self._since:
                self._waiting.outside += 1
                continue
            self._met.add(place)
            known, self._digests[place] = self._digests.get(place), digest(keyed.record)
            if known != self._digests[place] and not (known is None and _known_by_id(place, self._saved)):
                self._waiting.records.append(keyed.record)
                self._waiting.size += len(keyed.record)

    def _error(self, fetch: Fetch, groups: Sequence[Sequence[tuple[int, _Keyed]]]) -> ConnectorError | None:
        """Why the list cannot be read to its end, where a page does not lead to another one."""
        stream, rows = self._listing.stream, list(chain.from_iterable(groups))
        if any(place >= 0 for place, _ in rows):
            stuck = not (self._listing.unpaged and self._is_whole(fetch, len(rows)))
            return PaginationStuckError(f"{stream}: Zendesk repeats a page for ever. Please report this.") if stuck else None
        if rows and not self._is_whole(fetch, len(rows)):
            what = f"{stream}: the {len(rows)} records of a page have no numbers as ids, so what follows cannot be asked for."
            return PaginationStuckError(f"{what} Please report this.")
        if self._from_start and self._waiting.received and not self._met:
            return _no_object(stream)
        return None

    def _is_whole(self, fetch: Fetch, rows: int) -> bool:
        """Whether a page is the whole list: less than was asked for, or more than a limit that is not heeded."""
        if rows < ID_PAGE_SIZE:
            return True
        return sum(map(len, fetch(self._request(1, 0)))) > 1

    def _is_due(self) -> bool:
        """Whether a checkpoint is small beside the records that it follows."""
        state_bytes = DIGEST_IN_STATE_BYTES * min(len(self._digests), MAX_DIGESTS)
        grown = len(self._met) >= GROWTH * self._met_at_checkpoint or len(self._met) <= SHORT_LIST
        return bool(self._waiting.records) and (grown or self._waiting.size >= RECORDS_PER_STATE * state_bytes)

    def _checkpoint(self) -> Iterator[Batch[ListPosition]]:
        if self._waiting.pages:
            yield self._waiting.batch(_position(self._saved, self._since - 1, self._digests))
            self._waiting = _Waiting()
            self._met_at_checkpoint = len(self._met)

    def _last(self) -> Batch[ListPosition]:
        kept = {place: self._digests[place] for place in self._met} if self._all else self._digests
        self._tell(_deleted_notes(self._listing.stream, self._digests.keys() - kept.keys()))
        self._tell(_unwatched_notes(self._listing.stream, len(kept)) if self._all else ())
        return self._waiting.batch(_position(replace(self._saved, known_from=0), self._since - 1, kept))

    def _tell(self, notes: Sequence[str]) -> None:
        """Add notes, each once a run."""
        self._waiting.notes.update(dict.fromkeys(note for note in notes if note not in self._told))
        self._told.update(notes)


def array(body: bytes) -> list[msgspec.Raw]:
    """The records of a bare array."""
    return decode_answer(body, _array)


def account(body: bytes) -> list[msgspec.Raw]:
    """The account that an answer is."""
    fields = decode_answer(body, _object)
    if _ACCOUNT_FIELDS.isdisjoint(fields):
        raise EnvelopeError("Zendesk's answer is not of the promised form: it is no account. Please report this.")
    return [msgspec.Raw(msgspec.json.encode(fields))]


def data(body: bytes) -> list[msgspec.Raw]:
    """The one record in ``{"data": {...}}``."""
    fields = decode_answer(body, _data).data
    if not fields:
        raise EnvelopeError("Zendesk's answer is not of the promised form: its `data` is empty. Please report this.")
    return [msgspec.Raw(msgspec.json.encode(fields))]


def single_group(body: bytes) -> list[list[msgspec.Raw]]:
    """A bare array as the only list of its answer."""
    return [array(body)]


def ban_groups(body: bytes) -> list[list[msgspec.Raw]]:
    """The two lists of an answer of bans. One that is absent or null is empty, as on a last page."""
    bans = decode_answer(body, _bans)
    if bans.error is not None and bans.ip_address is bans.visitor is None:
        raise EnvelopeError("Zendesk's answer is not of the promised form: it is an error. Please report this.")
    return [bans.ip_address or [], bans.visitor or []]


def agent_settings(body: bytes) -> list[list[msgspec.Raw]]:
    """The records of an array or of what is in ``{"data": ...}``: an array, or an object by agent id.

    Each gets its ``agent_id`` where it has none: from its ``id``, or from its key in the object.
    """
    answer = decode_answer(body, _settings)
    found = answer.data if isinstance(answer, _Settings) else answer
    if isinstance(found, list):
        return [[_with_agent_id(None, raw) for raw in found]]
    if not all(map(INTEGER.fullmatch, found)):
        raise EnvelopeError("Zendesk's answer is not of the promised form: its `data` is not by agent id. Please report this.")
    return [[_with_agent_id(int(key), raw) for key, raw in found.items()]]


def _with_agent_id(key: int | None, raw: msgspec.Raw) -> msgspec.Raw:
    try:
        row = _row.decode(raw)
    except msgspec.ValidationError:
        return raw  # no object; it is skipped where records are keyed
    own = key if row.id is None else row.id
    return raw if row.agent_id is not None or own is None else msgspec.Raw(with_fields(bytes(raw), agent_id=own))


def _keyed(listing: WholeList | IdList, raw: msgspec.Raw, make: Callable[[bytes], str | int]) -> _Keyed | None:
    """A record and its key, which is made where it has none; None for a row that is no object.

    ``enabled`` becomes a boolean (documented as 1 or 0, sent as either).
    """
    record = bytes(raw)
    if listing.redact is not None and record.startswith(b"{"):
        record = listing.redact(record)
    row = decode_fields(record, _row, _Row())
    if row is None:
        return None
    if row.enabled in (0, 1) and not isinstance(row.enabled, bool):
        record = with_fields(record, enabled=bool(row.enabled))
    key = getattr(row, listing.key) if listing.key else None
    if not listing.key or usable(key):
        return _Keyed(key, record)
    stand_in = listing.stand_in if isinstance(listing, WholeList) and usable(getattr(row, listing.stand_in, None)) else ""
    made = getattr(row, stand_in) if stand_in else make(record)
    note = keyless_note(listing.stream, listing.key, stand_in)
    return _Keyed(made, with_fields(record, **{listing.key: made}), note)


def _place(keyed: _Keyed) -> int:
    """Where a record is in a list by id: at its id, or at a negative number where that is none."""
    place = list_position(keyed.key)
    return number_key(msgspec.json.encode(keyed.key)) if place is None else place


def _notes(stream: str, found: Sequence[_Keyed], skipped: int) -> tuple[str, ...]:
    notes = dict.fromkeys(keyed.note for keyed in found if keyed.note)
    return (*notes, skipped_note(stream)) if skipped else tuple(notes)


def _no_object(stream: str) -> RecordShapeError:
    return RecordShapeError(f"{stream}: Zendesk sent rows, but none is a JSON object. Please report this.")


def _known_by_id(key: int, saved: ListPosition) -> bool:
    return 0 <= key <= saved.id and key < saved.known_from


def _deleted_notes(stream: str, gone: Collection[int]) -> tuple[str, ...]:
    if not gone:
        return ()
    ids = sorted(key for key in gone if key >= 0)
    some = f" (id {', '.join(map(str, ids[:MAX_NAMED]))}{' ...' if len(ids) > MAX_NAMED else ''})" if ids else ""
    what = f"{stream}: {len(gone)} are gone from the list since the last sync{some}."
    return (f"{what} They stay in the destination until a full refresh.",)


def _unwatched_notes(stream: str, count: int) -> tuple[str, ...]:
    if count <= MAX_DIGESTS:
        return ()
    watched = f"Of {count} records only the {MAX_DIGESTS} with the highest ids are watched for changes."
    return (f"{stream}: {watched} A full refresh brings the others up to date.",)


def _position(saved: ListPosition, read_to: int, digests: dict[int, str]) -> ListPosition:
    """The position after a page; ``saved`` tells what is known by id only until the whole list is read again."""
    kept = sorted(digests, key=_worth_keeping)[-MAX_DIGESTS:]
    lowest = min((key for key in kept if key >= 0), default=read_to + 1)
    known_from = max(saved.known_from, lowest) if len(digests) > MAX_DIGESTS else saved.known_from
    return ListPosition(max(saved.id, read_to), known_from, {key: digests[key] for key in kept})


def _worth_keeping(key: int) -> tuple[bool, int]:
    """Orders keys of a list by their worth in a state: nothing else tells that a record with a made key was emitted."""
    return key < 0, key
