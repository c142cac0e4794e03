"""Readers of configuration lists: whole ones, and those paged by ``since_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from source_zendesk_chat.errors import PaginationStuckError, RecordShapeError
from source_zendesk_chat.streams.positions import ListPosition
from source_zendesk_chat.streams.records import INTEGER, decode_answer, digest, integer_id, with_fields
from source_zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord

ID_PAGE_SIZE: Final = 100  # agents answer 400 to more (singer-io/tap-zendesk-chat #18); read 2026-11-22
MAX_NAMED: Final = 10
MAX_DIGESTS: Final = 10_000  # about 300 KB of state; beyond, changes of the oldest records are not seen any more

Extract = Callable[[bytes], Sequence[msgspec.Raw]]
Groups = Callable[[bytes], Sequence[Sequence[msgspec.Raw]]]
Redact = Callable[[bytes], bytes]


class _Row(msgspec.Struct):
    id: Any = None
    account_key: Any = None
    agent_id: Any = None
    enabled: Any = None


class _Data(msgspec.Struct):
    data: dict[str, msgspec.Raw]


class _Settings(msgspec.Struct):
    data: list[msgspec.Raw] | dict[str, msgspec.Raw]


class _Bans(msgspec.Struct):
    ip_address: list[msgspec.Raw]
    visitor: list[msgspec.Raw]


_array: Final = msgspec.json.Decoder(list[msgspec.Raw])
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_data: Final = msgspec.json.Decoder(_Data)
_settings: Final = msgspec.json.Decoder(list[msgspec.Raw] | _Settings)
_bans: Final = msgspec.json.Decoder(_Bans)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that comes in one answer.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        extract: The records of an answer.
        key: The field that every record MUST have, or "".
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    path: str
    extract: Extract
    key: str = "id"
    redact: Redact | None = None


def read_whole(listing: Listing) -> Callable[[Fetch, None, Bounds], Iterator[Batch[None]]]:
    """The reader of a list that comes in one answer."""

    def read(fetch: Fetch, _position: None, _bounds: Bounds) -> Iterator[Batch[None]]:
        rows = fetch(listing.path, {}, listing.extract)
        records = [_record(listing, raw)[1] for raw in rows]
        yield Batch(records, None, len(rows))

    return read


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


def read_by_id(listing: IdList) -> Callable[[Fetch, ListPosition | None, Bounds], Iterator[Batch[ListPosition]]]:
    """The reader of a list paged by id.

    An incremental run reads the whole list again, because a change does not move a record to a new id, and emits what is new
    or changed. A full refresh that resumes goes on after the last id. The end is an empty page, or the whole list again.
    """

    def read(fetch: Fetch, position: ListPosition | None, bounds: Bounds) -> Iterator[Batch[ListPosition]]:
        saved = position or ListPosition(0)
        since = 0 if bounds.incremental or position is None else saved.id + 1
        digests = dict(saved.digests)
        met: set[int] = set()
        while True:
            groups = fetch(listing.path, {"limit": ID_PAGE_SIZE, "since_id": since}, listing.groups)
            pages = [[_identified(listing, raw) for raw in group] for group in groups]
            received = sum(map(len, pages))
            following = min((max(key for key, _ in page) for page in pages if page), default=0) + 1
            if received and following <= since and not (listing.unpaged and _is_whole(listing, fetch, received)):
                raise PaginationStuckError(f"{listing.stream}: Zendesk repeats a page for ever. Please report this.")
            if following <= since or not received:
                whole = {key: digests[key] for key in met} if bounds.incremental else digests
                notes = _deleted_note(listing.stream, digests.keys() - whole.keys())
                yield Batch((), _position(replace(saved, known_from=0), since - 1, whole), received, notes, outside=received)
                return
            since = following
            records = []
            for key, record in _merged(pages):
                met.add(key)
                known, digests[key] = digests.get(key), digest(record)
                if known != digests[key] and not (known is None and _known_by_id(key, saved)):
                    records.append(record)
            yield Batch(records, _position(saved, since - 1, digests), received, unchanged=received - len(records))

    return read


def _is_whole(listing: IdList, fetch: Fetch, received: int) -> bool:
    """Whether a page that is repeated is the whole list: less than was asked for, or more than a limit that is not heeded."""
    if received < ID_PAGE_SIZE:
        return True
    return sum(map(len, fetch(listing.path, {"limit": 1, "since_id": 0}, listing.groups))) > 1


def probe_whole(listing: Listing) -> Callable[[Fetch, Bounds], object]:
    """The probe of a list that comes in one answer: there is nothing smaller to ask for."""
    return lambda fetch, _bounds: fetch(listing.path, {}, listing.extract, patient=False)


def probe_by_id(listing: IdList) -> Callable[[Fetch, Bounds], object]:
    """The probe of a list paged by id: one record."""
    return lambda fetch, _bounds: fetch(listing.path, {"limit": 1, "since_id": 0}, listing.groups, patient=False)


def array(body: bytes) -> list[msgspec.Raw]:
    """The records of a bare array."""
    return decode_answer(body, _array)


def root(body: bytes) -> list[msgspec.Raw]:
    """The one record that an answer is."""
    return [msgspec.Raw(msgspec.json.encode(decode_answer(body, _object)))]


def data(body: bytes) -> list[msgspec.Raw]:
    """The one record in ``{"data": {...}}``."""
    return [msgspec.Raw(msgspec.json.encode(decode_answer(body, _data).data))]


def single_group(body: bytes) -> list[list[msgspec.Raw]]:
    """A bare array as the only list of its answer."""
    return [array(body)]


def ban_groups(body: bytes) -> list[list[msgspec.Raw]]:
    """The two lists of an answer of bans."""
    bans = decode_answer(body, _bans)
    return [bans.ip_address, bans.visitor]


def agent_settings(body: bytes) -> list[list[msgspec.Raw]]:
    """The records of an array or of what is in ``{"data": ...}``: an array, or an object by agent id.

    Each gets its ``agent_id`` where it has none: from its ``id``, or from its key in the object.
    """
    answer = decode_answer(body, _settings)
    found = answer.data if isinstance(answer, _Settings) else answer
    keyed = found.items() if isinstance(found, dict) else ((None, raw) for raw in found)
    return [[_with_agent_id(key, raw) for key, raw in keyed]]


def _with_agent_id(key: str | None, raw: msgspec.Raw) -> msgspec.Raw:
    try:
        row = msgspec.json.decode(raw, type=_Row)
    except msgspec.ValidationError:
        return raw  # no object, which is refused where it is read
    own = row.id if row.id is not None or key is None else int(key) if INTEGER.fullmatch(key) else key
    return raw if row.agent_id is not None or own is None else msgspec.Raw(with_fields(bytes(raw), agent_id=own))


def _record(listing: Listing | IdList, raw: msgspec.Raw) -> tuple[Any, RawRecord]:
    """A record and its key, with ``enabled`` as a boolean (documented as 1 or 0, sent as either)."""
    stream, key = listing.stream, listing.key
    record = bytes(raw) if listing.redact is None else listing.redact(bytes(raw))
    try:
        row = msgspec.json.decode(record, type=_Row)
    except msgspec.ValidationError:
        raise RecordShapeError(f"{stream}: Zendesk sent a record that is no object. Please report this.") from None
    value = getattr(row, key) if key else None
    if bytes(raw) == b"{}":
        raise RecordShapeError(f"{stream}: Zendesk sent an empty record. Please report this.")
    if key and (value is None or value == ""):
        raise RecordShapeError(f"{stream}: Zendesk sent a record without its `{key}`. Please report this.")
    if row.enabled in (0, 1) and not isinstance(row.enabled, bool):
        record = with_fields(record, enabled=bool(row.enabled))
    return value, record


def _identified(listing: IdList, raw: msgspec.Raw) -> tuple[int, RawRecord]:
    value, record = _record(listing, raw)
    return integer_id(value, listing.stream), record


def _merged(pages: Iterable[Sequence[tuple[int, RawRecord]]]) -> list[tuple[int, RawRecord]]:
    return sorted({key: record for page in pages for key, record in page}.items())


def _known_by_id(key: int, saved: ListPosition) -> bool:
    return key <= saved.id and key < saved.known_from


def _deleted_note(stream: str, gone: Collection[int]) -> tuple[str, ...]:
    if not gone:
        return ()
    some = ", ".join(map(str, sorted(gone)[:MAX_NAMED])) + (" ..." if len(gone) > MAX_NAMED else "")
    what = f"{stream}: {len(gone)} are gone from the list since the last sync (id {some})."
    return (f"{what} They stay in the destination until a full refresh.",)


def _position(saved: ListPosition, read_to: int, digests: dict[int, str]) -> ListPosition:
    """The position after a page; ``saved`` tells what is known by id only until the whole list is read again."""
    newest = sorted(digests)[-MAX_DIGESTS:]
    known_from = max(saved.known_from, newest[0]) if len(digests) > MAX_DIGESTS else saved.known_from
    return ListPosition(max(saved.id, read_to), known_from, {key: digests[key] for key in newest})
