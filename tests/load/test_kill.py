"""A load killed with SIGKILL at any moment resumes from what is in the database, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLED = Path(__file__).with_name("killed.py")


LOADED = 'INSERT INTO "main"."_dlt_loads"'  # dlt's last statement of a transaction: from here on its state counts
FIRST_LOAD = {
    f"2:{LOADED}": 0,
    f"3:{LOADED}": 2,
}
FULL_REFRESH = {
    '1:COMMIT DELETE FROM "main"."departments"': 0,
    '1:COMMIT DELETE FROM "main"."chats"': 0,
    f"3:{LOADED}": 0,
}


@pytest.mark.parametrize(("full_refresh", "moments"), [(False, FIRST_LOAD), (True, FULL_REFRESH)])
def test_a_killed_load_resumes(tmp_path: Path, full_refresh: bool, moments: dict[str, int]) -> None:
    command = [sys.executable, str(KILLED), str(tmp_path), str(full_refresh), *moments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [int(line) for line in done.stdout.split()] == list(moments.values())
