"""From measured syncs to the costs that the simulation uses, and a check of the simulation against measured runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.scale.costs import SyncCosts
from benchmarks.scale.crowd import ACCOUNTS, FEW, LATENCY_SECONDS, PARALLEL, CrowdRun
from benchmarks.scale.population import Account
from benchmarks.scale.results import Prediction
from benchmarks.scale.simulation import Conditions, Simulation
from benchmarks.scale.single import NEW_CHATS, SIZES, SingleSync
from benchmarks.scale.ways import ONE_MACHINE


def fit_costs(single: Sequence[SingleSync], crowd: Sequence[CrowdRun]) -> SyncCosts:
    """Separate the start of a process from a sync, and a chat from the rest.

    A process that syncs one account costs a start and a sync; one that syncs 20 costs a start and 20 syncs.
    """
    small, large = sorted(SIZES)
    idle = _single(single, "nothing new", large)
    per_chat = (_cpu(single, "first", large) - _cpu(single, "first", small)) / (large - small)
    idle_cpu = (_crowd(crowd, "nothing new", 1).cost.cpu_seconds - idle.cost.cpu_seconds) / (ACCOUNTS - 1)
    few_new = next(sync for sync in single if (sync.streams, sync.kind, sync.new_chats) == ("all", "new", min(NEW_CHATS)))
    loading_cpu = (_crowd(crowd, "new", 1).cost.cpu_seconds - few_new.cost.cpu_seconds) / (ACCOUNTS - 1) - FEW * per_chat
    return SyncCosts(
        requests=idle.requests,
        rounds=idle.rounds,
        idle_cpu_seconds=round(idle_cpu, 4),
        loading_cpu_seconds=round(max(idle_cpu, loading_cpu), 4),
        cpu_seconds_per_chat=round(per_chat, 7),
        start_cpu_seconds=round(idle.cost.cpu_seconds - idle_cpu, 4),
    )


def fit_slowness(costs: SyncCosts, crowd: Sequence[CrowdRun]) -> float:
    """Return how long a second of CPU time took when one account was loaded at a time, apart from waits for responses."""
    waits = ACCOUNTS * costs.rounds * LATENCY_SECONDS
    cpu_seconds = costs.start_cpu_seconds + ACCOUNTS * costs.idle_cpu_seconds
    return round((_crowd(crowd, "nothing new", 1).cost.wall_seconds - waits) / cpu_seconds, 3)


def predict(costs: SyncCosts, slowness: float, crowd: Sequence[CrowdRun]) -> list[Prediction]:
    """Simulate the measured runs that find nothing new. Only the first one was used to fit the simulation."""
    slow = SyncCosts(
        requests=costs.requests,
        rounds=costs.rounds,
        idle_cpu_seconds=costs.idle_cpu_seconds * slowness,
        loading_cpu_seconds=costs.loading_cpu_seconds * slowness,
        cpu_seconds_per_chat=costs.cpu_seconds_per_chat * slowness,
        start_cpu_seconds=costs.start_cpu_seconds * slowness,
    )
    conditions = Conditions(slow, hours=0, latency_seconds=LATENCY_SECONDS, transient_share=0)
    without_chats = [Account(chats_a_day=0)] * ACCOUNTS
    predictions = []
    for parallel in PARALLEL:
        outcome = Simulation(replace(ONE_MACHINE, slots=parallel), without_chats, conditions).run()
        predictions.append(
            Prediction(
                parallel=parallel,
                measured_seconds=_crowd(crowd, "nothing new", parallel).cost.wall_seconds,
                simulated_seconds=round(slow.start_cpu_seconds + max(sync.ended for sync in outcome.syncs), 2),
            )
        )
    return predictions


def _single(single: Sequence[SingleSync], kind: str, history: int) -> SingleSync:
    return next(sync for sync in single if (sync.streams, sync.kind, sync.history) == ("all", kind, history))


def _cpu(single: Sequence[SingleSync], kind: str, history: int) -> float:
    return _single(single, kind, history).cost.cpu_seconds


def _crowd(crowd: Sequence[CrowdRun], kind: str, parallel: int) -> CrowdRun:
    """The fastest run of a kind."""
    runs = [run for run in crowd if (run.kind, run.parallel) == (kind, parallel)]
    return min(runs, key=lambda run: run.cost.wall_seconds)
