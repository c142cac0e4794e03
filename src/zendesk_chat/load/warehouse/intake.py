"""One stream on its way into its table: the records that wait on disk, and how they are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.warehouse.transaction import Checkpoint, Part
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.cleaning import clean_text
from zendesk_chat.tables.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.tables.cleaning import Change, Cleaner
    from zendesk_chat.tables.table import StreamTable

_DIGEST_BYTES: Final = 16


class Intake:
    """One stream of this run, with its uncommitted records.

    Attributes:
        state: To resume from.
        complete: Whether the stream has ended and is complete.
    """

    def __init__(self, table: StreamTable, directory: Path, kept: Checkpoint, cleaner: Cleaner | None) -> None:
        """Start without records. A ``cleaner`` replaces the values that the destination refuses."""
        self.table = table
        self.spool = Spool(directory / f"{table.name}.parquet", table)
        self.state = kept.state
        self.complete = False
        self._kept = kept
        self._replace = table.mirrors
        self._rebuild = False
        self._read = RecordReader(table).read
        self._cleaner = cleaner
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._pending = False

    def reload(self, *, rebuild: bool = False) -> None:
        """Read the stream from the start, and replace its table when it is complete. ``rebuild`` drops the table first."""
        self.state = None
        self._kept = replace(self._kept, digest="")
        self._replace = True
        self._rebuild = rebuild

    def take(self, page: PageRead) -> None:
        """Keep a page on disk."""
        if self.table.mirrors:
            for record in page.records:
                self._digest.update(b"%d:%b" % (len(record), record))
        rows, parents = self._read(page.records), page.parents
        if self._cleaner is not None:
            rows, parents = self._cleaner.clean(rows), [*map(clean_text, parents)]
        self.spool.append(rows, parents)
        self.state = page.state
        self._pending = True

    @property
    def changes_of_values(self) -> Counter[Change]:
        """How many values were changed because the destination refuses them."""
        return self._cleaner.changes if self._cleaner is not None else Counter()

    @property
    def ready(self) -> bool:
        """Whether there is something to commit now. Rows that replace a table wait until the stream is complete."""
        return self._pending and (self.complete or not self._replace)

    def changes(self, stored: Checkpoint | None) -> bool:
        """Return whether there are rows to write."""
        if self._replace:
            return stored is None or not self.table.mirrors or self._kept.digest != self._digest.hexdigest()
        return self.spool.records > 0 or self.spool.names_parents

    def checkpoint(self) -> Checkpoint:
        """Return what to store of the stream."""
        if self.table.mirrors:
            return replace(self._kept, digest=self._digest.hexdigest())
        return replace(self._kept, state=self.state)

    def part(self) -> Part:
        """Return what to write."""
        return Part(self.table, self.spool.rows(), self._replace, self._rebuild)

    def committed(self) -> None:
        """Forget what the destination has now."""
        self.spool.clear()
        self._kept = self.checkpoint()
        self._replace = self.table.mirrors
        self._rebuild = False
        self._pending = False
