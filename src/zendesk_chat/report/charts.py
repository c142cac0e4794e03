"""The charts of a report as Vega-Lite specifications: plain data, with all labels written here.

Colours are names of CSS variables, so charts follow the light, the dark and the print style of the page without being redrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from zendesk_chat.json_types import Json
from zendesk_chat.report.figures import Agent, HourOfWeek, Point, Ratings
from zendesk_chat.report.formats import PART, average, hours, number, percent, rated_month, seconds, step_name
from zendesk_chat.report.period import Step
from zendesk_chat.wording import counted

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif"
CONFIG: Final[dict[str, Json]] = {
    "background": "transparent",
    "font": FONT,
    "aria": False,  # the page describes each chart; a description of each bar would be noise
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": "var(--line)",
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "title": None,
    },
    "legend": {
        "orient": "top",
        "labelColor": "var(--muted)",
        "labelFontSize": 12,
        "title": None,
        "offset": 8,
        "symbolType": "circle",
    },
    "scale": {"barBandPaddingInner": 0.2, "rectBandPaddingInner": 0.06},
}
_HEAT: Final = [f"var(--heat-{level})" for level in range(1, 7)]
_DURATION: Final = (  # 45 s, 2 min, 1 min 20 s, 1 h 30 min
    "datum.value < 60 ? datum.value + ' s'"
    " : datum.value < 3600 ? floor(datum.value / 60) + ' min' + (datum.value % 60 ? ' ' + datum.value % 60 + ' s' : '')"
    " : floor(datum.value / 3600) + ' h' + (datum.value % 3600 ? ' ' + floor(datum.value % 3600 / 60) + ' min' : '')"
)
_HEIGHT: Final = 240  # pixels
_LOW: Final = 110
_ROW: Final = 30  # pixels of a horizontal bar and the gap after it
_TALL_ROW: Final = 44  # the same if there are few bars
_TICKS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400)  # seconds
_MAX_TICKS: Final = 5
_LABEL_AFTER_BAR: Final = 72  # pixels for a gap and "100.0% of ", without the digits that follow
_DIGIT: Final = 8
_PALE: Final = 0.5
_DAYS_LABELLED: Final = 10  # with more, only Mondays are
_POINTS_SEEN: Final = 45  # with more, the points of a line would touch
_MONTHS_LABELLED: Final = 8
_LABEL_PIXELS: Final = 120
_ROWS: Final = "rows"  # the name of a chart's data


def chats_over_time(points: Sequence[Point], step: Step) -> dict[str, Json]:
    """Bars of chats, and in front of them the missed ones."""
    rows: list[Json] = [
        {
            "start": point.start.isoformat(),
            "chats": point.chats,
            "missed": point.missed,
            "When": step_name(point.start, step),
            "Chats": number(point.chats),
            "Missed": f"{number(point.missed)} ({percent(point.missed_share)})",
            "Offline messages": number(point.offline_messages),
        }
        for point in points
    ]
    series: dict[str, Json] = {
        "type": "nominal",
        "scale": {"domain": ["Chats", "Missed"], "range": ["var(--bar)", "var(--alert)"]},
    }
    x, tooltip = _time(points, step), _tooltip(["When", "Chats", "Missed", "Offline messages"])

    def bars(field: str, label: str) -> Json:
        y: Json = {"field": field, "type": "quantitative", "axis": {"tickCount": 4, "format": ",d", "tickMinStep": 1}}
        colour: Json = {"datum": label, **series}
        return {"mark": {"type": "bar"}, "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}}

    return _chart(_HEIGHT, rows, layer=[bars("chats", "Chats"), bars("missed", "Missed")])


def conversions(points: Sequence[Point], step: Step) -> dict[str, Json]:
    """Bars of conversions."""
    rows: list[Json] = [
        {
            "start": point.start.isoformat(),
            "conversions": point.conversions,
            "When": step_name(point.start, step),
            "Conversions": number(point.conversions),
        }
        for point in points
    ]
    y: Json = {"field": "conversions", "type": "quantitative", "axis": {"tickCount": 3, "format": ",d", "tickMinStep": 1}}
    encoding: Json = {"x": _time(points, step), "y": y, "tooltip": _tooltip(["When", "Conversions"])}
    return _chart(_LOW, rows, layer=[{"mark": {"type": "bar", "color": "var(--accent)"}, "encoding": encoding}])


def response_times(points: Sequence[Point], step: Step) -> dict[str, Json]:
    """Lines of the median and of p90, with the area between them."""
    rows: list[Json] = [
        {
            "start": point.start.isoformat(),
            "p50_seconds": point.first_response_seconds_p50,
            "p90_seconds": point.first_response_seconds_p90,
            "When": step_name(point.start, step),
            "Median": seconds(point.first_response_seconds_p50),
            "p90": seconds(point.first_response_seconds_p90),
            "Answered": number(point.answered),
        }
        for point in points
    ]
    x, tooltip = _time(points, step), _tooltip(["When", "Median", "p90", "Answered"])
    axis: Json = {"values": list(_seconds_ticks(points)), "labelExpr": _DURATION}
    series: dict[str, Json] = {"domain": ["p90", "Median"], "range": ["var(--second)", "var(--accent)"]}

    def line(field: str, label: str, width: float) -> Json:
        y: Json = {"field": field, "type": "quantitative", "axis": axis}
        colour: Json = {"datum": label, "type": "nominal", "scale": series}
        mark: Json = {
            "type": "line",
            "strokeWidth": width,
            "point": {"size": 40 if len(points) <= _POINTS_SEEN else 8, "filled": True},
            "invalid": "break-paths-show-path-domains",
        }
        return {"mark": mark, "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}}

    area: Json = {
        "mark": {"type": "area", "color": "var(--accent)", "opacity": 0.12, "invalid": "break-paths-show-path-domains"},
        "encoding": {
            "x": x,
            "y": {"field": "p50_seconds", "type": "quantitative", "axis": axis},
            "y2": {"field": "p90_seconds"},
        },
    }
    return _chart(_HEIGHT, rows, layer=[area, line("p90_seconds", "p90", 1.5), line("p50_seconds", "Median", 2.5)])


def heat_map(cells: Sequence[HourOfWeek], weekdays: Sequence[int]) -> dict[str, Json]:
    """Weekdays by hours, with a stronger colour where more chats start. Weekdays that the period does not have stay empty."""
    found = {(cell.weekday, cell.hour): cell for cell in cells}
    most = max((cell.chats_a_day for cell in cells), default=0)
    rows: list[Json] = []
    for weekday, days in enumerate(weekdays):
        for hour in range(24 if days else 0):
            cell = found.get((weekday, hour)) or HourOfWeek(weekday, hour, 0, 0, days, 0)
            rows.append(
                {
                    "hour": hour,
                    "weekday": WEEKDAYS[weekday][:3],
                    "average": cell.chats_a_day or None,
                    "When": f"{WEEKDAYS[weekday]}, {hour}:00 to {hour + 1}:00",
                    "Chats a day": average(cell.chats_a_day),
                    "Chats": f"{number(cell.chats)} on {counted(days, 'day')}",
                    "Missed": number(cell.missed),
                }
            )
    colour: dict[str, Json] = {
        "field": "average",
        "type": "quantitative",
        "scale": {"type": "quantize", "domain": [0, most or 1], "range": list(_HEAT)},
        "legend": None,  # the page has one
    }
    ticks: Json = {
        "values": [0, 3, 6, 9, 12, 15, 18, 21],
        "labelExpr": "datum.value + ':00'",
        "labelAngle": 0,
        "labelOverlap": True,
    }
    names: Json = [name[:3] for name in WEEKDAYS]
    encoding: dict[str, Json] = {
        "x": {"field": "hour", "type": "ordinal", "axis": ticks},
        "y": {"field": "weekday", "type": "ordinal", "sort": names, "scale": {"domain": names}},
        "tooltip": _tooltip(["When", "Chats a day", "Chats", "Missed"]),
    }
    none: Json = {"test": "datum.average === null", "value": "var(--heat-0)"}
    rect: Json = {
        "mark": {"type": "rect", "cornerRadius": 3, "invalid": "show"},
        "encoding": {**encoding, "color": {"condition": none, **colour}},
    }
    return _chart(_HEIGHT, rows, layer=[rect])


def satisfaction(ratings: Sequence[Ratings]) -> dict[str, Json]:
    """A bar for each month, up to 100%, with the number of ratings beside it. A month that is covered partly is paler."""
    rows: list[Json] = [
        {
            "month": f"{rated.month:%b %Y}{PART if rated.is_partial else ''}",
            "share": rated.good_share,
            "partial": rated.is_partial,
            "label": f"{percent(rated.good_share)} of {number(rated.good + rated.bad)}",
            "Month": rated_month(rated),
            "Rated good": percent(rated.good_share),
            "Good": number(rated.good),
            "Bad": number(rated.bad),
        }
        for rated in ratings
    ]
    y: Json = {"field": "month", "type": "ordinal", "sort": None}
    longest = max((rated.good + rated.bad for rated in ratings), default=0)
    beside = _LABEL_AFTER_BAR + _DIGIT * len(number(longest))
    scale: Json = {"domain": [0, 1], "range": [0, {"expr": f"max(width - {beside}, 20)"}]}
    x: dict[str, Json] = {"type": "quantitative", "scale": scale, "axis": None}
    tooltip = _tooltip(["Month", "Rated good", "Good", "Bad"])
    track: Json = {
        "mark": {"type": "bar", "color": "var(--track)", "cornerRadius": 3},
        "encoding": {"y": y, "x": {**x, "datum": 0}, "x2": {"datum": 1}, "tooltip": tooltip},
    }
    pale: Json = {"condition": {"test": "datum.partial", "value": _PALE}, "value": 1}
    bars: Json = {
        "mark": {"type": "bar", "color": "var(--accent)", "cornerRadius": 3},
        "encoding": {"y": y, "x": {**x, "field": "share"}, "opacity": pale, "tooltip": tooltip},
    }
    text: Json = {
        "mark": {"type": "text", "align": "right", "color": "var(--ink)", "fontSize": 13},
        "encoding": {"y": y, "x": {"value": "width"}, "text": {"field": "label"}},
    }
    height = min(max(_ROW * len(rows), _HEIGHT), _TALL_ROW * len(rows))
    return _chart(height, rows, layer=[track, bars, text])


def agent_hours(agents: Sequence[Agent], labels: Sequence[str]) -> dict[str, Json]:
    """A bar of the hours online for each agent, and on it those in chats."""
    rows: list[Json] = [
        {
            "row": row,
            "online": agent.online_hours,
            "chatting": agent.chatting_hours,
            "Agent": label,
            "Online": hours(agent.online_hours),
            "In chats": hours(agent.chatting_hours),
            "Away": hours(agent.away_hours),
            "Utilisation": percent(agent.utilisation),
        }
        for row, (agent, label) in enumerate(zip(agents, labels, strict=True))
    ]
    # The row number positions an agent: Vega fails with a value such as `__proto__`.
    y: Json = {
        "field": "row",
        "type": "ordinal",
        "axis": {"labelExpr": f"data('{_ROWS}')[datum.value].Agent", "labelLimit": _LABEL_PIXELS, "labelColor": "var(--ink)"},
    }
    series: dict[str, Json] = {"domain": ["Online", "In chats"], "range": ["var(--bar)", "var(--accent)"]}
    tooltip = _tooltip(["Agent", "Online", "In chats", "Away", "Utilisation"])

    def bars(field: str, label: str, width: float) -> Json:
        x: Json = {"field": field, "type": "quantitative", "axis": {"tickCount": 4, "labelExpr": "datum.label + ' h'"}}
        colour: Json = {"datum": label, "type": "nominal", "scale": series}
        mark: Json = {"type": "bar", "height": {"band": width}, "cornerRadiusEnd": 2}
        return {"mark": mark, "encoding": {"y": y, "x": x, "color": colour, "tooltip": tooltip}}

    return _chart(_ROW * len(rows) + 60, rows, layer=[bars("online", "Online", 0.8), bars("chatting", "In chats", 0.35)])


def _chart(height: int, rows: list[Json], layer: list[Json]) -> dict[str, Json]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",  # a name, never fetched
        "width": 600,  # the page sets it to the available width
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"name": _ROWS, "values": rows},
        "layer": layer,
    }


def _time(points: Sequence[Point], step: Step) -> Json:
    """Return the axis of time: a band for each step, labelled at Mondays, or at the first of a month or year."""
    starts = [point.start for point in points]
    mondays = [start for start in starts if start.weekday() == 0]
    labelled, form = starts, "%-d %b"
    if step == "day" and len(starts) > _DAYS_LABELLED:
        labelled = mondays
    elif step == "week":
        labelled = [start for start in starts if start.day <= len(WEEKDAYS)]
        labelled, form = labelled[:: 1 + len(labelled) // (_MONTHS_LABELLED + 4)], "%b %Y"
    elif step == "month":
        labelled, form = starts[:: 1 + len(starts) // _MONTHS_LABELLED], "%b %Y"
    axis: Json = {
        "values": [start.isoformat() for start in labelled],
        "labelExpr": f"utcFormat(toDate(datum.value), '{form}')",
        "labelAngle": 0,
        "labelOverlap": True,
        "grid": False,
    }
    return {"field": "start", "type": "ordinal", "axis": axis}


def _tooltip(fields: Iterable[str]) -> Json:
    return [{"field": field, "type": "nominal"} for field in fields]


def _seconds_ticks(points: Sequence[Point]) -> range:
    """Return round durations for an axis, from 0 to the longest one."""
    most = max((point.first_response_seconds_p90 or 0 for point in points), default=0)
    step = next((step for step in _TICKS if most / step <= _MAX_TICKS), max(1, int(most) // _MAX_TICKS))
    return range(0, int(most) + step, step)
