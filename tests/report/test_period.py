"""The days that a report is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from zendesk_chat.report.arguments import MAX_DAYS
from zendesk_chat.report.period import Range, choose_period

MONDAY = date(2026, 3, 16)
TODAY = date(2026, 3, 20)
YEAR_AGO = MONDAY - timedelta(days=365)


def days(*offsets: int) -> list[date]:
    return [MONDAY + timedelta(days=offset) for offset in offsets]


def test_it_ends_with_the_last_day_that_was_over_at_the_last_sync() -> None:
    period = choose_period(7, "UTC", MONDAY, days(-300, -3, 0), TODAY)
    assert period.now == Range(date(2026, 3, 9), date(2026, 3, 15))
    assert period.before == Range(date(2026, 3, 2), date(2026, 3, 8))
    assert not period.is_old
    assert not period.ends_early
    assert period.is_comparable


def test_without_chats_in_these_days_it_ends_with_the_last_chat() -> None:
    period = choose_period(30, "UTC", MONDAY, [YEAR_AGO, YEAR_AGO + timedelta(days=9)], TODAY)
    assert period.now.end == YEAR_AGO + timedelta(days=9)
    assert period.is_old
    assert not period.ends_early


def test_a_file_that_only_has_chats_of_today_shows_them_as_an_incomplete_day() -> None:
    period = choose_period(30, "UTC", MONDAY, days(0), TODAY)
    assert period.now.end == MONDAY
    assert period.ends_early
    assert not period.is_old
    assert not period.is_comparable


def test_without_a_complete_sync_it_ends_with_the_last_chat() -> None:
    period = choose_period(1, "UTC", None, days(-9, -5), TODAY)
    assert period.now == Range(*days(-5, -5))
    assert period.before == Range(*days(-6, -6))
    assert period.ends_early


def test_without_chats_it_ends_before_the_last_sync_or_before_today() -> None:
    assert choose_period(30, "UTC", MONDAY, [], TODAY).now.end == date(2026, 3, 15)
    assert choose_period(30, "UTC", None, [], TODAY).now.end == date(2026, 3, 19)


@pytest.mark.parametrize(("first", "comparable"), [(-14, True), (-11, True), (-10, False), (-3, False)])
def test_the_period_before_counts_if_the_data_begin_at_its_start_or_a_long_weekend_later(first: int, comparable: bool) -> None:
    assert choose_period(7, "UTC", MONDAY, days(first, -1), TODAY).is_comparable is comparable


@pytest.mark.parametrize(("length", "step"), [(1, "day"), (100, "day"), (101, "week"), (700, "week"), (701, "month")])
def test_long_periods_have_longer_steps(length: int, step: str) -> None:
    assert choose_period(length, "UTC", MONDAY, [], TODAY).step == step


def test_the_longest_period_of_the_earliest_chats_is_a_range_of_dates() -> None:
    period = choose_period(MAX_DAYS, "UTC", MONDAY, [date(1, 1, 1)], TODAY)
    assert period.before.start >= date(1, 1, 1)
    assert choose_period(MAX_DAYS, "UTC", date(9999, 12, 31), [date(9999, 12, 30)], TODAY).now.end == date(9999, 12, 30)


@pytest.mark.parametrize(
    ("start", "length", "expected"), [(0, 7, [1] * 7), (5, 30, [4, 4, 4, 4, 4, 5, 5]), (3, 1, [0, 0, 0, 1, 0, 0, 0])]
)
def test_a_range_knows_how_many_of_each_weekday_it_has(start: int, length: int, expected: list[int]) -> None:
    found = Range(MONDAY + timedelta(days=start), MONDAY + timedelta(days=start + length - 1))
    assert list(found.weekdays) == expected


def test_a_month_is_covered_if_the_data_begin_at_its_start_and_it_is_over() -> None:
    active = [date(2026, 1, 4), date(2026, 2, 27), date(2026, 3, 15)]
    period = choose_period(30, "UTC", MONDAY, active, TODAY)
    assert [period.covers_month(date(2026, month, 1)) for month in (1, 2, 3)] == [True, True, False]
    later = replace(period, first_chat=date(2026, 1, 5))
    assert [later.covers_month(date(2026, month, 1)) for month in (1, 2)] == [False, True]
    until_march = replace(period, now=Range(date(2026, 3, 2), date(2026, 3, 31)), synced=date(2026, 4, 1))
    assert until_march.covers_month(date(2026, 3, 1))
    assert not replace(until_march, synced=date(2026, 3, 31)).covers_month(date(2026, 3, 1))
