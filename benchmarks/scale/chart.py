"""The chart of docs/scale.md: minutes until all accounts are fresh, by the number of accounts and by the workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.chart import STYLE, Points, Scale, ticks
from benchmarks.scale.figures import Figures
from benchmarks.scale.report import falls_behind
from benchmarks.scale.results import Results

COLOURS: Final = {
    "one machine": "#2da44e",
    "CronJobs": "#2f81f7",
    "Airflow": "#d08b1d",
    "Airbyte": "#e5534b",
    "Spark": "#a371f7",
}
WIDTH: Final = 360
HEIGHT: Final = 260
LEFT: Final = 60
TOP: Final = 66
GAP: Final = 80
BOTTOM: Final = 54


def draw_chart(results: Results) -> str:
    """Two panels with logarithmic axes, as SVG that is readable in light and dark."""
    panels = [
        _panel("Minutes, with the default workers", "accounts", lines_of(results.by_accounts, lambda each: each.accounts)),
        _panel("Minutes, for 1,000 accounts", "accounts at a time", lines_of(results.by_slots, lambda each: each.slots)),
    ]
    width, height = LEFT + 2 * WIDTH + GAP + 20, TOP + HEIGHT + BOTTOM
    drawn = "\n".join(
        f'<g transform="translate({LEFT + column * (WIDTH + GAP)} {TOP})">\n{panel}\n</g>'
        for column, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="Minutes until all accounts are fresh, by the number of accounts and by how many are synced at a time">\n'
        f"<style>{STYLE}</style>\n{_legend()}\n{drawn}\n</svg>\n"
    )


def lines_of(figures: Sequence[Figures], across: Callable[[Figures], int]) -> dict[str, list[tuple[float, float]]]:
    """The points of each way: minutes by accounts or by workers, without those that fall behind."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for each in figures:
        if not falls_behind(each):
            lines.setdefault(each.way, []).append((across(each), each.fresh_minutes))
    return {way: sorted(points) for way, points in lines.items()}


def _panel(title: str, label: str, lines: Mapping[str, Points]) -> str:
    points = [point for line in lines.values() for point in line]
    heights = ticks(min(minutes for _, minutes in points), max(minutes for _, minutes in points))
    sizes = sorted({size for size, _ in points})
    across, up = Scale(sizes[0] / 1.2, sizes[-1] * 1.2, WIDTH), Scale(heights[0], heights[-1], HEIGHT)
    parts = [f'<text class="title" y="-12">{title}</text>']
    for tick in heights:
        y = HEIGHT - up.at(tick)
        parts.append(f'<line class="grid" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for size in sizes:
        x = across.at(size)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y2="{HEIGHT}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + 17}" text-anchor="middle">{size:,g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT + 37}" text-anchor="middle">{label}</text>')
    parts += [_line(COLOURS[way], [(across.at(x), HEIGHT - up.at(y)) for x, y in line]) for way, line in lines.items()]
    return "\n".join(parts)


def _line(colour: str, pixels: Points) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in pixels)
    return f'<polyline class="line" stroke="{colour}" points="{path}"/>{dots}'


def _legend() -> str:
    parts, x = [], LEFT
    for way, colour in COLOURS.items():
        parts.append(f'<circle cx="{x + 4}" cy="16" r="5" fill="{colour}"/><text x="{x + 14}" y="20">{way}</text>')
        x += 40 + 7 * len(way)
    return "".join(parts)
