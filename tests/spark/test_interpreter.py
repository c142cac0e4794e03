"""The driver warns if the workers would run another Python. No Spark runs here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zendesk_chat.spark.interpreter import other_python


@pytest.fixture(autouse=True)
def _in_a_virtual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    monkeypatch.setattr(sys, "prefix", "/app/venv")
    monkeypatch.setattr(sys, "executable", "/app/venv/bin/python")


def python3_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    (folder / "python3").touch(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_virtual_environment_that_workers_do_not_use_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python3_in(tmp_path / "bin", monkeypatch)
    warning = other_python()
    assert warning is not None
    assert warning.startswith(f"Spark's workers run {tmp_path}/bin/python3, not /app/venv/bin/python.")
    assert warning.endswith("run `export PYSPARK_PYTHON=/app/venv/bin/python`, and start it again.")


def test_an_activated_environment_a_set_variable_and_a_system_python_are_fine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python3_in(tmp_path / "venv/bin", monkeypatch)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/bin/python"))
    assert other_python() is None
    monkeypatch.setenv("PATH", "")
    assert other_python() is not None
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert other_python() is None
    monkeypatch.setattr(sys, "prefix", "/app/venv")
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python3")
    assert other_python() is None
