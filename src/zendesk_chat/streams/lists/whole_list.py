"""Lists that arrive in one response."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.lists.keyed import KeyedList
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, StateBlob


@dataclass(frozen=True, slots=True)
class WholeList(KeyedList):
    """A list that arrives in one response. ``extract`` returns its records."""

    extract: Callable[[bytes], Sequence[msgspec.Raw]]

    def read(self, fetch: Fetch, positions: Sequence[None], _bounds: Bounds) -> Iterator[Sequence[Batch[None]]]:
        """Read the list as one page."""
        rows = fetch(Request(self.path, self.extract))
        found = self.keyed(rows)
        if rows and not found:
            raise self.no_object()
        skipped = len(rows) - len(found)
        batch = Batch([keyed.record for keyed in found], None, len(rows), self.notes(found, skipped), outside=skipped)
        yield [batch for _ in positions]

    def probe(self, _bounds: Bounds) -> Request[object]:
        """Return a request for the list: there is no smaller one."""
        return Request(self.path, self.extract, attempts=FEW_ATTEMPTS)

    def load_state(self, _stream: str, _cursor_field: str, _state: StateBlob) -> None:
        """Return None: the list is always read from the beginning."""

    def dump_state(self, _cursor_field: str, _position: None) -> StateBlob:
        """Return an empty state."""
        return {}
