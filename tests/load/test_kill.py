"""A load killed with SIGKILL before any of its statements leaves rows and a state that belong together, and resumes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_killed_load_resumes(tmp_path: Path, full_refresh: bool) -> None:
    positions = run_script("load", tmp_path, str(full_refresh))
    assert {"0", "2", "4"} >= set(positions) > {"0"}, "it was killed before and after the first commits"


def test_children_of_edited_chats_are_all_replaced_or_none(tmp_path: Path) -> None:
    positions = run_script("edit", tmp_path)
    assert positions == sorted(positions)
    assert set(positions) >= {"1", "2"}


def run_script(what: str, directory: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "tests.support.killed", what, str(directory), *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(directory)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
