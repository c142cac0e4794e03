"""What `make scale` stores: what was measured, and what the simulations showed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from benchmarks.scale.costs import SyncCosts
from benchmarks.scale.crowd import CrowdRun
from benchmarks.scale.figures import Figures
from benchmarks.scale.single import SingleSync

RESULTS: Final = Path(__file__).with_name("results.json")


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """A run of `sync --accounts`, measured and simulated."""

    parallel: int
    measured_seconds: float
    simulated_seconds: float

    @property
    def error(self) -> float:
        """The difference as a share of what was measured."""
        return self.simulated_seconds / self.measured_seconds - 1


class FirstLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The simulated first sync of one account."""

    chats: int
    requests: int
    minutes: float
    cpu_minutes: float


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `make scale`.

    Attributes:
        slowness: Wall time for each second of CPU time with one account at a time; more than 1 if the machine was busy.
    """

    machine: dict[str, str]
    single: list[SingleSync]
    crowd: list[CrowdRun]
    costs: SyncCosts
    slowness: float
    predictions: list[Prediction]
    first_loads: list[FirstLoad]
    hourly: list[Figures]
    loads: list[Figures]
    by_accounts: list[Figures]
    by_slots: list[Figures]


def read_results(path: Path = RESULTS) -> Results:
    """Read stored results."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
