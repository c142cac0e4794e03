"""A driver that is killed with -9 in the middle of a stream, and started again: nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from tests.destinations.content import check_content
from tests.spark.accounts import Accounts, started
from tests.spark.driver import example

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
Read = Callable[[str], Iterable[Mapping[str, Any]]]
ROOT = Path(__file__).parents[2]


def run(kind: str, accounts: Accounts, lake: Path, function: str = "", call: int = 0) -> None:
    """Run a driver. If it is to stop at a call, kill it there with all of its processes."""
    arguments = [kind, accounts.path, str(lake), str(lake.parent / "quota"), function, str(call)]
    log = lake.parent / f"driver-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        driver = subprocess.Popen(
            [sys.executable, "-m", "tests.spark.driver", *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            while call and not (lake / "reached").exists():
                assert driver.poll() is None, log.read_text(errors="replace")[-5000:]
                time.sleep(0.2)
            if not call:
                assert driver.wait(300) == 0, log.read_text(errors="replace")[-5000:]
        finally:
            if driver.poll() is None:
                os.killpg(driver.pid, signal.SIGKILL)
                driver.wait()


def delta_rows(lake: Path, stream: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = DeltaTable(str(lake / stream)).to_pyarrow_table().to_pylist()
    return rows


def edit(accounts: Accounts) -> None:
    """Change chats that were loaded and chats that were not, add some, and let an hour pass."""
    for sandbox in accounts.sandboxes.values():
        ids = sandbox.account.chat_ids()
        for number, identity in enumerate((ids[3], ids[len(ids) // 2], ids[-3])):
            history: Any = sandbox.account.chat(identity).get("history") or []
            sandbox.account.edit_chat(identity, comment=f"edited {number}", history=history[:2])
        sandbox.account.add_chats(5)
        sandbox.clock.advance(3600)


def check(accounts: Accounts, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    for name, sandbox in accounts.sandboxes.items():

        def read(stream: str, name: str = name) -> list[dict[str, Any]]:
            return [row for row in rows[stream] if row["account"] == name]

        check_content(sandbox, read, ["chats", "chat_events"])


def accounts_of(folder: Path, stack: ExitStack, clock_skew: float = 0) -> Accounts:
    return started(folder, stack, chats=60, clock_skew=clock_skew, number=2)


def test_delta_after_rows_are_stored_and_before_their_offset_is(tmp_path: Path) -> None:
    (lake := tmp_path / "lake").mkdir()
    with ExitStack() as stack:
        accounts = accounts_of(tmp_path, stack, clock_skew=7200)
        run("delta", accounts, lake, "merge_batch", -2)
        edit(accounts)
        run("delta", accounts, lake)
        check(accounts, {stream: delta_rows(lake, stream) for stream in ("chats", "chat_events")})


def test_delta_when_rows_of_chats_are_deleted_and_their_new_rows_are_not_there_yet(tmp_path: Path) -> None:
    (lake := tmp_path / "lake").mkdir()
    with ExitStack() as stack:
        accounts = accounts_of(tmp_path, stack, clock_skew=-7200)
        run("delta", accounts, lake)
        before = len(delta_rows(lake, "chat_events"))
        edit(accounts)
        run("delta", accounts, lake, "upsert", 2)
        assert len(delta_rows(lake, "chat_events")) < before
        run("delta", accounts, lake)
        check(accounts, {stream: delta_rows(lake, stream) for stream in ("chats", "chat_events")})


def test_parquet(tmp_path: Path, spark: SparkSession) -> None:
    (lake := tmp_path / "lake").mkdir()
    module = example("parquet")
    with ExitStack() as stack:
        accounts = accounts_of(tmp_path, stack)
        run("parquet", accounts, lake, "write_batch", -2)
        edit(accounts)
        run("parquet", accounts, lake)
        chats = module.latest(spark, str(lake / "chats")).toArrow().to_pylist()
        events = module.latest_of_chats(spark, str(lake / "chat_events")).toArrow().to_pylist()
        check(accounts, {"chats": chats, "chat_events": events})
