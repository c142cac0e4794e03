"""Lists ordered by id and paged by ``since_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import msgspec

from zendesk_chat.errors import ConnectorError, PaginationStuckError
from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.keys import list_position
from zendesk_chat.streams.lists.keyed import KeyedList, KeyedRecord
from zendesk_chat.streams.positions import ListPosition, dump_list, load_list
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord

ID_PAGE_SIZE: Final = 100  # agents answer 400 to more (singer-io/tap-zendesk-chat #18); read 2026-11-22
MAX_NAMED: Final = 10
MAX_DIGESTS: Final = 10_000  # about 300 KB of state; beyond, changes of the records with the lowest ids are not seen
DIGEST_IN_STATE_BYTES: Final = 32
RECORDS_PER_STATE: Final = 5  # bytes of records for one byte of state, or a long list would be mostly states
SHORT_LIST: Final = 500  # records; up to here, a checkpoint follows each page
GROWTH: Final = 4  # a checkpoint also comes when so many times as many records are read as at the last one


@dataclass(frozen=True, slots=True)
class IdList(KeyedList):
    """A list ordered by id and paged by ``since_id``, which is inclusive.

    Attributes:
        groups: Returns the lists of an answer. Whether the page size counts all of them together or each is not known, so the
            next page begins after the lowest of their last ids: whatever the answer is, nothing lies before it unread.
        unpaged: Whether the API may know no paging here, and answer with the complete list each time.
    """

    groups: Callable[[bytes], Sequence[Sequence[msgspec.Raw]]]
    unpaged: bool = False

    load_state = staticmethod(load_list)
    dump_state = staticmethod(dump_list)

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


@dataclass(slots=True)
class _Pending:
    """What was read since the last checkpoint."""

    records: list[RawRecord] = field(default_factory=list)
    size: int = 0
    pages: int = 0
    received: int = 0
    outside: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    def batch(self, position: ListPosition) -> Batch[ListPosition]:
        """Return the batch that ends with a position."""
        unchanged = self.received - self.outside - len(self.records)
        return Batch(self.records, position, self.received, tuple(self.notes), None, unchanged, self.outside, self.pages)


class _IdReading:
    """One run over a list by id.

    A checkpoint holds the digests of all records so far, so in a long list it follows several pages: all checkpoints together
    are a fraction of the records.
    """

    def __init__(self, listing: IdList, position: ListPosition | None, bounds: Bounds) -> None:
        self._listing = listing
        self._saved = position or ListPosition(0)
        self._complete = bounds.incremental
        self._since = 0 if bounds.incremental or position is None else position.id + 1
        self._from_start = self._since == 0
        self._digests = dict(self._saved.digests)
        self._positions: set[int] = set()
        self._count_at_checkpoint = 0
        self._emitted_notes: set[str] = set()
        self._pending = _Pending()

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

    def _page(self, fetch: Fetch) -> list[list[tuple[int, KeyedRecord]]]:
        """Fetch the next page: the records of each of its lists, with their positions in the order of the list."""
        raw_groups = fetch(self._request(ID_PAGE_SIZE, self._since))
        groups = [self._listing.keyed(group) for group in raw_groups]
        received, found = sum(map(len, raw_groups)), list(chain.from_iterable(groups))
        skipped = received - len(found)
        self._pending.pages += 1
        self._pending.received += received
        self._pending.outside += skipped
        self._note(self._listing.notes(found, skipped))
        return [[(list_position(keyed.key), keyed) for keyed in group] for group in groups]

    def _request(self, limit: int, since_id: int) -> Request[Sequence[Sequence[msgspec.Raw]]]:
        return Request(self._listing.path, self._listing.groups, {"limit": limit, "since_id": since_id})

    def _following(self, groups: Sequence[Sequence[tuple[int, KeyedRecord]]]) -> int:
        """Return the id that the next page begins at; 0 where none of a page's records has a number for an id.

        The next page begins after the lowest of the last ids of its lists: with bans of addresses up to 90 and of visitors up
        to 60, at 61, because a visitor between the two may have been beyond the page.
        """
        lasts = [max(position for position, _ in group) for group in groups if group]
        return min((last for last in lasts if last >= 0), default=-1) + 1

    def _take(self, rows: Sequence[tuple[int, KeyedRecord]]) -> None:
        """Keep the records of a page that this run has not read yet and that are new or changed."""
        for position, keyed in sorted(dict(rows).items()):
            if position in self._positions or 0 <= position < self._since:
                self._pending.outside += 1
                continue
            self._positions.add(position)
            known, self._digests[position] = self._digests.get(position), digest(keyed.record)
            known_by_id = known is None and 0 <= position <= self._saved.id and position < self._saved.digests_from
            if known != self._digests[position] and not known_by_id:
                self._pending.records.append(keyed.record)
                self._pending.size += len(keyed.record)

    def _error(self, fetch: Fetch, groups: Sequence[Sequence[tuple[int, KeyedRecord]]]) -> ConnectorError | None:
        """Return why the list cannot be read to its end, where a page does not lead to another one."""
        stream, rows = self._listing.stream, list(chain.from_iterable(groups))
        if any(position >= 0 for position, _ in rows):
            stuck = not (self._listing.unpaged and self._is_complete(fetch, len(rows)))
            return PaginationStuckError(f"{stream}: Zendesk repeats the same page. Please report this.") if stuck else None
        if rows and not self._is_complete(fetch, len(rows)):
            what = f"{stream}: the {len(rows)} records of a page have no numbers as ids, so what follows cannot be asked for."
            return PaginationStuckError(f"{what} Please report this.")
        if self._from_start and self._pending.received and not self._positions:
            return self._listing.no_object()
        return None

    def _is_complete(self, fetch: Fetch, rows: int) -> bool:
        """Whether a page is the complete list: less than was asked for, or more than a limit that is not heeded."""
        if rows < ID_PAGE_SIZE:
            return True
        return sum(map(len, fetch(self._request(1, 0)))) > 1

    def _is_due(self) -> bool:
        """Whether a checkpoint is small beside the records that it follows."""
        state_bytes = DIGEST_IN_STATE_BYTES * min(len(self._digests), MAX_DIGESTS)
        grown = len(self._positions) >= GROWTH * self._count_at_checkpoint or len(self._positions) <= SHORT_LIST
        return bool(self._pending.records) and (grown or self._pending.size >= RECORDS_PER_STATE * state_bytes)

    def _checkpoint(self) -> Iterator[Batch[ListPosition]]:
        if self._pending.pages:
            yield self._pending.batch(_position(self._saved, self._since - 1, self._digests))
            self._pending = _Pending()
            self._count_at_checkpoint = len(self._positions)

    def _last(self) -> Batch[ListPosition]:
        kept = {position: self._digests[position] for position in self._positions} if self._complete else self._digests
        self._note(_deleted_notes(self._listing.stream, self._digests.keys() - kept.keys()))
        self._note(_uncompared_notes(self._listing.stream, len(kept)) if self._complete else ())
        return self._pending.batch(_position(replace(self._saved, digests_from=0), self._since - 1, kept))

    def _note(self, notes: Sequence[str]) -> None:
        """Add notes, each once a run."""
        self._pending.notes.update(dict.fromkeys(note for note in notes if note not in self._emitted_notes))
        self._emitted_notes.update(notes)


def _deleted_notes(stream: str, gone: Collection[int]) -> tuple[str, ...]:
    if not gone:
        return ()
    ids = sorted(key for key in gone if key >= 0)
    some = f" (id {', '.join(map(str, ids[:MAX_NAMED]))}{' ...' if len(ids) > MAX_NAMED else ''})" if ids else ""
    what = f"{stream}: {len(gone)} are gone from the list since the last sync{some}."
    return (f"{what} They stay in the destination until a full refresh.",)


def _uncompared_notes(stream: str, count: int) -> tuple[str, ...]:
    if count <= MAX_DIGESTS:
        return ()
    what = f"{stream}: Of {count} records only the {MAX_DIGESTS} with the highest ids are compared for changes."
    return (f"{what} A full refresh brings the others up to date.",)


def _position(saved: ListPosition, read_to: int, digests: dict[int, str]) -> ListPosition:
    """Return the position after a page; in ``saved`` is what is known by id only until the complete list is read again."""
    # Negative keys, which are made, come last: nothing else shows that their records were emitted.
    kept = sorted(digests, key=lambda key: (key < 0, key))[-MAX_DIGESTS:]
    lowest = min((key for key in kept if key >= 0), default=read_to + 1)
    digests_from = max(saved.digests_from, lowest) if len(digests) > MAX_DIGESTS else saved.digests_from
    return ListPosition(max(saved.id, read_to), digests_from, {key: digests[key] for key in kept})
