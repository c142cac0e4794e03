"""How far a streaming query has read each account, as Spark stores it in its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zendesk_chat.errors import StateError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.spark.options import named
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import StateBlob

READ_AT: Final = "read_at"
"""The key of a list's state: it has no times, so that each read is complete."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset of a streaming query.

    Attributes:
        states: The state of the stream in each account, by its name. Accounts that were removed stay, so that they resume
            if they are added again.
    """

    stream: str
    states: Mapping[str, StateBlob]

    def to_json(self) -> dict[str, object]:
        """Return what Spark stores."""
        return {"version": _VERSION, "stream": self.stream, "accounts": dict(self.states)}


def parse_offset(stored: Mapping[str, object], stream: str) -> Offset:
    """Parse an offset of this stream.

    Raises:
        StateError: It was written by another query, or by a newer version, or a state in it is damaged.
    """
    states = stored.get("accounts")
    if not isinstance(states, Mapping) or not isinstance(stored.get("stream"), str):
        raise StateError("The checkpoint is not of this data source. Use another checkpointLocation.", stream=stream)
    if stored.get("version") != _VERSION:
        raise StateError("The checkpoint was written by a newer version of zendesk-chat. Upgrade it.", stream=stream)
    if stored["stream"] != stream:
        other = printable(str(stored["stream"]), LONGEST_NAME)
        raise StateError(
            f"The checkpoint is of the stream {other}, but {named('stream')} is {stream}. Use a checkpointLocation for each "
            "stream.",
            stream=stream,
        )
    for account, state in states.items():
        if not _is_readable(stream, state):
            raise StateError(
                f"The checkpoint has a damaged state of the account {printable(str(account), LONGEST_NAME)}. Restore the "
                "checkpoint, or use another checkpointLocation: then everything is read again.",
                stream=stream,
            )
    return Offset(stream, states)


def _is_readable(stream: str, state: object) -> bool:
    """Return whether a stored state is one of this stream."""
    if not isinstance(state, Mapping):
        return False
    if not isinstance(STREAMS[stream].source, Export):
        return isinstance(state.get(READ_AT), str)
    try:
        return STREAMS[stream].load_state(state) is not None
    except StateError:
        return False
