"""What was measured, and its medians."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

import msgspec

Case = tuple[str, int, int]  # program, chats, latency in milliseconds


class Run(msgspec.Struct, kw_only=True):
    """One run of one program. ``problem`` is why it does not count; it is empty when every chat came exactly once."""

    program: str
    chats: int
    latency_ms: int
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    first_record_seconds: float | None
    requests: int
    refused: int
    server_cpu_seconds: float
    problem: str = ""

    @property
    def case(self) -> Case:
        """What it is a repetition of."""
        return self.program, self.chats, self.latency_ms


class Start(msgspec.Struct, kw_only=True):
    """The cold starts of one command."""

    command: str
    wall_seconds: list[float]
    peak_mb: list[float]


class Results(msgspec.Struct, kw_only=True):
    """One run of the benchmark. ``machine`` are lines of name and value."""

    machine: dict[str, str]
    quick: bool
    minutes: float
    runs: list[Run]
    starts: list[Start]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The medians of the rounds of one case."""

    rounds: int
    wall_seconds: float
    fastest_seconds: float
    slowest_seconds: float
    cpu_seconds: float
    peak_mb: float
    first_record_seconds: float | None
    requests: float
    refused: float
    problems: tuple[str, ...]


def figures_of(runs: Iterable[Run]) -> dict[Case, Figures]:
    """The figures of each case, in the order of the first runs."""
    cases: dict[Case, list[Run]] = {}
    for run in runs:
        cases.setdefault(run.case, []).append(run)
    return {case: _figures(rounds) for case, rounds in cases.items()}


def _figures(rounds: Sequence[Run]) -> Figures:
    def middle(value: Callable[[Run], float]) -> float:
        return median(map(value, rounds))

    firsts = [run.first_record_seconds for run in rounds if run.first_record_seconds is not None]
    return Figures(
        rounds=len(rounds),
        wall_seconds=middle(lambda run: run.wall_seconds),
        fastest_seconds=min(run.wall_seconds for run in rounds),
        slowest_seconds=max(run.wall_seconds for run in rounds),
        cpu_seconds=middle(lambda run: run.cpu_seconds),
        peak_mb=middle(lambda run: run.peak_mb),
        first_record_seconds=median(firsts) if firsts else None,
        requests=middle(lambda run: run.requests),
        refused=middle(lambda run: run.refused),
        problems=tuple(run.problem for run in rounds if run.problem),
    )
