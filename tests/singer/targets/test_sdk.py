"""Meltano's SDK accepts catalog, schemas, records and keys of each stream."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.singer.targets.conftest import Programs
from tests.singer.test_process import TAP
from tests.support.executable import environment, files
from tests.support.in_process import ALL
from tests.support.sandbox import config_of, small

SUITE = Path(__file__).with_name("sdk_suite.py")


def test_the_tap_tests_of_the_sdk_pass(programs: Programs, tmp_path: Path) -> None:
    with small(chats=120) as sandbox:
        config = files(tmp_path, config=config_of(sandbox))[1]
        suite = shutil.copy(SUITE, tmp_path)  # away from this project's own settings of pytest
        done = subprocess.run(
            [programs.meltano / "python", "-m", "pytest", "-q", "--rootdir", tmp_path, suite],
            cwd=tmp_path,
            env=environment(TAP=str(TAP), TAP_CONFIG=config, HOME=str(tmp_path)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        passed = re.search(r"(\d+) passed", done.stdout)
        assert passed
        assert int(passed[1]) > 6 * len(ALL)
