"""docs/scale.md, from what was measured and simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Final

from benchmarks.report import table
from benchmarks.scale.costs import CHATS_A_PAGE, full_pages, minutes_of_quota
from benchmarks.scale.crowd import ACCOUNTS
from benchmarks.scale.figures import Figures
from benchmarks.scale.money import DISK_GB_MONTH, VOLUME_GB, disk_dollars_a_month, dollars_a_month, files_gb, machines_for
from benchmarks.scale.population import make_accounts
from benchmarks.scale.results import FirstLoad, Results
from benchmarks.scale.scenarios import AT_ONCE, HOURLY, HOURS
from benchmarks.scale.simulation import LATENCY_SECONDS
from benchmarks.scale.single import SIZES, SingleSync
from benchmarks.scale.virtual_time import REQUESTS_A_MINUTE
from benchmarks.scale.ways import ONE_MACHINE, Way

TEMPLATE: Final = Path(__file__).with_name("report.md")
COUNTS: Final = (1, 100, 10_000)
POSTGRES_SECONDS: Final = {"idle": 2.1, "first": 12.8}
"""Of one account, on loopback: the figures of docs/destinations.md."""

POSTGRES_ACCOUNTS: Final = 40
POSTGRES_ROUNDS: Final = 22
"""Requests in turn of the first load in docs/destinations.md, of 20,000 chats: 20 pages, and 2 more."""

SYNC_COLUMNS: Final = ("sync", "chats", "new chats", "requests", "in turn", "CPU s", "peak MB", "file MB")
HOURLY_COLUMNS: Final = (
    "way",
    "at a time",
    "due",
    "all fresh after",
    "age, minutes: median",
    "95%",
    "oldest",
    "longest queue",
    "memory GB",
    "CPU cores",
    "requests a day",
)


def render(results: Results) -> str:
    """The complete page."""
    return Template(TEMPLATE.read_text()).substitute(
        _measured(results) | _worked(results) | _simulated(results),
        machine="\n".join(f"- {name}: {value}" for name, value in results.machine.items()),
    )


def _measured(results: Results) -> dict[str, str]:
    costs = results.costs
    worst = max(abs(prediction.error) for prediction in results.predictions)
    return {
        "all_streams": table(SYNC_COLUMNS, [_sync_row(sync) for sync in results.single if sync.streams == "all"]),
        "only_chats": table(SYNC_COLUMNS, [_sync_row(sync) for sync in results.single if sync.streams == "chats"]),
        "start_cpu": f"{costs.start_cpu_seconds:.2f}",
        "idle_cpu": f"{costs.idle_cpu_seconds:.2f}",
        "loading_cpu": f"{costs.loading_cpu_seconds:.2f}",
        "chat_cpu_us": f"{costs.cpu_seconds_per_chat * 1e6:.0f}",
        "kb_per_chat": f"{_mb_per_chat(results) * 1024:.1f}",
        "empty_mb": f"{_empty_mb(results):.0f}",
        "slowness": f"{results.slowness:.2f}",
        "crowd_accounts": str(ACCOUNTS),
        "worst_error": f"{worst:.0%}",
        "predictions": table(
            ("accounts at a time", "measured s", "simulated s", "difference", "measured peak MB"),
            [
                [
                    str(each.parallel),
                    f"{each.measured_seconds:.1f}",
                    f"{each.simulated_seconds:.1f}",
                    "fitted" if each is results.predictions[0] else f"{each.error:+.0%}",
                    f"{_peak_mb(results, each.parallel):.0f}",
                ]
                for each in results.predictions
            ],
        ),
    }


def _worked(results: Results) -> dict[str, str]:
    """Formulas with their numbers."""
    return _quota(results) | _capacity(results) | _postgres(results.costs.rounds)


def _capacity(results: Results) -> dict[str, str]:
    """What 10,000 accounts take in a day, and how many accounts one process can sync in an hour."""
    costs, accounts = results.costs, make_accounts(COUNTS[-1])
    chats = sum(account.chats_a_day for account in accounts)
    sync_seconds = costs.start_cpu_seconds + costs.loading_cpu_seconds
    cpu_seconds = len(accounts) * 24 * sync_seconds + chats * costs.cpu_seconds_per_chat
    seconds = costs.rounds * LATENCY_SECONDS + costs.loading_cpu_seconds
    an_hour = ONE_MACHINE.slots * 3600 / seconds
    return {
        "rounds": str(costs.rounds),
        "day_requests": f"{len(accounts) * 24 * costs.requests:,}",
        "day_cpu": f"{cpu_seconds:,.0f}",
        "day_cores": f"{cpu_seconds / 86_400:.1f}",
        "million_gb": f"{(_empty_mb(results) + 1e6 * _mb_per_chat(results)) / 1024:.1f}",
        "process_exact": f"{an_hour:,.0f}",
        "process_an_hour": f"{an_hour // 1000 * 1000:,.0f}",
        "core_an_hour": f"{3600 / costs.loading_cpu_seconds:,.0f}",
    }


def _postgres(rounds: int) -> dict[str, str]:
    """How long accounts take that are loaded one after another."""
    idle = POSTGRES_SECONDS["idle"] + rounds * LATENCY_SECONDS
    first = POSTGRES_SECONDS["first"] + POSTGRES_ROUNDS * LATENCY_SECONDS
    return {
        "postgres_idle": f"{POSTGRES_ACCOUNTS * idle:.0f} s, or {_minutes(POSTGRES_ACCOUNTS * idle / 60)}",
        "postgres_first": f"{POSTGRES_ACCOUNTS * first:.0f} s, or {_minutes(POSTGRES_ACCOUNTS * first / 60)}",
        "postgres_an_hour": f"{3600 / idle // 100 * 100:.0f}",
    }


def _quota(results: Results) -> dict[str, str]:
    requests = results.costs.requests
    chats_only = next(sync.requests for sync in results.single if (sync.streams, sync.kind) == ("chats", "nothing new"))
    hourly = REQUESTS_A_MINUTE * 60
    return {
        "requests": str(requests),
        "chats_only_requests": str(chats_only),
        "requests_a_day": f"{24 * requests:,}",
        "quota_a_day": f"{24 * hourly:,}",
        "quota_share": f"{requests / hourly:.2%}",
        "syncs_an_hour": str(hourly // requests),
        "chat_syncs_an_hour": f"{hourly // chats_only:,}",
        "fits_every_seconds": f"{3600 * requests / hourly:.0f}",
        "first_syncs": table(
            ("chats", "requests: chats only", "all streams", "minutes of quota", "minutes", "CPU minutes", "file GB"),
            [_first_row(each, results) for each in results.first_loads],
        ),
    }


def _simulated(results: Results) -> dict[str, str]:
    values = {f"hourly_{count}": _hourly([each for each in results.hourly if each.accounts == count]) for count in COUNTS}
    at_once = {
        (each.way, each.accounts): _minutes(each.fresh_minutes)
        for each in (*results.by_accounts, *results.hourly)
        if each.schedule == AT_ONCE
    }
    largest = make_accounts(COUNTS[-1])
    total_gb = files_gb(largest, _empty_mb(results), _mb_per_chat(results))
    return values | {
        "loads": table(
            ("accounts", "way", "at a time", "all loaded after", "memory GB", "CPU cores", "requests"),
            [
                [f"{each.accounts:,}", each.way, str(each.slots), _minutes(each.fresh_minutes), *_needs(each)]
                for each in results.loads
            ],
        ),
        "load_core_hours": f"{results.loads[-1].cpu_cores * results.loads[-1].fresh_minutes / 60:.0f}",
        "machine_100": at_once["one machine", 100],
        "machine_1000": at_once["one machine", 1_000],
        "cronjobs_1000": at_once["CronJobs", 1_000],
        "airflow_1000": at_once["Airflow", 1_000],
        "spark_1000": at_once["Spark", 1_000],
        "airbyte_100": at_once["Airbyte", 100],
        "money": _money(results),
        "total_gb": f"{total_gb:,.0f}",
        "disk_dollars": f"{disk_dollars_a_month(total_gb):,.0f}",
        "volumes_gb": f"{VOLUME_GB * COUNTS[-1]:,}",
        "volumes_dollars": f"{disk_dollars_a_month(VOLUME_GB * COUNTS[-1]):,.0f}",
        "disk_price": f"{DISK_GB_MONTH:.2f}",
        "mean_chats": f"{sum(each.chats_a_day for each in largest) / len(largest):.0f}",
        "largest_chats": f"{max(each.chats_a_day for each in largest):,.0f}",
        "largest_history": f"{max(each.history for each in largest) / 1e6:.0f}",
    }


def _sync_row(sync: SingleSync) -> list[str]:
    cost = sync.cost
    return [
        sync.kind,
        f"{sync.history:,}",
        f"{sync.new_chats:,}" if sync.kind == "new" else "",
        str(sync.requests),
        str(sync.rounds),
        f"{cost.cpu_seconds:.2f}",
        f"{cost.peak_mb:.0f}",
        f"{sync.file_mb:.1f}",
    ]


def _first_row(load: FirstLoad, results: Results) -> list[str]:
    chats_only = next(sync.requests for sync in results.single if (sync.streams, sync.kind) == ("chats", "nothing new"))
    return [
        f"{load.chats:,}",
        f"{chats_only - 1 + full_pages(load.chats):,}",
        f"{load.requests:,}",
        str(minutes_of_quota(load.requests, REQUESTS_A_MINUTE)),
        f"{load.minutes:.1f}",
        f"{load.cpu_minutes:.1f}",
        f"{(_empty_mb(results) + load.chats * _mb_per_chat(results)) / 1024:.2f}",
    ]


def _needs(each: Figures) -> list[str]:
    return [f"{each.memory_gb:.1f}", f"{each.cpu_cores:.1f}", f"{each.requests:,}"]


def _hourly(figures: Sequence[Figures]) -> str:
    return table(HOURLY_COLUMNS, [_hourly_row(each) for each in figures])


def _hourly_row(each: Figures) -> list[str]:
    median, high, oldest = (f"{minutes:.0f}" for minutes in each.age_minutes)
    late = falls_behind(each)
    return [
        each.way,
        f"{each.slots:,}",
        each.schedule,
        "**falls behind**" if late else _minutes(each.fresh_minutes),
        *(["grows"] * 3 if late else [median, high, oldest]),
        "grows" if late else f"{each.longest_queue:,}",
        f"{each.memory_gb:.1f}",
        f"{each.cpu_cores:.2f}" if each.cpu_cores >= 0.01 else "< 0.01",
        f"{each.requests * 24 / HOURS:,.0f}",
    ]


def falls_behind(figures: Figures) -> bool:
    """Whether more than one account in a hundred still waits when the next hour begins."""
    return figures.waiting_at_end > figures.accounts / 100


def _money(results: Results) -> str:
    rows = []
    for scenario, each in zip(HOURLY, results.hourly, strict=True):
        if not falls_behind(each):
            rows.append([f"{each.accounts:,}", each.way, str(each.slots), each.schedule, *_dollars(each, scenario.way)])
    return table(("accounts", "way", "at a time", "due", "machines", "dollars a month"), rows)


def _dollars(figures: Figures, way: Way) -> list[str]:
    return [str(machines_for(figures, way)), f"{dollars_a_month(figures, way):,.0f}"]


def _minutes(minutes: float) -> str:
    """Example: 0.13 -> "8 s", 5.8 -> "5.8 min", 646 -> "10.8 h"."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    return f"{minutes:.1f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _peak_mb(results: Results, parallel: int) -> float:
    return max(run.cost.peak_mb for run in results.crowd if (run.kind, run.parallel) == ("nothing new", parallel))


def _mb_per_chat(results: Results) -> float:
    small, large = (_first(results, size) for size in sorted(SIZES))
    return (large.file_mb - small.file_mb) / (large.history - small.history)


def _empty_mb(results: Results) -> float:
    small = _first(results, min(SIZES))
    return small.file_mb - small.history * _mb_per_chat(results)


def _first(results: Results, size: int) -> SingleSync:
    return next(sync for sync in results.single if (sync.streams, sync.kind, sync.history) == ("all", "first", size))


assert CHATS_A_PAGE == 1000, "the page explains the requests with pages of 1,000"
