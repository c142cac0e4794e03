"""The sections of the page: each has a sentence, a chart and a table, or explains why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from zendesk_chat.json_types import Json
from zendesk_chat.report import charts
from zendesk_chat.report.availability import missing
from zendesk_chat.report.figures import Figures, HourOfWeek, Point
from zendesk_chat.report.formats import NONE, month, number, percent, seconds, step_name
from zendesk_chat.wording import counted

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        shown: For people.
        value: The exact value, as in the views; None for words.
        share: The length of a bar behind the number, from 0 to 1; None for no bar.
    """

    shown: str
    value: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its name, and its figures. ``is_rest`` marks the row of all others."""

    name: str
    cells: tuple[Cell, ...]
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the title of the first column and those of the others, and the rows. A narrow page hides the optional column."""

    first: str
    titles: tuple[str, ...]
    rows: tuple[Row, ...]
    optional: str = ""

    def shortened(self, longest: int) -> Table:
        """Return the table with at most ``longest`` rows, and one for the rest."""
        if len(self.rows) <= longest:
            return self
        rest = Row(f"{number(len(self.rows) - longest)} others", tuple(Cell(NONE) for _ in self.titles), is_rest=True)
        return replace(self, rows=(*self.rows[:longest], rest))


@dataclass(frozen=True, slots=True)
class Panel:
    """A section of the page.

    Attributes:
        note: What is counted, in a few words.
        summary: What the figures show; also the description of the chart for a screen reader.
        chart: A Vega-Lite specification.
        table: The figures of the chart, which the page shows on demand.
        ranking: A table that is always shown.
        is_wide: Whether it takes the width of the page.
        empty: Why there is nothing to show; empty if there is.
    """

    id: str
    title: str
    note: str
    summary: str = ""
    chart: dict[str, Json] | None = None
    table: Table | None = None
    ranking: Table | None = None
    is_wide: bool = False
    empty: str = ""


def time_panels(figures: Figures) -> list[Panel]:
    """Return the sections with a chart over time."""
    if not figures.now.chats:
        volume = Panel("volume", "Chats", "", is_wide=True, empty=_no_chats(figures))
        return [volume, *([_satisfaction(figures)] if figures.satisfaction else [])]
    return [_volume(figures), _hours(figures), _satisfaction(figures), _responses(figures)]


def _volume(figures: Figures) -> Panel:
    points, step = figures.trend, figures.period.step
    title = {"day": "Chats a day", "week": "Chats a week", "month": "Chats a month"}[step]
    most = max(points, key=lambda point: point.chats)
    offline = figures.now.offline_messages
    summary = f"Most {_when(most, figures)}: {counted(most.chats, 'chat')}. {_missed_most(points, figures)}"
    if offline:
        summary += f" Visitors also left {counted(offline, 'offline message')}."
    rows = tuple(
        Row(
            step_name(point.start, step),
            (
                _count(point.chats),
                _count(point.missed),
                Cell(percent(point.missed_share), point.missed_share),
                _count(point.offline_messages),
            ),
        )
        for point in points
    )
    table = Table(step.capitalize(), ("Chats", "Missed", "Missed share", "Offline messages"), rows)
    chart = charts.chats_over_time(points, step)
    return Panel("volume", title, "", summary, chart, table, is_wide=True)


def _missed_most(points: Sequence[Point], figures: Figures) -> str:
    worst = max(points, key=lambda point: point.missed)
    if not worst.missed:
        return "No chat was missed."
    return f"Most missed {_when(worst, figures)}: {number(worst.missed)} of {number(worst.chats)}."


def _when(point: Point, figures: Figures) -> str:
    name = step_name(point.start, figures.period.step)
    return {"day": f"on {name}", "week": f"in the w{name[1:]}", "month": f"in {name}"}[figures.period.step]


def _hours(figures: Figures) -> Panel:
    title, cells = "When chats start", figures.hours
    most = max(cells, key=lambda cell: cell.chats)
    note = f"Weekday and hour, {figures.period.time_zone}. A stronger colour means more, up to {counted(most.chats, 'chat')}."
    by_hour = [sum(cell.chats for cell in cells if cell.hour == hour) for hour in range(HOURS)]
    weekend = sum(cell.chats for cell in cells if cell.weekday >= charts.WEEKDAYS.index("Saturday"))
    summary = (
        f"Busiest hour of the week: {charts.WEEKDAYS[most.weekday]}, {most.hour}:00 to {most.hour + 1}:00, "
        f"with {counted(most.chats, 'chat')}. "
        f"{percent(weekend / sum(by_hour))} of the chats start at the weekend."
    )
    found = {(cell.weekday, cell.hour): cell for cell in cells}
    rows = tuple(
        Row(f"{hour}:00", tuple(_of_hour(found.get((weekday, hour))) for weekday in range(len(charts.WEEKDAYS))))
        for hour in range(HOURS)
    )
    table = Table("Hour", tuple(day[:3] for day in charts.WEEKDAYS), rows)
    return Panel("hours", title, note, summary, charts.heat_map(cells), table)


def _of_hour(cell: HourOfWeek | None) -> Cell:
    return _count(cell.chats if cell else 0)


def _satisfaction(figures: Figures) -> Panel:
    title, note = "Satisfaction by month", "Share of good ratings in each month"
    ratings = figures.satisfaction
    if not ratings:
        return Panel("satisfaction", title, note, empty="No chat was rated in the twelve months until the end of the period.")
    last = ratings[-1]
    summary = f"{month(last.month)}: {percent(last.good_share)} of {counted(last.good + last.bad, 'rating')} good"
    summary += f", after {percent(ratings[-2].good_share)} in {month(ratings[-2].month)}." if len(ratings) > 1 else "."
    rows = tuple(
        Row(month(each.month), (_count(each.good), _count(each.bad), Cell(percent(each.good_share), each.good_share)))
        for each in ratings
    )
    table = Table("Month", ("Good", "Bad", "Satisfaction"), rows)
    return Panel("satisfaction", title, note, summary, charts.satisfaction(ratings), table)


def _responses(figures: Figures) -> Panel:
    title, note = "Time to the first response", "Answered chats. p90 is the time within which 90% of them had a response."
    points, step, now = figures.trend, figures.period.step, figures.now
    if not now.answered:
        return Panel("responses", title, note, is_wide=True, empty="No chat of this period was answered.")
    answered = [point for point in points if point.answered]
    slowest = max(answered, key=lambda point: point.first_response_seconds_p90 or 0)
    summary = (
        f"{counted(now.answered, 'answered chat')}: half had a response within {seconds(now.first_response_seconds_p50)}, "
        f"90% within {seconds(now.first_response_seconds_p90)}."
    )
    if len(answered) > 1:
        summary += (
            f" Slowest {_when(slowest, figures)}: 90% within {seconds(slowest.first_response_seconds_p90)}, "
            f"of {counted(slowest.answered, 'answered chat')}."
        )
    rows = tuple(
        Row(
            step_name(point.start, step),
            (
                _count(point.answered),
                Cell(seconds(point.first_response_seconds_p50), point.first_response_seconds_p50),
                Cell(seconds(point.first_response_seconds_p90), point.first_response_seconds_p90),
            ),
        )
        for point in points
    )
    table = Table(step.capitalize(), ("Answered", "Median", "p90"), rows)
    return Panel("responses", title, note, summary, charts.response_times(points, step), table, is_wide=True)


def _count(count: int) -> Cell:
    return Cell(number(count), count)


def _no_chats(figures: Figures) -> str:
    return "There are no chats in this period." if figures.has_chats else missing(figures, "chats")
