"""What machines and disks cost a month. Replace the prices with yours: each figure of the page follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

from benchmarks.scale.figures import Figures
from benchmarks.scale.population import Account
from benchmarks.scale.ways import Way

HOURS_A_MONTH: Final = 730
MACHINE_HOUR: Final = 0.0816  # US dollars: m7g.large, 2 cores and 8 GB, us-east-1, June 2026
MACHINE_CORES: Final = 2
MACHINE_GB: Final = 6  # of the 8 GB; the rest is for the system
CLUSTER_HOUR: Final = 0.10  # EKS, March 2026
DISK_GB_MONTH: Final = 0.08  # gp3, us-east-1
VOLUME_GB: Final = 5  # of each CronJob, as in the recipe
ALWAYS_ON: Final[Mapping[str, tuple[int, int]]] = {
    "CronJobs": (0, 1),
    "Airflow": (2, 0),
    "Airbyte": (2, 1),
    "Spark": (1, 0),
}
"""Machines and clusters that run without any sync, by the first word of a way: schedulers, servers, databases, a driver."""


def machines_for(figures: Figures, way: Way) -> int:
    """Machines for the syncs at work: for their memory, or for the cores that they reserve.

    Example: 39 pods of 384 MB and a quarter of a core need 15 GB and 10 cores: 3 machines for the memory, 5 for the cores.
    """
    cores = figures.most_at_work * way.cores / way.slots
    return ceil(max(figures.memory_gb / MACHINE_GB, cores / MACHINE_CORES))


def dollars_a_month(figures: Figures, way: Way) -> float:
    """Machines and clusters, without disks."""
    machines, clusters = ALWAYS_ON.get(way.name.split(",")[0], (0, 0))
    hourly = (machines_for(figures, way) + machines) * MACHINE_HOUR + clusters * CLUSTER_HOUR
    return hourly * HOURS_A_MONTH


def files_gb(accounts: Sequence[Account], empty_mb: float, mb_per_chat: float) -> float:
    """Return the size of all DuckDB files with the history of their accounts."""
    return sum(empty_mb + mb_per_chat * account.history for account in accounts) / 1024


def disk_dollars_a_month(gigabytes: float) -> float:
    """Disk space without backups."""
    return gigabytes * DISK_GB_MONTH
