"""An index of encoded records by time and id, from which the incremental exports take their pages."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

Key = tuple[int, str]
"""Time in microseconds, and the id that orders records of one time."""


class Feed:
    """Records in ascending order of (time, id), each kept as the JSON bytes that go over the wire."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.bodies: dict[str, bytes] = {}
        self._times: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def load(self, records: Iterable[tuple[int, str, bytes]]) -> None:
        """Add many records at once."""
        for time_us, identity, body in records:
            self._times[identity] = time_us
            self.bodies[identity] = body
        self.keys = sorted((time_us, identity) for identity, time_us in self._times.items())

    def put(self, time_us: int, identity: str, body: bytes) -> None:
        """Add a record, or move and replace the one with this id."""
        self.remove(identity)
        insort(self.keys, (time_us, identity))
        self._times[identity] = time_us
        self.bodies[identity] = body

    def remove(self, identity: str) -> bool:
        """Remove a record; return whether it existed."""
        time_us = self._times.pop(identity, None)
        if time_us is None:
            return False
        del self.keys[bisect_left(self.keys, (time_us, identity))]
        del self.bodies[identity]
        return True

    def first_at(self, time_us: int) -> int:
        """Return the position of the first record at or after a time."""
        return bisect_left(self.keys, (time_us, ""))

    def first_beyond(self, time_us: int) -> int:
        """Return the position of the first record after a time."""
        return bisect_left(self.keys, (time_us + 1, ""))

    def position(self, key: Key, *, beyond: bool) -> int:
        """Return the position of the first record at or after a key, or only after it."""
        return bisect_right(self.keys, key) if beyond else bisect_left(self.keys, key)
