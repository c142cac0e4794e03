"""A request to the Chat API as a value, from a reader to the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
MAX_ATTEMPTS: Final = 6  # waits of 1 + 2 + 4 + 8 + 16 seconds: enough for a short outage; a long one is reported
FEW_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """One GET, and how to decode its response.

    Attributes:
        path: The path below ``/api/v2/chat/``, without a leading slash.
        params: Query parameters.
        decode: Converts the body of a response into a value. It MUST raise ``msgspec.DecodeError`` for an unreadable body and
            ``EnvelopeError`` for an unexpected structure. Both are retried.
        attempts: How often it is sent before it fails with a server or network error. A caller that can fall back on a
            smaller request passes ``FEW_ATTEMPTS``.
    """

    path: str
    decode: Callable[[bytes], T_co]
    params: Mapping[str, str | int] = field(default_factory=dict)
    attempts: int = MAX_ATTEMPTS
