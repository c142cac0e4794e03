"""`make scale`: measure, simulate, and write docs/scale.md with its chart."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from benchmarks.machine import describe_hardware
from benchmarks.scale.calibration import fit_costs, fit_slowness, predict
from benchmarks.scale.chart import draw_chart
from benchmarks.scale.crowd import CrowdRun, measure_crowd
from benchmarks.scale.report import render
from benchmarks.scale.results import RESULTS, Results, read_results
from benchmarks.scale.scenarios import BY_ACCOUNTS, BY_SLOTS, HOURLY, LOADS, simulate, simulate_first_syncs
from benchmarks.scale.single import SingleSync, measure_single

T = TypeVar("T")
DOCS: Final = Path(__file__).parents[2] / "docs"


def main() -> int:
    """Measure or reuse what was measured, and write the page."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--simulate", action="store_true", help="measure nothing, simulate with the stored costs")
    parser.add_argument("--render", action="store_true", help="only write the page from the stored results")
    options = parser.parse_args()
    if options.render:
        results = read_results()
    else:
        results = resimulate(read_results()) if options.simulate else measure()
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    (DOCS / "scale.md").write_text(render(results))
    (DOCS / "scale.svg").write_text(draw_chart(results))
    return 0


def measure() -> Results:
    """Measure single syncs and many accounts at a time, then simulate."""
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        single = _shown(measure_single(Path(folder)))
        crowd = _shown(measure_crowd(Path(folder)))
    return _simulated(describe_hardware(), single, crowd)


def resimulate(stored: Results) -> Results:
    """Simulate again with what was measured before."""
    return _simulated(stored.machine, stored.single, stored.crowd)


def _simulated(machine: dict[str, str], single: list[SingleSync], crowd: list[CrowdRun]) -> Results:
    costs = fit_costs(single, crowd)
    slowness = fit_slowness(costs, crowd)
    return Results(
        machine=machine,
        single=single,
        crowd=crowd,
        costs=costs,
        slowness=slowness,
        predictions=_shown(predict(costs, slowness, crowd)),
        first_loads=_shown(simulate_first_syncs(costs)),
        hourly=_shown(simulate(HOURLY, costs)),
        loads=_shown(simulate(LOADS, costs)),
        by_accounts=simulate(BY_ACCOUNTS, costs),
        by_slots=simulate(BY_SLOTS, costs),
    )


def _shown(items: Iterable[T]) -> list[T]:
    """Print each item as it comes."""
    kept = []
    for item in items:
        print(item, flush=True)
        kept.append(item)
    return kept


if __name__ == "__main__":
    sys.exit(main())
