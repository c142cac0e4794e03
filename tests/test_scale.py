"""The simulation of many accounts: known answers of small cases, the API's limit, and the page from the stored results."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale.calibration import fit_costs, fit_slowness
from benchmarks.scale.chart import COLOURS, draw_chart
from benchmarks.scale.costs import SyncCosts, minutes_of_quota
from benchmarks.scale.figures import ages_of, figures_of, percentile, visible_times
from benchmarks.scale.money import VOLUME_GB, dollars_a_month, machines_for
from benchmarks.scale.population import Account, make_accounts
from benchmarks.scale.report import POSTGRES_SECONDS, falls_behind, render
from benchmarks.scale.results import Results, read_results
from benchmarks.scale.simulation import HOUR, Conditions, Outcome, Simulation, Sync, plan_steps
from benchmarks.scale.virtual_time import Connection, Quota
from benchmarks.scale.ways import AIRBYTE, AIRFLOW, CRONJOBS, ONE_MACHINE, SPARK, Way
from tests.support.executable import ROOT

COSTS = SyncCosts(
    requests=32, rounds=6, idle_cpu_seconds=0.5, loading_cpu_seconds=1.0, cpu_seconds_per_chat=0.001, start_cpu_seconds=2.0
)
STEADY = Conditions(COSTS, hours=1, latency_seconds=1.0, transient_share=0)
WITHOUT_CHATS = Account(chats_a_day=0)
ONE_BY_ONE = Way("test", slots=1, cores=1, own_process=False)


def simulate(way: Way, accounts: list[Account], conditions: Conditions = STEADY) -> Outcome:
    return Simulation(way, accounts, conditions).run()


def ends(outcome: Outcome) -> list[float]:
    return sorted(sync.ended for sync in outcome.syncs)


@pytest.fixture(scope="module")
def stored() -> Results:
    return read_results()


def test_one_account_takes_its_rounds_and_its_cpu_time() -> None:
    outcome = simulate(ONE_BY_ONE, [WITHOUT_CHATS])
    assert ends(outcome) == [pytest.approx(6 * 1.0 + 0.5)]
    assert (outcome.requests, outcome.refusals, outcome.longest_queue) == (32, 0, 0)


def test_a_process_of_its_own_starts_first() -> None:
    way = replace(ONE_BY_ONE, own_process=True, start_seconds=5)
    assert ends(simulate(way, [WITHOUT_CHATS])) == [pytest.approx(5 + 2.0 + 6.5)]


def test_two_accounts_wait_for_one_worker_and_not_for_two() -> None:
    accounts = [WITHOUT_CHATS] * 2
    assert ends(simulate(ONE_BY_ONE, accounts)) == pytest.approx([6.5, 13.0])
    assert ends(simulate(replace(ONE_BY_ONE, slots=2, cores=2), accounts)) == pytest.approx([6.5, 6.5])


def test_accounts_of_one_process_share_its_core() -> None:
    busy = Conditions(replace_costs(idle_cpu_seconds=60.0), hours=1, latency_seconds=0, transient_share=0)
    assert max(ends(simulate(replace(ONE_BY_ONE, slots=4), [WITHOUT_CHATS] * 4, busy))) == pytest.approx(4 * 60)
    assert max(ends(simulate(replace(ONE_BY_ONE, slots=4, cores=4), [WITHOUT_CHATS] * 4, busy))) == pytest.approx(60)


def replace_costs(**changes: float) -> SyncCosts:
    values = {name: getattr(COSTS, name) for name in COSTS.__struct_fields__}
    return SyncCosts(**(values | changes))


def test_the_scheduler_starts_one_sync_after_the_other() -> None:
    way = replace(ONE_BY_ONE, slots=10, cores=10, starts_a_second=0.1)
    assert ends(simulate(way, [WITHOUT_CHATS] * 3)) == pytest.approx([16.5, 26.5, 36.5])


def test_a_refused_token_takes_one_request_and_is_not_tried_again() -> None:
    outcome = simulate(replace(ONE_BY_ONE, retries=3), [replace(WITHOUT_CHATS, refused=True)])
    assert (outcome.syncs, outcome.requests, outcome.failed_tries) == ([], 1, 1)


def test_a_sync_that_fails_is_tried_again_as_often_as_the_way_does() -> None:
    always = Conditions(COSTS, hours=1, latency_seconds=1.0, transient_share=1)
    assert simulate(ONE_BY_ONE, [WITHOUT_CHATS], always).failed_tries == 1
    assert simulate(replace(ONE_BY_ONE, retries=3, retry_seconds=10), [WITHOUT_CHATS], always).failed_tries == 4


def test_an_account_that_is_still_waiting_is_not_due_a_second_time() -> None:
    slow = Conditions(replace_costs(idle_cpu_seconds=1.5 * HOUR), hours=4, latency_seconds=0, transient_share=0)
    outcome = simulate(ONE_BY_ONE, [WITHOUT_CHATS], slow)
    assert [sync.due for sync in outcome.syncs] == [0, HOUR]
    assert ends(outcome) == pytest.approx([1.5 * HOUR, 3 * HOUR])


def test_a_backfill_is_as_fast_as_the_quota_allows() -> None:
    quota = Quota()
    ended = Connection(quota, latency_seconds=0).send_in_turn(0, 1000)
    assert 4 * 60 <= ended <= 4 * 61
    assert (quota.requests, quota.refusals) == (1000, 0)


def test_a_second_process_meets_the_quota_that_the_first_one_used() -> None:
    quota = Quota()
    Connection(quota, latency_seconds=0).send(0, 150)
    ended = Connection(quota, latency_seconds=0).send(1, 100)
    assert quota.refusals > 0
    assert quota.requests == 250
    assert ended >= 60


@given(
    chats=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=4),
    latency=st.sampled_from([0.0, 0.05, 0.3]),
    failing=st.sampled_from([0.0, 0.5]),
)
def test_no_account_starts_more_than_200_requests_in_a_minute(chats: list[int], latency: float, failing: float) -> None:
    starts: defaultdict[int, list[float]] = defaultdict(list)
    conditions = Conditions(COSTS, hours=0, latency_seconds=latency, transient_share=failing)
    accounts = [Account(chats_a_day=count / 1095) for count in chats]
    way = replace(CRONJOBS, starts_a_second=0, start_seconds=0)
    Simulation(way, accounts, conditions, lambda account, time: starts[account].append(time)).run()
    for times in starts.values():
        assert times == sorted(times)
        assert all(later - earlier >= 60 for earlier, later in zip(times, times[200:], strict=False))


@given(count=st.integers(1, 40), slots=st.integers(1, 8), more=st.integers(1, 8))
def test_more_workers_never_make_it_later(count: int, slots: int, more: int) -> None:
    accounts = make_accounts(count)
    fewer = simulate(replace(ONE_BY_ONE, slots=slots, cores=slots), accounts)
    many = simulate(replace(ONE_BY_ONE, slots=slots + more, cores=slots + more), accounts)
    assert max(ends(many), default=0) <= max(ends(fewer), default=0) + 1.0  # a new chat more or less takes its CPU time


@given(st.integers(1, 200), st.integers(0, 500))
def test_the_steps_of_a_sync_are_all_of_its_requests(rounds: int, more: int) -> None:
    steps = plan_steps(rounds, rounds + more)
    assert sum(in_turn for in_turn, _ in steps) == rounds
    assert sum(in_turn - 1 + at_once for in_turn, at_once in steps) == rounds + more


def test_short_syncs_have_a_step_for_each_round() -> None:
    assert plan_steps(3, 7) == [(1, 3), (1, 2), (1, 2)]
    assert plan_steps(25, 25) == [(10, 1), (10, 1), (5, 1)]


def test_a_simulation_is_the_same_each_time() -> None:
    conditions = Conditions(COSTS, hours=2, spread=True)
    first, second = (simulate(CRONJOBS, make_accounts(50), conditions) for _ in range(2))
    assert first == second


def test_most_accounts_are_small_and_a_few_are_large() -> None:
    rates = sorted(account.chats_a_day for account in make_accounts(1000))
    assert rates[500] == pytest.approx(20, rel=0.01)
    assert rates[-1] > 100 * rates[500]
    assert sum(account.refused for account in make_accounts(1000)) == 10
    assert [account.chats_a_day for account in make_accounts(1)] == pytest.approx([20])


def test_data_is_as_old_as_the_beginning_of_the_last_visible_sync() -> None:
    syncs = [Sync(0, 0, 10, 20), Sync(0, HOUR, HOUR + 10, HOUR + 20), Sync(1, HOUR, HOUR + 30, HOUR + 600)]
    alone = ages_of(visible_times(syncs, together=False), [0], 2 * HOUR)
    assert max(alone) == pytest.approx((HOUR - 10) / 60)  # at the time of the first sample, before the second sync is visible
    together = visible_times(syncs, together=True)
    assert together[syncs[1]] == together[syncs[2]] == HOUR + 600
    assert ages_of({}, [0], HOUR) == [60 + 60 - 5 * (index + 1) for index in range(12)]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.95, 4), (1, 4), (0.25, 1)])
def test_percentiles_are_values_of_the_sample(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


def test_the_first_minute_of_a_quota_takes_no_time() -> None:
    assert [minutes_of_quota(requests, 200) for requests in (0, 200, 201, 2000)] == [0, 0, 1, 9]


def test_machines_follow_from_memory_or_cores() -> None:
    outcome = Outcome(syncs=[Sync(0, 0, 0, 60)], most_at_work=39)
    figures = figures_of(CRONJOBS, [WITHOUT_CHATS], "at once", outcome, 1)
    assert figures.memory_gb == pytest.approx(39 * 384 / 1024, abs=0.01)
    assert machines_for(figures, CRONJOBS) == 5  # ten cores on machines of two
    assert dollars_a_month(figures, CRONJOBS) == pytest.approx((5 * 0.0816 + 0.10) * 730)


def test_spark_shows_its_records_when_the_last_account_is_complete() -> None:
    accounts = [WITHOUT_CHATS, WITHOUT_CHATS, WITHOUT_CHATS]
    outcome = simulate(SPARK, accounts)
    assert set(visible_times(outcome.syncs, together=True).values()) == {max(ends(outcome))}


def test_costs_separate_the_start_of_a_process_from_a_sync(stored: Results) -> None:
    assert fit_costs(stored.single, stored.crowd) == stored.costs
    assert fit_slowness(stored.costs, stored.crowd) == stored.slowness
    single = next(each for each in stored.single if (each.kind, each.streams) == ("nothing new", "all") and each.history > 1000)
    assert stored.costs.start_cpu_seconds + stored.costs.idle_cpu_seconds == pytest.approx(single.cost.cpu_seconds, abs=0.001)


def test_the_page_and_its_chart_are_those_of_the_stored_results(stored: Results) -> None:
    assert (ROOT / "docs/scale.md").read_text() == render(stored)
    assert (ROOT / "docs/scale.svg").read_text() == draw_chart(stored)


def test_the_page_has_the_counted_requests_and_the_largest_error(stored: Results) -> None:
    page = " ".join((ROOT / "docs/scale.md").read_text().split())
    counted = {each.requests for each in stored.single if (each.kind, each.streams) == ("nothing new", "all")}
    assert counted == {stored.costs.requests}
    assert f"a sync that finds nothing new takes {stored.costs.requests} requests" in page
    assert f"{200 * 60 // stored.costs.requests} such syncs an hour" in page
    worst = max(abs(each.simulated_seconds / each.measured_seconds - 1) for each in stored.predictions)
    assert f"The largest difference is **{worst:.0%}**" in page


def test_ways_that_cannot_keep_up_are_marked_in_the_page(stored: Results) -> None:
    behind = [each for each in stored.hourly if falls_behind(each)]
    assert {(each.way, each.accounts) for each in behind} >= {("Airbyte", 10_000), ("Airflow", 10_000)}
    assert (ROOT / "docs/scale.md").read_text().count("**falls behind**") == len(behind)


def test_the_chart_has_a_line_for_each_way(stored: Results) -> None:
    chart = ET.fromstring(draw_chart(stored))
    lines = chart.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert {line.get("stroke") for line in lines} == set(COLOURS.values())


def test_the_default_of_parallel_and_the_recipes_are_those_of_the_simulation() -> None:
    def text(path: str) -> str:
        return Path(ROOT / path).read_text()

    assert f"parallel: Annotated[int, Meta(ge=1, le=64)] = {ONE_MACHINE.slots}" in text(
        "src/zendesk_chat/load/accounts/accounts_file.py"
    )
    assert f"maxSyncWorkers: {AIRBYTE.slots}" in text("deploy/airbyte/values.yaml")
    values = text("deploy/kubernetes/values.yaml")
    assert f"requests: {{ cpu: {1000 * CRONJOBS.cores // CRONJOBS.slots}m, memory: {CRONJOBS.sync_mb}Mi }}" in values
    assert f"  size: {VOLUME_GB}Gi" in values
    assert f"pools set zendesk_chat {AIRFLOW.slots} " in text("docs/many-accounts.md")


def test_the_times_into_postgres_are_those_of_the_page_of_destinations() -> None:
    idle, first = POSTGRES_SECONDS["idle"], POSTGRES_SECONDS["first"]
    lines = (ROOT / "docs/destinations.md").read_text().splitlines()
    (row,) = [line for line in lines if line.startswith("| Postgres | ") and " MB | " in line]
    assert row.split(" | ")[1] == f"{first} s"
    assert row.endswith(f" | {idle} s |")
    page = (ROOT / "docs/scale.md").read_text()
    assert f"({idle} + 6 x 0.3)" in page
    assert f"({first} + 22 x 0.3)" in page


def test_figures_of_a_first_load_have_no_ages() -> None:
    outcome = simulate(ONE_BY_ONE, [WITHOUT_CHATS], replace(STEADY, hours=0))
    figures = figures_of(ONE_BY_ONE, [WITHOUT_CHATS], "first load", outcome, 0)
    assert set(figures.age_minutes) == {0}
    assert figures.fresh_minutes == pytest.approx(6.5 / 60, abs=0.01)
