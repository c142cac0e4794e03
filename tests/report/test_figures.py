"""Every figure is that of the view that defines it, and that of an independent computation."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.loaded_account import CHATS, RECORDS, chat, first
from tests.support.reports import a_day, account_file, figures_of
from tests.support.synced import change
from zendesk_chat.report.figures import Figures, Group, Ranking

SPAN = date(2026, 3, 7), date(2026, 4, 5)
MORNING = datetime(2026, 2, 20, 0, 30)  # noqa: DTZ001  UTC, as all times of the records


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return account_file(tmp_path_factory.mktemp("figures") / "acme.duckdb")


@pytest.fixture(scope="module")
def figures(account: Path) -> Figures:
    return figures_of(account)


def answers(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query of the file's own views, for the period."""
    with duckdb.connect(str(path), read_only=True) as database:
        return database.execute(sql.replace("$period", f"day BETWEEN '{SPAN[0]}' AND '{SPAN[1]}'")).fetchall()


def test_the_totals_are_those_of_the_views(account: Path, figures: Figures) -> None:
    now = figures.now
    assert (figures.period.now.start, figures.period.now.end) == SPAN
    assert [(now.chats, now.missed)] == answers(
        account, "SELECT sum(chats), sum(missed) FROM analytics.missed_by_day WHERE $period"
    )
    ratings = (
        "SELECT sum(good), sum(bad), round(sum(good) / sum(good + bad), 4) FROM analytics.satisfaction_by_day WHERE $period"
    )
    assert [(now.good, now.bad, now.good_share)] == answers(account, ratings)
    responses = (
        "SELECT count(*), median(first_response_seconds), quantile_cont(first_response_seconds, 0.9) "
        "FROM analytics.chat_facts WHERE type = 'chat' AND first_response_seconds IS NOT NULL AND $period"
    )
    assert [(now.answered, now.first_response_seconds_p50, now.first_response_seconds_p90)] == answers(account, responses)
    goals = "SELECT sum(conversions) FROM analytics.conversions_by_goal WHERE $period"
    assert [(now.conversions,)] == answers(account, goals)
    offline = "SELECT sum(offline_messages) FROM analytics.chats_by_day WHERE $period"
    assert [(now.offline_messages,)] == answers(account, offline)


def test_the_steps_are_the_days_of_the_views(account: Path, figures: Figures) -> None:
    found = [(step.start, step.chats, step.missed) for step in figures.trend if step.chats]
    assert found == answers(account, "SELECT day, chats, missed FROM analytics.missed_by_day WHERE $period ORDER BY day")
    times = [
        (step.start, step.answered, step.first_response_seconds_p50, step.first_response_seconds_p90)
        for step in figures.trend
        if step.answered
    ]
    columns = "day, answered, first_response_seconds_p50, first_response_seconds_p90"
    assert times == answers(account, f"SELECT {columns} FROM analytics.response_times_by_day WHERE $period ORDER BY day")
    assert [step.start for step in figures.trend] == [SPAN[0] + timedelta(days=number) for number in range(30)]


def test_agents_are_those_of_the_views(account: Path, figures: Figures) -> None:
    assert figures.agents
    chats = "SELECT agent_id, agent, sum(chats) FROM analytics.chats_by_agent WHERE $period GROUP BY ALL ORDER BY ALL"
    found = sorted([(agent.id, agent.name, agent.chats) for agent in figures.agents if agent.chats], key=str)
    assert found == sorted(answers(account, chats), key=str)
    sums = "round(sum(online_hours), 6), round(sum(chatting_hours), 6)"
    hours = f"SELECT agent_id, {sums} FROM analytics.agent_hours WHERE $period GROUP BY ALL"
    with_hours = [
        (agent.id, agent.online_hours, agent.chatting_hours) for agent in figures.agents if agent.online_hours is not None
    ]
    assert sorted(with_hours, key=str) == sorted(answers(account, hours), key=str)
    ratings = (
        "SELECT agent_id, sum(good), sum(bad) FROM analytics.satisfaction_by_agent WHERE $period GROUP BY ALL ORDER BY ALL"
    )
    assert sorted((agent.id, agent.good, agent.bad) for agent in figures.agents if agent.good or agent.bad) == answers(
        account, ratings
    )


def test_groups_and_goals_are_those_of_the_account(figures: Figures) -> None:
    assert figures.departments
    assert figures.tags
    assert figures.countries
    assert figures.goals
    assert [(group.id, group.name, group.chats) for group in figures.departments.groups] == [
        ("1", "Orders", 3),
        ("2", "Billing", 2),
        (None, "(none)", 1),
    ]
    assert [(group.name, group.chats, group.good, group.bad) for group in figures.tags.groups] == [
        ("(none)", 4, 1, 0),
        ("refund", 2, 1, 1),
        ("vip", 1, 1, 0),
    ]
    assert [(group.id, group.name, group.chats) for group in figures.countries.groups] == [
        (None, "(none)", 2),
        ("PT", "Portugal", 2),
        (None, "Atlantis", 1),
        ("DE", "Germany", 1),
    ]
    assert [(goal.id, goal.name, goal.conversions, goal.converted_chats) for goal in figures.goals] == [
        ("500", "Checkout", 2, 2),
        ("501", "Trial", 1, 0),
    ]
    assert [(each.month, each.good, each.bad, each.good_share) for each in figures.satisfaction] == [
        (date(2026, 3, 1), 1, 1, 0.5),
        (date(2026, 4, 1), 1, 0, 1.0),
    ]
    hours = [(cell.weekday, cell.hour, cell.chats, cell.missed, cell.days, cell.chats_a_day) for cell in figures.hours]
    assert hours == [(2, 0, 1, 0, 4, 0.25), (4, 23, 1, 0, 4, 0.25), (5, 9, 3, 1, 5, 0.6), (5, 12, 1, 0, 5, 0.2)]
    assert figures.unreadable == 1


def test_another_time_zone_moves_days_and_hours(account: Path) -> None:
    moved = figures_of(account, time_zone="Asia/Tokyo")
    assert moved.period.time_zone == "Asia/Tokyo"
    assert [(step.start, step.chats) for step in moved.trend if step.chats] == [(date(2026, 3, 14), 5), (date(2026, 4, 1), 1)]
    assert {cell.hour for cell in moved.hours} == {8, 9, 18, 21}


def test_the_stored_time_zone_decides_when_a_day_was_over(tmp_path: Path) -> None:
    late = "2026-04-05 22:30:00+00"  # 6 April in Tokyo, so 5 April was over there
    records = {"chats": [a_day(1, "2026-04-04")]}
    tokyo = account_file(tmp_path / "tokyo.duckdb", records, completed=late, time_zone="Asia/Tokyo")
    utc = account_file(tmp_path / "utc.duckdb", records, completed=late)
    assert [figures_of(path).period.now.end for path in (tokyo, utc)] == [date(2026, 4, 5), date(2026, 4, 4)]


def test_views_that_a_user_dropped_or_replaced_change_nothing(account: Path, figures: Figures, tmp_path: Path) -> None:
    path = account_file(tmp_path / "acme.duckdb")
    change(path, "CREATE OR REPLACE VIEW analytics.chat_facts AS SELECT 1 AS one", "DROP VIEW analytics.agent_hours")
    mine = figures_of(path)
    assert (mine.now, mine.trend, mine.agents) == (figures.now, figures.trend, figures.agents)
    without = figures_of(account_file(tmp_path / "none.duckdb", views=False))
    assert (without.now, without.departments, without.goals) == (figures.now, figures.departments, figures.goals)


def test_an_account_in_another_schema_is_read_from_there(tmp_path: Path) -> None:
    path = account_file(tmp_path / "acme.duckdb")
    change(path, "CREATE SCHEMA second", *(f"CREATE TABLE second.{name} AS FROM main.{name}" for name in (*RECORDS, *SYSTEM)))
    change(path, "DELETE FROM second.chats WHERE id != 'c1'", "UPDATE second._sync_account SET subdomain = 'second'")
    second = figures_of(path, schema="second")
    assert (second.status.subdomain, second.now.chats, figures_of(path).now.chats) == ("second", 1, 6)


SYSTEM = ("_sync_account", "_sync_streams", "_sync_runs", "_sync_run_streams")


@pytest.mark.parametrize(
    ("column", "missing"),
    [("tags", ["tags"]), ("session", ["countries"]), ("engagements", ["agents"]), ("response_time", ["chats"])],
)
def test_a_column_that_redaction_drops_takes_only_what_needs_it(column: str, missing: list[str], tmp_path: Path) -> None:
    path = account_file(tmp_path / "acme.duckdb")
    change(path, f"ALTER TABLE chats DROP COLUMN {column}")
    found = figures_of(path)
    absent = [name for name in ("tags", "countries") if found.has_chats and getattr(found, name) is None]
    if not found.has_chats:
        absent = ["chats"]
    elif not any(agent.chats for agent in found.agents or ()):
        absent = ["agents"]
    assert absent == missing


def test_a_user_who_has_only_agents_gets_no_chats(tmp_path: Path) -> None:
    found = figures_of(account_file(tmp_path / "acme.duckdb", {"agents": RECORDS["agents"]}))
    assert (found.has_chats, found.now.chats, found.departments, found.agents, found.trend) == (False, 0, None, None, ())


def test_chats_far_away_in_time_are_outside_the_period(tmp_path: Path) -> None:
    far = [a_day(1, "1969-07-20"), a_day(2, "9999-12-31"), a_day(3, "2026-04-01")]
    found = figures_of(account_file(tmp_path / "acme.duckdb", {"chats": far}))
    assert (found.now.chats, found.period.first_chat, found.period.last_chat) == (1, date(1969, 7, 20), date(2026, 4, 1))


def test_an_hour_is_busy_by_its_average(tmp_path: Path) -> None:
    """The period has five Saturdays and four Mondays, so four chats on Mondays are more than four on Saturdays."""
    days = ["2026-03-07", "2026-03-14", "2026-03-21", "2026-03-28", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]
    chats = [a_day(number, day) for number, day in enumerate(days)]
    hours = figures_of(account_file(tmp_path / "acme.duckdb", {"chats": chats})).hours
    assert [(cell.weekday, cell.chats, cell.days, cell.chats_a_day) for cell in hours] == [(0, 4, 4, 1.0), (5, 4, 5, 0.8)]


def test_only_months_that_the_data_cover_are_complete(tmp_path: Path) -> None:
    days = ["2026-01-20", "2026-02-10", "2026-03-10", "2026-04-02"]
    chats = [a_day(number, day, rating="good") for number, day in enumerate(days)]
    path = account_file(tmp_path / "acme.duckdb", {"chats": chats})
    found = [(each.month.month, each.is_partial) for each in figures_of(path).satisfaction]
    assert found == [(1, True), (2, False), (3, False), (4, True)]


def test_more_than_ten_groups_leave_the_others_as_one(tmp_path: Path) -> None:
    chats = [
        a_day(10 * number + copy, "2026-04-01", tags=[f"t{number:02}", "t11"], rating="bad" if number > 9 else "good")
        for number in range(12)
        for copy in range(2 if number < 10 else 1)
    ]
    tags = figures_of(account_file(tmp_path / "acme.duckdb", {"chats": chats})).tags
    assert tags
    assert [group.name for group in tags.groups] == ["t11", *(f"t{number:02}" for number in range(9))]
    assert (tags.others_count, tags.others and tags.others.chats, tags.others and tags.others.bad) == (2, 3, 1)


# An independent computation.

CHAT = st.fixed_dictionaries(
    {
        "hours": st.integers(0, 24 * 46),
        "department_id": st.sampled_from([None, *range(1, 14)]),
        "tags": st.lists(st.sampled_from("abc"), max_size=3),
        "missed": st.booleans(),
        "rating": st.sampled_from([None, "good", "bad"]),
        "first": st.sampled_from([None, 0, 1, 2.5, 30, 95, -1]),
        "deleted": st.booleans(),
        "type": st.sampled_from(["chat", "chat", "chat", "offline_msg", None]),
    }
)


@settings(max_examples=12, deadline=None)
@given(st.lists(CHAT, max_size=40))
def test_generated_chats_give_the_figures_of_an_independent_computation(generated: list[dict[str, Any]]) -> None:
    records = []
    for number, one in enumerate(generated):
        start = (MORNING + timedelta(hours=one["hours"])).isoformat() + "Z"
        fields = {key: one[key] for key in ("department_id", "tags", "missed", "rating", "deleted", "type")}
        name = one["department_id"] and f"D{one['department_id']}"
        records.append(chat(f"c{number}", start, response_time=first(one["first"]), department_name=name, **fields))
    with tempfile.TemporaryDirectory() as folder:
        found = figures_of(account_file(Path(folder) / "acme.duckdb", {"chats": records}, views=False))
    days = found.period.now
    mine = [one | {"day": (MORNING + timedelta(hours=one["hours"]))} for one in generated]
    counted = [
        one
        for one in mine
        if not one["deleted"] and one["type"] != "offline_msg" and days.start <= one["day"].date() <= days.end
    ]
    assert_totals(found, counted)
    assert Counter({step.start: step.chats for step in found.trend if step.chats}) == Counter(
        one["day"].date() for one in counted
    )
    assert {(cell.weekday, cell.hour): cell.chats for cell in found.hours} == Counter(
        (one["day"].weekday(), one["day"].hour) for one in counted
    )
    assert_departments(found.departments, counted)


def assert_totals(found: Figures, counted: Sequence[dict[str, Any]]) -> None:
    now = found.now
    good, bad = (sum(one["rating"] == rating for one in counted) for rating in ("good", "bad"))
    assert (now.chats, now.missed, now.good, now.bad) == (len(counted), sum(one["missed"] for one in counted), good, bad)
    assert now.good_share == (round(good / (good + bad), 4) if good + bad else None)
    times = sorted(one["first"] for one in counted if one["first"] is not None and one["first"] >= 0)
    assert now.answered == len(times)
    for part, value in ((0.5, now.first_response_seconds_p50), (0.9, now.first_response_seconds_p90)):
        assert value == (pytest.approx(quantile(times, part), abs=0.051) if times else None)


def quantile(values: Sequence[float], part: float) -> float:
    """The quantile between the two nearest values."""
    position = part * (len(values) - 1)
    below = int(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (position - below)


def assert_departments(ranking: Ranking | None, counted: Sequence[dict[str, Any]]) -> None:
    assert ranking
    expected = Counter(one["department_id"] and str(one["department_id"]) for one in counted)
    shown: list[Group] = list(ranking.groups)
    assert all(expected[group.id] == group.chats for group in shown)
    assert [group.chats for group in shown] == sorted(expected.values(), reverse=True)[:10]
    rest = len(counted) - sum(group.chats for group in shown)
    assert (ranking.others.chats if ranking.others else 0) == rest
    assert ranking.others_count == max(0, len(expected) - 10)


def test_the_small_account_is_used_completely(figures: Figures) -> None:
    chats = [record for record in CHATS if record["type"] == "chat" and not record["deleted"]]
    assert figures.now.chats + figures.unreadable == len(chats)
