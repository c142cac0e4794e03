"""How far a streaming query has read each account, as Spark stores it in its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zendesk_chat.errors import StateError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.spark.options import named
from zendesk_chat.streams.stream import StateBlob

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
        StateError: It was written by another query, or by a newer version.
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
    return Offset(stream, states)
