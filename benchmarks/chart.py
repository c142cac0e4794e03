"""The chart of the report: cost against the size of the account, both on logarithmic scales, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.results import Case, Figures

COLOURS: Final = {
    "bare": "#8b949e",
    "read": "#2f81f7",
    "sync": "#2da44e",
    "cdk-declarative": "#e5534b",
    "cdk-http": "#d08b1d",
}
MEASURES: Final = {"cpu_seconds": "CPU seconds", "peak_mb": "Peak MB", "wall_seconds": "Wall seconds"}
LATENCIES: Final = {0: "no latency", 300: "300 ms a page"}
PANEL_WIDTH: Final = 250
PANEL_HEIGHT: Final = 200
LEFT: Final = 50
TOP: Final = 62
GAP: Final = 55
BOTTOM: Final = 78
STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; fill: #1f2328 }
.grid { stroke: #8b949e; stroke-opacity: .3 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } .title { fill: #f0f6fc } }
"""
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic axis from ``low`` to ``high`` over ``length`` pixels."""

    low: float
    high: float
    length: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.length * math.log(value / self.low) / math.log(self.high / self.low)


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the charts side by side: a line of (chats, cost) for each program."""

    title: str
    lines: Mapping[str, Points]


def draw_chart(figures: Mapping[Case, Figures]) -> str:
    """The chart as SVG: a row of panels for each latency."""
    panels = [
        [Panel(f"{name}, {condition}", lines_of(figures, measure, latency_ms)) for measure, name in MEASURES.items()]
        for latency_ms, condition in LATENCIES.items()
    ]
    width = LEFT + len(MEASURES) * (PANEL_WIDTH + GAP)
    height = TOP + len(LATENCIES) * (PANEL_HEIGHT + BOTTOM) - GAP // 2
    drawn = "\n".join(
        f'<g transform="translate({LEFT + column * (PANEL_WIDTH + GAP)} {TOP + row * (PANEL_HEIGHT + BOTTOM)})">\n'
        f"{_panel(panel)}\n</g>"
        for row, side_by_side in enumerate(panels)
        for column, panel in enumerate(side_by_side)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="CPU time, peak memory and wall time of each program by the number of chats">\n<style>{STYLE}</style>\n'
        f"{draw_legend({program: COLOURS[program] for program in panels[0][0].lines}, LEFT)}\n{drawn}\n</svg>\n"
    )


def lines_of(figures: Mapping[Case, Figures], measure: str, latency_ms: int) -> dict[str, list[tuple[float, float]]]:
    """The points of each program, of the cases with this latency in which every chat came."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for (program, chats, latency), figure in figures.items():
        if program in COLOURS and latency == latency_ms and not figure.problems:
            lines.setdefault(program, []).append((chats, getattr(figure, measure)))
    return {program: sorted(points) for program, points in lines.items()}


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten, from the last at or below the lowest value to the first at or above the highest."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    all_ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    first = max(tick for tick in all_ticks if tick <= low)
    last = min(tick for tick in all_ticks if tick >= high)
    return [tick for tick in all_ticks if first <= tick <= last]


def _panel(panel: Panel) -> str:
    if not any(panel.lines.values()):
        return f'<text class="title" y="-12">{panel.title}: no figures</text>'
    lines = {COLOURS[program]: line for program, line in panel.lines.items()}
    return draw_panel(panel.title, "chats", lines, (PANEL_WIDTH, PANEL_HEIGHT), lambda chats: f"{chats / 1000:g}k")


def draw_panel(
    title: str, label: str, lines: Mapping[str, Points], pixels: tuple[int, int], size_of: Callable[[float], str]
) -> str:
    """A line for each colour, on logarithmic axes. ``label`` names the horizontal axis, whose ticks are the sizes."""
    width, height = pixels
    points = [point for line in lines.values() for point in line]
    sizes = sorted({size for size, _ in points})
    heights = ticks(min(value for _, value in points), max(value for _, value in points))
    across, up = Scale(sizes[0] / 1.2, sizes[-1] * 1.2, width), Scale(heights[0], heights[-1], height)
    parts = [f'<text class="title" y="-12">{title}</text>']
    for tick in heights:
        y = height - up.at(tick)
        parts.append(f'<line class="grid" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for size in sizes:
        x = across.at(size)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y2="{height}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height + 17}" text-anchor="middle">{size_of(size)}</text>')
    parts.append(f'<text x="{width / 2}" y="{height + 37}" text-anchor="middle">{label}</text>')
    parts += [_line(colour, [(across.at(x), height - up.at(y)) for x, y in line]) for colour, line in lines.items()]
    return "\n".join(parts)


def _line(colour: str, pixels: Points) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in pixels)
    return f'<polyline class="line" stroke="{colour}" points="{path}"/>{dots}'


def draw_legend(colours: Mapping[str, str], left: int) -> str:
    """A dot and a name for each line."""
    parts, x = [], left
    for name, colour in colours.items():
        parts.append(f'<circle cx="{x + 4}" cy="16" r="5" fill="{colour}"/><text x="{x + 14}" y="20">{name}</text>')
        x += 40 + 7 * len(name)
    return "".join(parts)
