"""The key figures, compared with the period before."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.support.reports import account_file, figures_of
from zendesk_chat.report.figures import Figures, Totals
from zendesk_chat.report.key_figures import Change, Verdict, key_figures

SAME = Change("", "about the same")
NONE = Change("", "no change")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """The figures of a file whose data begin long before the period."""
    found = figures_of(account_file(tmp_path_factory.mktemp("key") / "acme.duckdb"))
    return replace(found, period=replace(found.period, first_chat=date(2020, 1, 1)))


def change(figures: Figures, key: str, now: Totals, before: Totals) -> Change | None:
    (found,) = [figure for figure in key_figures(replace(figures, now=now, before=before)) if figure.id == key]
    return found.change


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (40.0, 39.0, SAME),
        (39.0, 40.0, SAME),
        (41.9, 40.0, SAME),
        (42.0, 40.0, Change("▲", "2 s slower", "worse")),
        (38.0, 40.0, Change("▼", "2 s faster", "better")),
        (39.0, 39.0, NONE),
        (133.0, 130.0, SAME),
        (1.0, 0.0, Change("▲", "1 s slower", "worse")),
        (None, 40.0, None),
    ],
)
def test_times_that_change_by_less_than_5_percent_are_about_the_same(
    figures: Figures, now: float | None, before: float, expected: Change | None
) -> None:
    totals = Totals(first_response_seconds_p50=now, first_response_seconds_p90=now)
    earlier = Totals(first_response_seconds_p50=before, first_response_seconds_p90=before)
    assert change(figures, "response-p50", totals, earlier) == expected
    assert change(figures, "response-p90", totals, earlier) == expected


@pytest.mark.parametrize(
    ("now", "before", "satisfaction"),
    [
        (0.817, 0.81, SAME),
        (0.81, 0.819, SAME),
        (0.82, 0.81, Change("▲", "1 point", "better")),
        (0.81, 0.82, Change("▼", "1 point", "worse")),
        (0.85, 0.8, Change("▲", "5 points", "better")),
        (0.81, 0.81, NONE),
        (0.81, None, None),
    ],
)
def test_shares_that_change_by_less_than_a_point_are_about_the_same(
    figures: Figures, now: float, before: float | None, satisfaction: Change | None
) -> None:
    opposite: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "": ""}
    missed = satisfaction and replace(satisfaction, verdict=opposite[satisfaction.verdict])
    totals, earlier = Totals(good_share=now, missed_share=now), Totals(good_share=before, missed_share=before)
    assert change(figures, "satisfaction-share", totals, earlier) == satisfaction
    assert change(figures, "missed", totals, earlier) == missed
