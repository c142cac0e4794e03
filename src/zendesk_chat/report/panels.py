"""The sections of the page: each has a sentence, a chart and a table, or explains why it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from zendesk_chat.json_types import Json
from zendesk_chat.report import charts
from zendesk_chat.report.availability import missing
from zendesk_chat.report.figures import Figures, HourOfWeek, Point
from zendesk_chat.report.formats import NONE, average, number, percent, rated_month, seconds, step_name
from zendesk_chat.wording import counted


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        shown: For people.
        value: The exact value, as in the views; None for words.
        share: The length of a bar behind the number, from 0 to 1; None for no bar.
        of: What the figure is a share of, after it.
    """

    shown: str
    value: float | None = None
    share: float | None = None
    of: str = ""


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
        more: What the page calls that table.
        scale: The least and the most that the colours of the chart stand for; empty if it has no such colours.
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
    more: str = "Show the figures"
    scale: tuple[str, ...] = ()
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
    most = max(cells, key=lambda cell: cell.chats_a_day)
    note = f"Average by weekday and hour, {figures.period.time_zone}. A stronger colour means more chats."
    weekend = sum(cell.chats for cell in cells if cell.weekday >= charts.WEEKDAYS.index("Saturday"))
    summary = (
        f"Busiest hour of the week: {_hour_of_week(most)}, with {average(most.chats_a_day)} chats on average "
        f"({number(most.chats)} on {counted(most.days, charts.WEEKDAYS[most.weekday])}). "
        f"{percent(weekend / sum(cell.chats for cell in cells))} of the chats start at the weekend."
    )
    rows = tuple(
        Row(
            _hour_of_week(cell),
            (Cell(average(cell.chats_a_day), cell.chats_a_day), _count(cell.chats), _count(cell.days), _count(cell.missed)),
        )
        for cell in cells
    )
    table = Table("Hour", ("Chats a day", "Chats", "Days", "Missed"), rows)
    scale = ("none", f"{average(most.chats_a_day)} a day")
    return Panel("hours", title, note, summary, charts.heat_map(cells, figures.period.now.weekdays), table, scale=scale)


def _hour_of_week(cell: HourOfWeek) -> str:
    return f"{charts.WEEKDAYS[cell.weekday]}, {cell.hour}:00 to {cell.hour + 1}:00"


def _satisfaction(figures: Figures) -> Panel:
    title, note = "Satisfaction by month", "Share of good ratings in each month"
    ratings = figures.satisfaction
    if not ratings:
        return Panel("satisfaction", title, note, empty="No chat was rated in the twelve months until the end of the period.")
    if any(each.is_partial for each in ratings):
        note += ". Months marked “(part)” are only partly covered by the data."
    last = ratings[-1]
    count = last.good + last.bad
    of = f"{counted(count, 'rating')} {'was' if count == 1 else 'were'}"
    summary = f"{rated_month(last)}: {percent(last.good_share)} of {of} good"
    summary += f", after {percent(ratings[-2].good_share)} in {rated_month(ratings[-2])}." if len(ratings) > 1 else "."
    rows = tuple(
        Row(
            rated_month(each),
            (
                _count(each.good),
                _count(each.bad),
                _count(each.good + each.bad),
                Cell(percent(each.good_share), each.good_share),
            ),
        )
        for each in ratings
    )
    table = Table("Month", ("Good", "Bad", "Ratings", "Rated good"), rows)
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
            f"among {counted(slowest.answered, 'answered chat')}."
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
