"""Which program is run how often, on how many chats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchmarks.programs import BARE, CDK_DECLARATIVE, CDK_HTTP, EVERYTHING, MORE, PROGRAMS, READ, SYNC, Program

API_LIMIT: Final = 200  # requests a minute, as Zendesk's
NO_LIMIT: Final = 0
OWN: Final = (BARE, READ, SYNC)
ON_CDK: Final = (CDK_DECLARATIVE, CDK_HTTP)


@dataclass(frozen=True, slots=True)
class Task:
    """The programs that are compared under one condition, one after the other in each round.

    Attributes:
        chats: In the account.
        latency_ms: That the server waits before each answer.
        programs: And in how many rounds each takes part.
        limit: Requests a minute that the server answers; 0 for any number.
    """

    chats: int
    latency_ms: int
    programs: dict[Program, int]
    limit: int = API_LIMIT


FULL: Final = (
    Task(10_000, 0, dict.fromkeys(PROGRAMS, 2)),
    Task(10_000, 300, dict.fromkeys(PROGRAMS, 1)),
    Task(40_000, 0, {**dict.fromkeys((*OWN, *MORE), 3), **dict.fromkeys(ON_CDK, 1)}),
    Task(40_000, 300, dict.fromkeys(OWN, 1)),
    Task(40_000, 1000, {BARE: 1, READ: 1}),
    Task(120_000, 0, {BARE: 1, EVERYTHING: 1}),
    Task(160_000, 0, {**dict.fromkeys(OWN, 2), **dict.fromkeys(ON_CDK, 1)}),
    Task(400_000, 0, {BARE: 1, READ: 1, SYNC: 1, EVERYTHING: 1}, NO_LIMIT),  # 401 requests in seconds
)
QUICK: Final = (
    Task(10_000, 0, dict.fromkeys(PROGRAMS, 1)),
    Task(10_000, 300, dict.fromkeys(PROGRAMS, 1)),
    Task(40_000, 0, dict.fromkeys((*OWN, *MORE), 1)),
    Task(40_000, 300, dict.fromkeys(OWN, 1)),
)
STARTS: Final = 9
QUICK_STARTS: Final = 7
