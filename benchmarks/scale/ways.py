"""The ways to run many syncs, as the simulation sees them: how many at a time, how fast they start, what a try costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run syncs. ``docs/scale.md`` names the source of each figure.

    Attributes:
        slots: How many syncs run at the same time.
        cores: How many syncs can use a CPU at the same time. The threads of one Python process share about one core.
        start_seconds: From a free slot to the first line of the program.
        starts_a_second: How many syncs the scheduler starts; 0 for no limit.
        retries: How often a sync that failed is started again before the next one is due.
        retry_seconds: The wait before that.
        own_process: Each sync is a process, which first has to start.
        commits_together: The records of all accounts become visible when the last one is read.
        base_mb: Memory without any sync.
        sync_mb: Memory of each sync at work.
    """

    name: str
    slots: int
    cores: int
    start_seconds: float = 0.0
    starts_a_second: float = 0.0
    retries: int = 0
    retry_seconds: float = 0.0
    own_process: bool = True
    commits_together: bool = False
    base_mb: int = 0
    sync_mb: int = 0

    def with_slots(self, slots: int) -> Way:
        """The same with more workers, each with a core as before."""
        return replace(self, slots=slots, cores=max(1, round(slots * self.cores / self.slots)))


ONE_MACHINE: Final = Way("one machine", slots=4, cores=1, own_process=False, base_mb=250, sync_mb=150)
CRONJOBS: Final = Way(
    "CronJobs",
    slots=100,
    cores=25,  # each pod requests 250m
    start_seconds=5,
    starts_a_second=5,
    retries=3,
    retry_seconds=10,
    sync_mb=384,
)
AIRFLOW: Final = Way(
    "Airflow", slots=8, cores=4, start_seconds=2.6, starts_a_second=2, retries=3, retry_seconds=300, sync_mb=500
)
AIRBYTE: Final = Way("Airbyte", slots=10, cores=5, start_seconds=33, retries=2, retry_seconds=10, sync_mb=1152)
SPARK: Final = Way("Spark", slots=2, cores=2, retries=3, own_process=False, commits_together=True, base_mb=1024, sync_mb=150)
