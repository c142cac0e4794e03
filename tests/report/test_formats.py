"""Figures, dates and names as a reader sees them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.reports import HOSTILE
from zendesk_chat.report.formats import average, distinct_names, hours, long_range, name, number, percent, seconds, step_name
from zendesk_chat.report.period import Range, Step


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, "–"),
        (0.0, "0%"),
        (0.0004, "<0.1%"),
        (0.001, "0.1%"),
        (0.0633, "6.3%"),
        (0.82, "82.0%"),
        (0.9996, ">99.9%"),
        (1.0, "100%"),
        (2.5, "250.0%"),
    ],
)
def test_percentages(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0 s"), (4.5, "4.5 s"), (26.0, "26 s"), (105.0, "1 min 45 s"), (7500.0, "2 h 5 min")]
)
def test_durations(value: float, shown: str) -> None:
    assert seconds(value) == shown
    assert seconds(None) == "–"


@pytest.mark.parametrize(("value", "shown"), [(0, "0.0"), (0.02, "<0.1"), (0.05, "0.1"), (9.44, "9.4"), (1234.5, "1,234.5")])
def test_averages(value: float, shown: str) -> None:
    assert average(value) == shown


def test_numbers_and_hours() -> None:
    assert (number(1234567), hours(1827.46)) == ("1,234,567", "1,827.5 h")


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (date(2026, 3, 14), date(2026, 3, 14), "14 March 2026"),
        (date(2026, 3, 1), date(2026, 3, 14), "1 to 14 March 2026"),
        (date(2026, 2, 20), date(2026, 3, 14), "20 February to 14 March 2026"),
        (date(2025, 12, 20), date(2026, 3, 14), "20 December 2025 to 14 March 2026"),
        (date(2025, 3, 20), date(2026, 3, 14), "20 March 2025 to 14 March 2026"),
    ],
)
def test_ranges_of_days(start: date, end: date, shown: str) -> None:
    assert long_range(Range(start, end)) == shown


@pytest.mark.parametrize(
    ("step", "shown"), [("day", "Mon 9 Mar 2026"), ("week", "Week of 9 Mar 2026"), ("month", "March 2026")]
)
def test_steps(step: Step, shown: str) -> None:
    assert step_name(date(2026, 3, 9), step) == shown


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\u202egnirts\u202c", "gnirts"),
        ("a\x00b\r\n\u2028c", "a b c"),
        ("", "(unnamed)"),
        (" \t", "(unnamed)"),
        ("Z\u0310\u0310\u0310\u0310\u0310", "Z\u0310\u0310\u0310"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("soft\u00adhyphen", "softhyphen"),
        ("<script>", "<script>"),
    ],
)
def test_a_name_acts_on_nothing_around_it(given: str, shown: str) -> None:
    assert name(given) == shown


def test_a_long_name_is_shortened() -> None:
    assert name("N" * 5000) == "N" * 79 + "…"
    assert all(len(name(hostile)) <= 80 for hostile in HOSTILE)


def test_groups_of_one_name_get_their_ids_too() -> None:
    assert distinct_names([("11", "Ana"), ("12", "Bo"), ("13", "Ana"), (None, "Ana")]) == ["Ana (11)", "Bo", "Ana (13)", "Ana"]
    assert distinct_names([("1", "Anastasia"), ("2", "Anastasio")], 6) == ["Anast… (1)", "Anast… (2)"]
