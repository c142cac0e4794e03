"""`python -m benchmarks.comparison bare everything`: a few programs, one after the other; medians on standard output."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.plan import API_LIMIT, NO_LIMIT, Task
from benchmarks.programs import MORE, PROGRAMS
from benchmarks.report import HEADINGS, row, table
from benchmarks.results import figures_of
from benchmarks.session import session

MOST_LIMITED: Final = 120_000  # chats; more have more pages than the API answers in a minute
BY_NAME: Final = {program.name: program for program in (*PROGRAMS, *MORE)}


def main() -> int:
    """Compare; returns 1 if some run was wrong."""
    parser = argparse.ArgumentParser("python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("programs", nargs="+", choices=BY_NAME, help="with `bare`, ratios to it are shown")
    parser.add_argument("--chats", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, default=0, metavar="MS")
    parser.add_argument("--cold", action="store_true", help="count the first run of each program too")
    options = parser.parse_args()
    rounds = {BY_NAME[name]: options.rounds for name in options.programs}
    task = Task(options.chats, options.latency, rounds, API_LIMIT if options.chats <= MOST_LIMITED else NO_LIMIT)
    with tempfile.TemporaryDirectory() as folder, session(Path(folder)) as bench:
        runs = list(bench.rounds(task, cold=options.cold))
    figures = {program: figure for (program, _, _), figure in figures_of(runs).items()}
    print(table(HEADINGS, [row(program, figure, figures.get("bare")) for program, figure in figures.items()]))
    problems = [f"{run.program}: {run.problem}" for run in runs if run.problem]
    print(*problems, sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
