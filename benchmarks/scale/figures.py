"""Figures of a simulation: how late and how old the data is, and what it needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from benchmarks.scale.population import Account
from benchmarks.scale.simulation import HOUR, Outcome, Sync
from benchmarks.scale.ways import Way

SAMPLES_AN_HOUR: Final = 12


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulation showed. Minutes are of virtual time.

    Attributes:
        schedule: "spread", "at once" or "first load".
        fresh_minutes: From the time that a sync was due until its records were visible: the slowest account.
        age_minutes: Median, 95th percentile and maximum of the age of an account's data, without accounts with a refused token.
        cpu_cores: CPU time divided by the time.
    """

    way: str
    slots: int
    accounts: int
    schedule: str
    fresh_minutes: float
    age_minutes: tuple[float, float, float]
    longest_queue: int
    waiting_at_end: int
    most_at_work: int
    memory_gb: float
    cpu_cores: float
    requests: int
    refusals: int
    failed_tries: int


def figures_of(way: Way, accounts: Sequence[Account], schedule: str, outcome: Outcome, hours: int) -> Figures:
    """The figures of a simulation; ``hours`` is 0 for a first load."""
    visible = visible_times(outcome.syncs, together=way.commits_together)
    last_due = max((sync.due for sync in outcome.syncs), default=0.0) // HOUR * HOUR
    minutes = [(visible[sync] - sync.due) / 60 for sync in outcome.syncs if sync.due >= last_due]
    end = hours * HOUR if hours else max(visible.values())
    ages = ages_of(visible, [number for number, each in enumerate(accounts) if not each.refused], end) if hours else [0.0]
    return Figures(
        way=way.name,
        slots=way.slots,
        accounts=len(accounts),
        schedule=schedule,
        fresh_minutes=round(max(minutes), 2),
        age_minutes=(percentile(ages, 0.5), percentile(ages, 0.95), percentile(ages, 1)),
        longest_queue=outcome.longest_queue,
        waiting_at_end=outcome.waiting_at_end,
        most_at_work=outcome.most_at_work,
        memory_gb=round((way.base_mb + outcome.most_at_work * way.sync_mb) / 1024, 2),
        cpu_cores=round(outcome.cpu_seconds / end, 4),
        requests=outcome.requests,
        refusals=outcome.refusals,
        failed_tries=outcome.failed_tries,
    )


def visible_times(syncs: Sequence[Sync], *, together: bool) -> dict[Sync, float]:
    """Return when the records of each sync became visible: at its end, or at the end of the last sync that was due with it."""
    ends: defaultdict[float, float] = defaultdict(float)
    for sync in syncs:
        ends[sync.due] = max(ends[sync.due], sync.ended)
    return {sync: ends[sync.due] if together else sync.ended for sync in syncs}


def ages_of(visible: Mapping[Sync, float], accounts: Sequence[int], end: float) -> list[float]:
    """Return the age of each account's data in minutes, at 12 times of the last hour.

    Data is as old as the beginning of the last sync whose records are visible. Before the simulation, each account was read
    an hour before its first sync was due.
    """
    of_account: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for sync, time in visible.items():
        of_account[sync.account].append((time, sync.began))
    times = [end - HOUR * (index + 1) / SAMPLES_AN_HOUR for index in range(SAMPLES_AN_HOUR)]
    return [
        (time - max((began for seen, began in of_account[account] if seen <= time), default=-HOUR)) / 60
        for account in accounts
        for time in times
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return round(ordered[max(0, -int(-share * len(ordered) // 1) - 1)], 2)
