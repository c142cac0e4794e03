"""A load killed with SIGKILL at any time resumes from what is in the database, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


MERGED = 'DELETE FROM "main"."chat_events"'
EDIT = {  # the state, and the page whose children are there
    f"1:COMMIT {MERGED}": "1 1",
    f"1:{LOADED}": "1 2",
    f"2:{LOADED}": "2 3",
}


@pytest.mark.parametrize(("full_refresh", "kills"), [(False, FIRST_LOAD), (True, FULL_REFRESH)])
def test_a_killed_load_resumes(tmp_path: Path, full_refresh: bool, kills: dict[str, int]) -> None:
    lines = run_script("load", tmp_path, str(full_refresh), *kills)
    assert [int(line) for line in lines] == list(kills.values())


def test_children_of_edited_chats_are_all_replaced_or_none(tmp_path: Path) -> None:
    assert run_script("edit", tmp_path, *EDIT) == list(EDIT.values())


def run_script(what: str, directory: Path, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "tests.support.killed", what, str(directory), *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(directory)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
