"""The chart of docs/scale.md: minutes until all accounts are fresh, by the number of accounts and by the workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.chart import STYLE, Points, draw_legend, draw_panel
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
        f"<style>{STYLE}</style>\n{draw_legend(COLOURS, LEFT)}\n{drawn}\n</svg>\n"
    )


def lines_of(figures: Sequence[Figures], across: Callable[[Figures], int]) -> dict[str, list[tuple[float, float]]]:
    """The points of each way: minutes by accounts or by workers, without those that fall behind."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for each in figures:
        if not falls_behind(each):
            lines.setdefault(each.way, []).append((across(each), each.fresh_minutes))
    return {way: sorted(points) for way, points in lines.items()}


def _panel(title: str, label: str, lines: Mapping[str, Points]) -> str:
    coloured = {COLOURS[way]: line for way, line in lines.items()}
    return draw_panel(title, label, coloured, (WIDTH, HEIGHT), lambda size: f"{size:,g}")
