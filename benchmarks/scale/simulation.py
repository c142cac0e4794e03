"""Simulates the syncs of many accounts: a queue for workers, then requests in turns with CPU time. Time is virtual."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Final, TypeAlias

import simpy

from benchmarks.scale.costs import SyncCosts
from benchmarks.scale.population import SEED, Account
from benchmarks.scale.virtual_time import Connection, Quota
from benchmarks.scale.ways import Way

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
TRANSIENT_SHARE: Final = 0.05  # of the syncs: they fail half-way, and another try completes them
LATENCY_SECONDS: Final = 0.3
PAGES_A_STEP: Final = 10  # of a backfill: their CPU time is used in one piece, to simulate less
Steps: TypeAlias = Generator[simpy.Event, object, None]
Tries: TypeAlias = Generator[simpy.Event, object, "Sync | None"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all ways of running share.

    Attributes:
        hours: How many times each account is due; 0 for one first load of the complete history.
        spread: Each account has its own second of the hour. Otherwise all are due at once.
    """

    costs: SyncCosts
    hours: int = 3
    spread: bool = False
    latency_seconds: float = LATENCY_SECONDS
    transient_share: float = TRANSIENT_SHARE


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync that succeeded. All times are seconds of the simulation."""

    account: int
    due: float
    began: float
    ended: float


@dataclass(slots=True)
class Outcome:
    """What happened. ``cpu_seconds`` and ``requests`` are of all tries."""

    syncs: list[Sync] = field(default_factory=list)
    failed_tries: int = 0
    cpu_seconds: float = 0.0
    requests: int = 0
    refusals: int = 0
    longest_queue: int = 0
    most_at_work: int = 0
    waiting_at_end: int = 0


class Simulation:
    """One way of running, with its accounts. Use it once."""

    def __init__(
        self,
        way: Way,
        accounts: Sequence[Account],
        conditions: Conditions,
        on_request: Callable[[int, float], object] = lambda _account, _time: None,
    ) -> None:
        self._way, self._accounts, self._conditions = way, accounts, conditions
        self._chance = random.Random(SEED)
        self._environment = simpy.Environment()
        self._scheduler = simpy.Resource(self._environment, 1)
        self._slots = simpy.Resource(self._environment, way.slots)
        self._cores = simpy.Resource(self._environment, way.cores)
        self._outcome = Outcome()
        self._quotas = [
            Quota(lambda time, account=number: on_request(account, time))  # type: ignore[misc]  # the default binds it now
            for number in range(len(accounts))
        ]
        self._waiting = 0

    def run(self) -> Outcome:
        """Simulate until the last hour has ended, or until the first load is complete."""
        for number in range(len(self._accounts)):
            self._environment.process(self._account(number))
        hours = self._conditions.hours
        self._environment.run(until=hours * HOUR if hours else None)
        self._outcome.waiting_at_end = self._waiting
        self._outcome.requests = sum(quota.requests for quota in self._quotas)
        self._outcome.refusals = sum(quota.refusals for quota in self._quotas)
        return self._outcome

    def _account(self, number: int) -> Steps:
        """Sync an account each hour. While one sync waits or runs, no other one of the account starts."""
        account, environment = self._accounts[number], self._environment
        due = account.second if self._conditions.spread else 0.0
        read_until = due - HOUR
        while True:
            if environment.now < due:
                yield environment.timeout(due - environment.now)
            sync = yield from self._tries(number, due, read_until)
            if sync:
                self._outcome.syncs.append(sync)
                read_until = sync.began
            if not self._conditions.hours:
                return
            due += HOUR * max(1, floor((environment.now - due) / HOUR))  # of several that were missed, the last one starts

    def _tries(self, number: int, due: float, read_until: float) -> Tries:
        """Try a sync until it succeeds, or the scheduler gives up until the next hour."""
        account, environment = self._accounts[number], self._environment
        for retry in range(1 + self._way.retries):
            if retry:
                yield environment.timeout(self._way.retry_seconds)
            self._wait(+1)
            yield from self._wait_for_scheduler()
            with self._slots.request() as slot:
                yield slot
                self._wait(-1)
                self._outcome.most_at_work = max(self._outcome.most_at_work, self._slots.count)
                yield environment.timeout(self._way.start_seconds)
                began = environment.now
                fails = account.refused or self._chance.random() < self._conditions.transient_share
                yield from self._sync(number, began - read_until, fails=fails)
            if not fails:
                return Sync(number, due, began, environment.now)
            self._outcome.failed_tries += 1
            if account.refused:
                break
        return None

    def _wait(self, change: int) -> None:
        self._waiting += change
        free_slots = self._way.slots - self._slots.count
        self._outcome.longest_queue = max(self._outcome.longest_queue, self._waiting - free_slots)

    def _wait_for_scheduler(self) -> Steps:
        if self._way.starts_a_second:
            with self._scheduler.request() as turn:
                yield turn
                yield self._environment.timeout(1 / self._way.starts_a_second)

    def _sync(self, number: int, seconds: float, *, fails: bool) -> Steps:
        """One try: the start of its process, then rounds of concurrent requests, each followed by CPU time."""
        account, costs = self._accounts[number], self._conditions.costs
        if self._way.own_process:
            yield from self._compute(costs.start_cpu_seconds)
        connection = Connection(self._quotas[number], self._conditions.latency_seconds)
        if account.refused:
            yield from self._wait_until(connection.send(self._environment.now, 1))
            return
        chats = self._new_chats(account, seconds)
        share = 0.5 if fails else 1.0
        cpu_seconds = costs.cpu_seconds_for(chats) * share
        rounds = max(1, round(costs.rounds_for(chats) * share))
        requests = max(rounds, round(costs.requests_for(chats) * share))
        for in_turn, at_once in plan_steps(rounds, requests):
            sent = connection.send_in_turn(self._environment.now, in_turn - 1)
            yield from self._wait_until(connection.send(sent, at_once))
            yield from self._compute(cpu_seconds * in_turn / rounds)

    def _new_chats(self, account: Account, seconds: float) -> int:
        if not self._conditions.hours:
            return account.history
        expected = account.chats_a_day * seconds / DAY
        return floor(expected) + (self._chance.random() < expected % 1)

    def _wait_until(self, time: float) -> Steps:
        yield self._environment.timeout(max(0.0, time - self._environment.now))

    def _compute(self, seconds: float) -> Steps:
        self._outcome.cpu_seconds += seconds
        with self._cores.request() as core:
            yield core
            yield self._environment.timeout(seconds)


def plan_steps(rounds: int, requests: int) -> list[tuple[int, int]]:
    """Divide requests into steps of ``in_turn`` requests that wait for each other, the last of them with others beside it.

    Returns a list of ``(in_turn, at_once)``: ``at_once`` counts the last one and those beside it. A short sync has a step for
    each round; a backfill has one for ten pages.

    Example: 3 rounds, 7 requests -> (1, 3), (1, 2), (1, 2).
    """
    pages = PAGES_A_STEP if rounds > 2 * PAGES_A_STEP else 1
    steps = [min(pages, rounds - begun) for begun in range(0, rounds, pages)]
    beside, more = divmod(requests - rounds, len(steps))
    return [(in_turn, 1 + beside + (index < more)) for index, in_turn in enumerate(steps)]
