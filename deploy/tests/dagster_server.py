"""Dagster as it runs in production: the daemon starts the runs of the schedule, each in processes of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from processes import running

from tests.support.executable import ROOT

RECIPES = ROOT / "deploy" / "orchestrators"
BIN = Path(sys.executable).parent
FASTER = {
    'cron_schedule="17 * * * *"': 'cron_schedule="* * * * *", default_status=dg.DefaultScheduleStatus.RUNNING',
    "delay=300": "delay=1",
}
"""What is changed in the recipe, or a test would wait for an hour."""


@dataclass(frozen=True)
class Dagster:
    """A running Dagster."""

    home: Path
    instance: dg.DagsterInstance

    def run_of(self, account: str, tick: int) -> dg.DagsterRun | None:
        """The run of an account that the schedule started at its first, second, ... tick of this account."""
        runs = self.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": account}))
        return runs[-tick] if len(runs) >= tick else None

    def status(self, account: str, tick: int) -> str:
        run = self.run_of(account, tick)
        return run.status.value if run is not None else "not requested"

    def ended(self, accounts: Iterable[str]) -> bool:
        """Whether the first run of each account has ended."""
        return all(self.status(account, 1) in {"SUCCESS", "FAILURE", "CANCELED"} for account in accounts)

    def retries(self, account: str, tick: int) -> int:
        """How many retries of the asset a run has requested."""
        run = self.run_of(account, tick)
        assert run is not None
        return len(self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY))

    def figures(self, account: str) -> dict[str, float]:
        """The metadata of the first materialization of an account."""
        run = self.run_of(account, 1)
        assert run is not None
        (entry,) = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        assert entry.asset_materialization is not None
        metadata = entry.asset_materialization.metadata
        return {name: float(str(value.value)) for name, value in metadata.items() if not name.startswith("dagster/")}

    def stop(self, account: str, tick: int) -> None:
        """Stop a run, as the button of the UI does."""
        run = self.run_of(account, tick)
        assert run is not None
        assert self.instance.run_launcher.terminate(run.run_id)

    def files_with(self, secret: str) -> list[Path]:
        """The files of its databases, logs and outputs that contain a string."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return [path for path in files if secret.encode() in path.read_bytes()]


@contextmanager
def running_dagster(home: Path, settings: Mapping[str, str]) -> Iterator[Dagster]:
    """Start the daemon with a copy of the recipe whose schedule ticks every minute, and which retries after a second."""
    shutil.copy(RECIPES / "dagster.yaml", home)
    recipe = _faster_recipe(home / "recipe")
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "DAGSTER_HOME": str(home), "DO_NOT_TRACK": "1", **settings}
    instance = dg.DagsterInstance.from_config(str(home))  # first, so that only one process creates the databases
    command = [BIN / "dagster-daemon", "run", "-f", recipe]
    with instance, running(command, environment, home / "daemon.log", recipe.parent, stop=signal.SIGINT):
        yield Dagster(home, instance)


def _faster_recipe(folder: Path) -> Path:
    folder.mkdir()
    shutil.copy(RECIPES / "account_sync.py", folder)
    text = (RECIPES / "zendesk_chat_dagster.py").read_text()
    for slow, fast in FASTER.items():
        assert slow in text
        text = text.replace(slow, fast)
    recipe = folder / "zendesk_chat_dagster.py"
    recipe.write_text(text)
    return recipe
