"""Syncs of a complete account, killed again and again while it changes, end with exactly what the account holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

KILLS = 15 if "SOAK" in os.environ else 6


def test_syncs_killed_at_random_times_end_with_what_the_account_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.killed_syncs", str(tmp_path), "1", str(KILLS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = done.stdout.splitlines()
    assert len(ended) == KILLS
    assert any(line.startswith("-9 ") for line in ended)
