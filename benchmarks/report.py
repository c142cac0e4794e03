"""The report as Markdown, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from string import Template
from typing import Final

from benchmarks.programs import EVERYTHING, MORE, PROGRAMS
from benchmarks.results import Case, Figures, Results, Run, Start, figures_of

TEMPLATE: Final = Path(__file__).with_name("report.md")
NAMES: Final = [program.name for program in PROGRAMS]
ALL_NAMES: Final = [*NAMES, *(program.name for program in MORE)]
HEADINGS: Final = (
    "program",
    "wall s",
    "x bare",
    "CPU s",
    "x bare",
    "peak MB",
    "x bare",
    "first s",
    "requests",
    "429",
    "rounds",
)
NOTHING: Final = "-"
SLOW_MS: Final = 300


def render(results: Results) -> str:
    """The complete report."""
    figures = figures_of(results.runs)
    return Template(TEMPLATE.read_text()).substitute(
        summary=_summary(results, figures),
        programs="\n".join(f"- `{program.name}`: {program.what}" for program in (*PROGRAMS, *MORE)),
        tables="\n\n".join(_condition(figures, chats, latency_ms) for chats, latency_ms in _conditions(figures)),
        growth=_growth(figures),
        starts=len(results.starts[0].wall_seconds) if results.starts else 0,
        cold=_cold(results.starts),
        machine="\n".join(f"- {name}: {value}" for name, value in results.machine.items()),
        server=_server(results.runs),
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _summary(results: Results, figures: Mapping[Case, Figures]) -> str:
    """The figures of the largest account that all programs read completely, in words."""
    quick = "**A quick run: few rounds, small accounts.** " if results.quick else ""
    sizes = {chats for _, chats, latency_ms in figures if not latency_ms}
    read_by_all = [size for size in sizes if all((program, size, 0) in figures for program in NAMES)]
    if not read_by_all:
        return f"{quick}No account was read by all programs."
    chats = max(read_by_all)
    cost = {program: figures[program, chats, 0] for program in NAMES}
    wrong = [f"`{program}`" for program in NAMES if cost[program].problems]
    if wrong:
        return f"{quick}**Of {chats:,} chats, not every one came exactly once from: {', '.join(wrong)}.**"
    costs = {program: f"{figure.cpu_seconds:.2f} s and {figure.peak_mb:.0f} MB" for program, figure in cost.items()}
    sentences = [
        f"CPU time and peak memory of a first read of {chats:,} chats: `read` {costs['read']}, the script {costs['bare']}.",
        f"On Airbyte's CDK it is {costs['cdk-http']} in Python and {costs['cdk-declarative']} as a manifest.",
        f"`sync`, which loads the chats into DuckDB too, takes {costs['sync']}.",
    ]
    slow = [figures.get((program, chats, SLOW_MS)) for program in ("read", "bare")]
    if all(slow):
        times = " and ".join(f"{figure.wall_seconds:.1f} s" for figure in slow if figure)
        sentences.append(f"Where each page takes {SLOW_MS} ms, `read` and the script last {times}.")
    return quick + "\n".join(sentences)


def _conditions(figures: Mapping[Case, Figures]) -> list[tuple[int, int]]:
    return sorted({(chats, latency_ms) for _, chats, latency_ms in figures})


def _condition(figures: Mapping[Case, Figures], chats: int, latency_ms: int) -> str:
    bare = figures.get(("bare", chats, latency_ms))
    found = {program: figures[program, chats, latency_ms] for program in ALL_NAMES if (program, chats, latency_ms) in figures}
    rows = [row(program, figure, bare) for program, figure in found.items() if not figure.problems]
    wrong = [
        f"**Wrong, so not in the table:** `{program}`: {figure.problems[0]}"
        for program, figure in found.items()
        if figure.problems
    ]
    return "\n\n".join([f"### {chats:,} chats, {latency_ms} ms a page", table(HEADINGS, rows), *wrong])


def row(program: str, figure: Figures, bare: Figures | None) -> list[str]:
    """The cells of a program below ``HEADINGS``."""
    wall = f"{figure.wall_seconds:.2f}"
    if figure.rounds > 1:
        wall += f" ({figure.fastest_seconds:.2f}-{figure.slowest_seconds:.2f})"
    first = NOTHING if figure.first_record_seconds is None else f"{figure.first_record_seconds:.2f}"

    def ratio(value: Callable[[Figures], float]) -> str:
        return NOTHING if bare is None or bare.problems else f"{value(figure) / value(bare):.2f}"

    return [
        f"`{program}`",
        wall,
        ratio(lambda of: of.wall_seconds),
        f"{figure.cpu_seconds:.2f}",
        ratio(lambda of: of.cpu_seconds),
        f"{figure.peak_mb:.0f}",
        ratio(lambda of: of.peak_mb),
        first,
        f"{figure.requests:g}",
        f"{figure.refused:g}",
        str(figure.rounds),
    ]


def _growth(figures: Mapping[Case, Figures]) -> str:
    measures: dict[str, Callable[[Figures, int], str]] = {
        "CPU seconds per 10,000 chats": lambda figure, chats: f"{figure.cpu_seconds / chats * 10_000:.3f}",
        "Peak memory, MB": lambda figure, _: f"{figure.peak_mb:.0f}",
        "Requests per 1,000 chats": lambda figure, chats: f"{figure.requests / chats * 1000:.3f}",
    }
    sizes = sorted({chats for _, chats, _ in figures})
    lines = [*((program, latency_ms) for program in NAMES for latency_ms in (0, SLOW_MS)), (EVERYTHING.name, 0)]

    def row(program: str, latency_ms: int, measure: Callable[[Figures, int], str]) -> list[str]:
        name = f"`{program}`, {latency_ms} ms a page" if latency_ms else f"`{program}`"
        return [name, *(_cell(figures.get((program, size, latency_ms)), size, measure) for size in sizes)]

    return "\n\n".join(
        table((title, *(f"{size:,}" for size in sizes)), [row(*line, measure) for line in lines])
        for title, measure in measures.items()
    )


def _cell(figure: Figures | None, chats: int, measure: Callable[[Figures, int], str]) -> str:
    return NOTHING if figure is None or figure.problems else measure(figure, chats)


def _cold(starts: Sequence[Start]) -> str:
    if not starts:
        return "Not measured."
    least_seconds, least_mb = median(starts[0].wall_seconds), median(starts[0].peak_mb)
    rows = []
    for start in starts:
        seconds, peak = median(start.wall_seconds), median(start.peak_mb)
        rows.append(
            [f"`{start.command}`", f"{seconds:.3f}", f"{seconds / least_seconds:.1f}", f"{peak:.0f}", f"{peak / least_mb:.1f}"]
        )
    return table(("command", "wall s", "x", "peak MB", "x"), rows)


def _server(runs: Sequence[Run]) -> str:
    """Whether the server could have held anyone up."""
    dearest = max((run.server_cpu_seconds / run.requests for run in runs if run.requests), default=0)
    return f"The server spent at most {1000 * dearest:.1f} ms of CPU on a request, in any run."
