"""An export that is read from one position up to a later one: what a run read that went from one to the other.

Example, with times as hours: a run read from 10:00 on, and stored 18:00 as ``complete_until`` and chat-7, at 18:05, as a recent
record. Read up to this position, the export has the records from 10:00 to 18:00 and chat-7, as long as they have not changed
since. A record that has changed is later now, so that a read from 18:00 on has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import msgspec

from zendesk_chat.errors import TransientError
from zendesk_chat.redaction.rules import Redaction
from zendesk_chat.request import Request
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.shared_pages import common_position, covers
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US, digest, iso_seconds
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds, RawRecord, StateBlob

CLOCKS_DIFFER_US: Final = 30 * SECOND_US
"""How much later this run may assume Zendesk's time to be than the run that stored ``until``. It is a part of the lookback."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The source of a stream that is read up to a position, and no further.

    The last batch has this position, so that reads up to one position after another leave no gap. Only if it has records of the
    last five minutes, the last batch may have an earlier one.
    """

    export: Export
    until: ExportPosition = field(hash=False)

    def read(
        self, fetch: AnyFetcher, positions: Sequence[ExportPosition | None], bounds: Bounds
    ) -> Iterator[Sequence[Batch[ExportPosition]]]:
        """Read the records before ``until`` that are after each position.

        Raises:
            TransientError: Records before ``until`` may still become visible. No batch has the position ``until``.
        """
        until = self.until
        if any(position is not None and until.complete_until < position.complete_until for position in positions):
            yield [Batch((), position or until, 0, progress=1.0) for position in positions]
            return
        last = max(until.complete_until, *(time + 1 for time, _ in until.recent.values()), *chain(*until.completed_ranges), 0)
        end = -(-last // SECOND_US)  # rounded up to a second
        is_shorter = bounds.end is not None and bounds.end < end
        for batches in self.export.read(fetch, positions, bounds if is_shorter else replace(bounds, end=end)):
            yield [self._part(batch) for batch in batches]
        if is_shorter:
            return
        times = RunTimes.of(bounds, self.export.unit)  # only now: the first response may have corrected the clock
        if times.overlap_from + CLOCKS_DIFFER_US < until.complete_until:
            raise TransientError(
                f"{self.export.stream}: Zendesk may still add records before {iso_seconds(until.complete_until)}, "
                "up to which you read. Run again later."
            )
        if last <= times.latest:  # otherwise the API may have refused to return the last records, because they are too recent
            yield [Batch((), until, 0, progress=1.0, pages=0) for _ in positions]

    def _part(self, batch: Batch[ExportPosition]) -> Batch[ExportPosition]:
        """Return the part of a batch that is before ``until``."""
        records = [record for record in batch.records if self._includes(record)]
        position = common_position([replace(self.until, complete_from=batch.position.complete_from), batch.position])
        outside = batch.outside + len(batch.records) - len(records)
        return replace(batch, records=records, position=position, outside=outside)

    def _includes(self, record: RawRecord) -> bool:
        row = self.export.row(msgspec.Raw(record))
        if row is None or row.time is None or covers(self.until, row.time):
            return True
        known = self.until.recent.get(row.key)
        return known is not None and known[1] == digest(record)

    def probe(self, bounds: Bounds) -> Request[object]:
        """Return the same request as the export."""
        return self.export.probe(bounds)

    def load_state(self, stream: str, cursor_field: str, state: StateBlob) -> ExportPosition | None:
        """Parse a state of the export. Raises StateError."""
        return self.export.load_state(stream, cursor_field, state)

    def dump_state(self, cursor_field: str, position: ExportPosition) -> StateBlob:
        """Return a state of the export."""
        return self.export.dump_state(cursor_field, position)

    def redacted(self, redaction: Redaction) -> Replay:
        """Return the same for the redacted export."""
        return replace(self, export=self.export.redacted(redaction))
