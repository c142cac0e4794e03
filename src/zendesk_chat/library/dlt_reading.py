"""What a run of a dlt pipeline reads: all selected streams together, into files from which their resources take the rows."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dlt
from dlt.common.runtime import signals

from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.errors import ConfigError
from zendesk_chat.library.account import logger
from zendesk_chat.library.arrow import to_arrow
from zendesk_chat.library.dlt_hints import loads_into_postgres
from zendesk_chat.library.reading import StreamsFailedError, read_several
from zendesk_chat.tables.cleaning import Cleaner, about_changes, clean_text
from zendesk_chat.tables.spool import Spool

if TYPE_CHECKING:
    from dlt.extract import DltResource

    from zendesk_chat.clock import Clock
    from zendesk_chat.library.account import Account
    from zendesk_chat.library.arrow import ArrowBatch
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.cleaning import Change
    from zendesk_chat.tables.table import StreamTable

STATE: Final = "state"
"""The key of a stream's state in the state of its resource."""

_ACCOUNT: Final = "account"


class Feed:
    """The streams of one dlt source.

    The first resource of a run that begins reads all selected streams: in parallel, and each page once however many streams
    need it. The other resources take what was read for them.
    """

    def __init__(self, account: Account, tables: Iterable[StreamTable], *, required: bool) -> None:
        """Create a feed.

        Args:
            account: The account to read.
            tables: The tables of the streams.
            required: Whether it is an error if the account lacks one of them.
        """
        self._account = account
        self._tables = {table.name: table for table in tables}
        self._required = required
        self._lock = threading.Lock()  # for resources in parallel threads
        self._run: object = None  # the state of the source in dlt: each run has a dictionary of its own
        self._reads: dict[str, Read] = {}
        self._failure: BaseException | None = None

    def take(self, stream: str) -> Read:
        """Return what the current run reads of a stream. Call this in its resource.

        Raises:
            ConfigError: The pipeline has loaded another account.
            StreamsFailedError: Some streams failed.
        """
        resource = dlt.current.resource()
        if resource.name != stream:  # a copy of the resource with a name and a state of its own
            return self._read({stream: resource})[stream]
        with self._lock:
            run = dlt.current.source_state()
            if self._run is run and self._failure is not None:
                raise self._failure
            if self._run is not run or stream not in self._reads:
                self._begin(run, {stream: resource})
            return self._reads.pop(stream)

    def discard(self) -> None:
        """Delete what no resource has taken, because the run has failed."""
        self._failure = Stopped()  # for resources that wait in other threads
        reads, self._reads = self._reads, {}
        for read in reads.values():
            read.close()

    def _begin(self, run: object, first: dict[str, DltResource]) -> None:
        """Read what a run needs: the selected streams, and those that only feed a transformer."""
        self._run, self._reads, self._failure = run, {}, None
        extracted = {resource.name: resource for resource in dlt.current.source().resources.extracted} | first
        try:
            self._reads = self._read({name: extracted[name] for name in self._tables if name in extracted})
        except BaseException as error:
            self._failure = error
            raise

    def _read(self, resources: Mapping[str, DltResource]) -> dict[str, Read]:
        """Read streams as far as the limits of their resources allow."""
        _require_same_account(self._account)
        clock = SystemClock()
        reads = {stream: Read(self._tables[stream], resource, clock) for stream, resource in resources.items()}
        try:
            for group in self._groups(reads):
                self._read_group(group)
            _warn_of_changes(reads.values())
        except BaseException as error:
            for read in reads.values():
                read.close()
            if isinstance(error, StreamsFailedError):
                raise error from next(iter(error.errors.values()))
            raise
        return reads

    def _groups(self, reads: Mapping[str, Read]) -> Iterator[Mapping[str, Read]]:
        """Yield the streams to read together: all, or if there are limits, those that share pages.

        A group ends as soon as all of its streams have reached their limits.
        """
        if not any(read.is_limited for read in reads.values()):
            yield reads
            return
        groups: dict[object, dict[str, Read]] = {}
        for name, read in reads.items():
            groups.setdefault(self._account.catalog.streams[name].source, {})[name] = read
        yield from groups.values()

    def _read_group(self, group: Mapping[str, Read]) -> None:
        streams = [(self._account.catalog.streams[name], read.stored) for name, read in group.items() if not read.is_full]
        if not streams:
            return
        found = read_several(self._account, streams, self._account.period(), required=self._required)
        with closing(to_arrow(self._account, found)) as batches:
            for batch in batches:
                signals.raise_if_signalled()
                group[batch.stream].take(batch)
                if all(read.is_full for read in group.values()):
                    return


class Read:
    """What a run has read of one stream.

    Attributes:
        spool: Its rows.
        stored: The state that it resumed from, if any.
        state: The state after the last page; None if the account lacks the stream, or if nothing was read.
        cleaner: Changes values that the destination refuses, if it may refuse some.
        close: Deletes the rows. This also happens when nothing refers to this object any longer.
    """

    def __init__(self, table: StreamTable, resource: DltResource, clock: Clock) -> None:
        directory = tempfile.mkdtemp(prefix="zendesk-chat-")
        self.close = weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self.spool = Spool(Path(directory) / f"{table.name}.parquet", table)
        self.stored = _stored_state(resource)
        self.cleaner = Cleaner(table) if loads_into_postgres() else None
        self.state: Mapping[str, object] | None = None
        self._limit = resource.limit
        self._clock = clock
        self._begun = clock.monotonic()
        self._pages = 0

    @property
    def is_limited(self) -> bool:
        """Whether the resource has a limit (``add_limit``), which ends the read."""
        return self._limit is not None

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached."""
        limit = self._limit
        if limit is None:
            return False
        count = self.spool.records if limit.count_rows else self._pages
        if limit.max_time and self._clock.monotonic() - self._begun >= limit.max_time:
            return True
        return 0 <= limit.max_items <= count

    def take(self, batch: ArrowBatch) -> None:
        """Store a page. When the limit is reached, skip it: the state stays before it."""
        if self.is_full:
            return
        if self.cleaner is None:
            self.spool.append(batch.table, batch.parents)
        else:
            self.spool.append(self.cleaner.clean(batch.table), [*map(clean_text, batch.parents)])
        self.state = batch.state
        self._pages += 1


def _stored_state(resource: DltResource) -> StateBlob | None:
    """Return the state to resume a resource from; None for one that replaces its table."""
    given = resource.write_disposition
    replaces = (given["disposition"] if isinstance(given, dict) else given) == "replace"
    text = dlt.current.resource_state(resource.name).get(STATE)
    return None if replaces or text is None else json.loads(text)


def _warn_of_changes(reads: Iterable[Read]) -> None:
    changes: Counter[Change] = Counter()
    for read in reads:
        if read.cleaner is not None:
            changes += read.cleaner.changes
    if changes:
        logger.warning("%s", about_changes(changes))


def _require_same_account(account: Account) -> None:
    subdomain = account.parsed.subdomain
    loaded = dlt.current.source_state().setdefault(_ACCOUNT, subdomain)
    if loaded != subdomain:
        raise ConfigError(
            f"This pipeline has loaded the account {loaded}, but the source reads {subdomain}. Use another pipeline and "
            f'dataset for {subdomain}, or replace the data of {loaded} with refresh="drop_sources".'
        )
