"""`make bench`: measure everything and write the report and its chart."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.chart import draw_chart
from benchmarks.machine import describe_machine
from benchmarks.plan import FULL, QUICK, QUICK_STARTS, STARTS
from benchmarks.report import render
from benchmarks.results import Results, Run, figures_of
from benchmarks.session import session


def main() -> int:
    """Measure, or read what was measured; returns 1 if some run was wrong."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small accounts and one round")
    parser.add_argument("--to", type=Path, default=Path("docs"), metavar="FOLDER", help="where the report goes")
    parser.add_argument("--results", type=Path, default=Path(".cache/bench/results.json"), help="where the raw figures go")
    parser.add_argument("--again", action="store_true", help="measure nothing, write the report from the raw figures")
    options = parser.parse_args()
    if options.again:
        results = msgspec.json.decode(options.results.read_bytes(), type=Results)
    else:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        results = run(options.results.parent.resolve(), quick=options.quick)
        options.results.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    options.to.mkdir(parents=True, exist_ok=True)
    (options.to / "benchmarks.md").write_text(render(results))
    (options.to / "benchmarks.svg").write_text(draw_chart(figures_of(results.runs)))
    print(f"{options.to / 'benchmarks.md'}: {len(results.runs)} runs in {results.minutes:.0f} minutes")
    return int(any(run.problem for run in results.runs))


def run(scratch: Path, *, quick: bool) -> Results:
    """Measure everything, with programs at work in a folder inside ``scratch``."""
    began = time.monotonic()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(dir=scratch) as folder, session(Path(folder)) as bench:
        for task in QUICK if quick else FULL:
            for measured in bench.rounds(task):
                runs.append(measured)
                report(measured)
        starts = list(bench.cold_starts(QUICK_STARTS if quick else STARTS))
    minutes = (time.monotonic() - began) / 60
    return Results(machine=describe_machine(), quick=quick, minutes=minutes, runs=runs, starts=starts)


def report(measured: Run) -> None:
    """A line for whoever waits."""
    costs = f"{measured.wall_seconds:7.2f} s {measured.cpu_seconds:7.2f} s CPU {measured.peak_mb:5.0f} MB"
    print(f"{measured.chats:7,} chats {measured.latency_ms:4} ms {measured.program:16} {costs} {measured.problem}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
