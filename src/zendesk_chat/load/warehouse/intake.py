"""One stream on its way into its table: the records that wait on disk, and how they are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.warehouse.transaction import Checkpoint, Part
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.cleaning import longest_key
from zendesk_chat.tables.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.tables.cleaning import Change, Cleaner
    from zendesk_chat.tables.shortening import Shortener
    from zendesk_chat.tables.table import StreamTable

_DIGEST_BYTES: Final = 16


class Intake:
    """One stream of this run, with its uncommitted records.

    Attributes:
        state: To resume from.
        complete: Whether the stream has ended and is complete.
    """

    def __init__(
        self,
        table: StreamTable,
        directory: Path,
        stored: Checkpoint | None,
        redaction: str,
        cleaner: Cleaner | Shortener | None,
    ) -> None:
        """Start without records.

        Args:
            table: Of the stream.
            directory: For the records that wait.
            stored: What the destination has of the stream; None for nothing.
            redaction: A fingerprint of the rules of this run.
            cleaner: Replaces the values that the destination refuses.
        """
        self.table = table
        self.spool = Spool(directory / f"{table.name}.parquet", table)
        self._kept = stored or Checkpoint()
        self.state = self._kept.state
        self.complete = False
        self._first = stored is None
        self._redaction = redaction
        self._replace = table.mirrors
        self._rebuild = False
        self._read = RecordReader(table).read
        self._cleaner = cleaner
        self._longest_key = 0
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._pending = False

    def reload(self, *, rebuild: bool = False) -> None:
        """Read the stream from the start, and replace its table when it is complete. ``rebuild`` changes its columns first."""
        self.state = None
        self._kept = replace(self._kept, digest="")
        self._replace = True
        self._rebuild = rebuild

    def refill(self) -> None:
        """Read the stream from the start, because somebody emptied its table. A list may have been empty before."""
        if self._kept.digest != blake2b(digest_size=_DIGEST_BYTES).hexdigest():
            self.state = None
            self._kept = replace(self._kept, digest="")

    def take(self, page: PageRead) -> None:
        """Keep a page on disk."""
        if self.table.mirrors:
            for record in page.records:
                self._digest.update(b"%d:%b" % (len(record), record))
        rows, parents = self._read(page.records), page.parents
        if self._cleaner is not None:
            rows, parents = self._cleaner.clean(rows), [*map(self._cleaner.clean_key, parents)]
            self._longest_key = max(self._longest_key, longest_key(self.table, rows))
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
        before = () if self._replace else self._kept.redactions
        redactions = tuple(sorted({*before, self._redaction}))
        if self.table.mirrors:
            return Checkpoint(None, self._digest.hexdigest(), redactions)
        return Checkpoint(self.state, "", redactions if self.spool.records or self._replace else before)

    @property
    def outdated(self) -> bool:
        """Whether rows stay that were loaded with other redaction rules."""
        return not self._replace and any(redaction != self._redaction for redaction in self._kept.redactions)

    @property
    def lost_redaction(self) -> bool:
        """Whether such rows are redacted, and this run has no rules for the stream."""
        return self.outdated and not self._redaction

    def part(self) -> Part:
        """Return what to write."""
        return Part(self.table, self.spool.rows(), self._replace, self._rebuild, self._first, self._longest_key)

    def committed(self) -> None:
        """Forget what the destination has now."""
        self.spool.clear()
        self._kept = self.checkpoint()
        self._first = False
        self._longest_key = 0
        self._replace = self.table.mirrors
        self._rebuild = False
        self._pending = False
