"""The simulations of docs/scale.md."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.scale.costs import SyncCosts
from benchmarks.scale.figures import Figures, figures_of
from benchmarks.scale.population import HISTORY_DAYS, Account, make_accounts
from benchmarks.scale.results import FirstLoad
from benchmarks.scale.simulation import Conditions, Simulation
from benchmarks.scale.ways import AIRBYTE, AIRFLOW, CRONJOBS, ONE_MACHINE, SPARK, Way

HOURS: Final = 2  # the first one fills the queues, the second one counts
SPREAD: Final = "spread"
AT_ONCE: Final = "at once"
FIRST_LOAD: Final = "first load"
FIRST_SYNCS: Final = (10_000, 1_000_000, 10_000_000)  # chats
TWO_PROCESSES: Final = replace(ONE_MACHINE, name="one machine, 2 processes", slots=32, cores=2, base_mb=500)
FOUR_PROCESSES: Final = replace(ONE_MACHINE, name="one machine, 4 processes", slots=32, cores=4, base_mb=1000)
GROUPED: Final = replace(
    AIRFLOW,
    name="Airflow, 50 accounts a task",
    slots=16,  # tasks, each with one account at a time
    cores=8,
    start_seconds=AIRFLOW.start_seconds / 50,
    starts_a_second=AIRFLOW.starts_a_second * 50,
    own_process=False,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulation."""

    way: Way
    accounts: int
    schedule: str
    hours: int = HOURS


HOURLY: Final = (
    *(Scenario(way, 1, AT_ONCE) for way in (ONE_MACHINE, CRONJOBS, AIRFLOW, AIRBYTE, SPARK)),
    Scenario(ONE_MACHINE, 100, AT_ONCE),
    Scenario(CRONJOBS, 100, SPREAD),
    Scenario(CRONJOBS, 100, AT_ONCE),
    Scenario(AIRFLOW, 100, AT_ONCE),
    Scenario(AIRBYTE, 100, SPREAD),
    Scenario(AIRBYTE, 100, AT_ONCE),
    Scenario(SPARK, 100, AT_ONCE),
    Scenario(ONE_MACHINE, 10_000, AT_ONCE),
    Scenario(TWO_PROCESSES, 10_000, AT_ONCE),
    Scenario(CRONJOBS, 10_000, SPREAD),
    Scenario(CRONJOBS, 10_000, AT_ONCE),
    Scenario(AIRFLOW, 10_000, AT_ONCE),
    Scenario(GROUPED, 10_000, AT_ONCE),
    Scenario(AIRBYTE, 10_000, SPREAD),
    Scenario(AIRBYTE.with_slots(150), 10_000, SPREAD),
    Scenario(SPARK, 10_000, AT_ONCE),
    Scenario(SPARK.with_slots(16), 10_000, AT_ONCE),
)
LOADS: Final = (
    Scenario(ONE_MACHINE, 100, FIRST_LOAD, 0),
    Scenario(CRONJOBS, 100, FIRST_LOAD, 0),
    Scenario(FOUR_PROCESSES, 10_000, FIRST_LOAD, 0),
    Scenario(CRONJOBS, 10_000, FIRST_LOAD, 0),
)
BY_ACCOUNTS: Final = tuple(
    Scenario(way, accounts, AT_ONCE, 1)
    for way in (ONE_MACHINE, CRONJOBS, AIRFLOW, AIRBYTE, SPARK)
    for accounts in (1, 10, 100, 1_000)
)
BY_SLOTS: Final = tuple(
    Scenario(way.with_slots(slots), 1_000, AT_ONCE, 1)
    for way in (ONE_MACHINE, CRONJOBS, AIRFLOW, AIRBYTE)
    for slots in (4, 8, 16, 32, 64, 128, 256)
)


def simulate(scenarios: Sequence[Scenario], costs: SyncCosts) -> list[Figures]:
    """Run simulations, as many at a time as there are cores."""
    with ProcessPoolExecutor(os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) as pool:
        return list(pool.map(_simulate, scenarios, [costs] * len(scenarios)))


def simulate_first_syncs(costs: SyncCosts) -> list[FirstLoad]:
    """Simulate first syncs of one account, of several sizes."""
    conditions = Conditions(costs, hours=0, transient_share=0)
    loads = []
    for chats in FIRST_SYNCS:
        outcome = Simulation(ONE_MACHINE, [Account(chats / HISTORY_DAYS)], conditions).run()
        minutes, cpu_minutes = outcome.syncs[0].ended / 60, outcome.cpu_seconds / 60
        loads.append(
            FirstLoad(chats=chats, requests=outcome.requests, minutes=round(minutes, 1), cpu_minutes=round(cpu_minutes, 1))
        )
    return loads


def _simulate(scenario: Scenario, costs: SyncCosts) -> Figures:
    accounts = make_accounts(scenario.accounts)
    conditions = Conditions(costs, hours=scenario.hours, spread=scenario.schedule == SPREAD)
    outcome = Simulation(scenario.way, accounts, conditions).run()
    return figures_of(scenario.way, accounts, scenario.schedule, outcome, scenario.hours)
