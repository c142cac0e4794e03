"""A request to the Chat API as a value, on its way from a reader to the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
MAX_ATTEMPTS: Final = 6  # 1 + 2 + 4 + 8 + 16 seconds of waiting: a short outage is overcome, a long one reported
FEW_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """One GET, and how its answer is decoded.

    Attributes:
        path: Below ``/api/v2/chat/``, without a leading slash.
        params: Query parameters.
        decode: Turns the body of an answer into a value. It MUST raise ``msgspec.DecodeError`` for an unreadable body and
            ``EnvelopeError`` for one of another shape: both are asked for again.
        attempts: How often it is sent before it fails with a server or network error. A caller that has a smaller request to
            fall back on gives ``FEW_ATTEMPTS``.
    """

    path: str
    decode: Callable[[bytes], T_co]
    params: Mapping[str, str | int] = field(default_factory=dict)
    attempts: int = MAX_ATTEMPTS
