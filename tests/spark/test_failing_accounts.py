"""What a scheduler sees of an account that fails: real queries, in a driver of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.spark.accounts import started

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore")]


def test_a_driver_logs_the_account_that_fails_reads_the_others_and_exits_with_an_error(tmp_path: Path) -> None:
    with ExitStack() as stack:
        accounts = started(tmp_path, stack, chats=60, number=2)
        accounts.token_file("a1").write_text("wrong-token")
        driver = subprocess.run(
            [sys.executable, "examples/spark_parquet.py", accounts.path, str(tmp_path / "lake")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert driver.returncode == 1, driver.stderr[-3000:]
    assert re.search(r"^.* WARNING zendesk_chat: a1 is not read this time: .*HTTP 401", driver.stderr, re.MULTILINE)
    assert "Accounts that were not read: 1 of 2. The others are complete. a1: " in driver.stderr
    assert "wrong-token" not in driver.stderr + driver.stdout
    for stream in ("chats", "chat_events"):
        table = pq.read_table(tmp_path / "lake" / stream)
        assert set(table["account"].to_pylist()) == {"a0"}
