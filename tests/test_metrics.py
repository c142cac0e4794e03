"""The figures of ``make metrics`` are counted as they should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.metrics import measure, table

ROOT = Path(__file__).parent.parent
SOURCE = """\
from typing import Any

class Value:
    def method(self) -> Any:  # noqa: ANN401
        def nested() -> int:
            class Inner:
                def method(self) -> int:
                    return 1
            return Inner().method()
        return nested()

x: list[Any] = []  # type: ignore[misc]
"""
FILES = {
    "src/zendesk_chat/cli.py": "1\n" * 8,
    "src/zendesk_chat/api/client.py": SOURCE,
    "src/zendesk_chat_sandbox/cli.py": "def f():\n    def g(): ...\n",
    "tests/test_x.py": "",
    "tests/conftest.py": "",
    "tests/support/__init__.py": "",
    "tests/support/clock.py": "",
    "conformance/pod.py": "",
    "deploy/other.py": "",
}


def test_what_is_counted() -> None:
    assert measure(FILES) == {
        "lines of *.py": "8",
        "lines of api/": "12",
        "lines of the connector": "20",
        "lines of the sandbox": "2",
        "nested functions": "2",
        "Any per 1,000 lines": "100.0",
        "suppressions per 1,000 lines": "100.0",
        "longest function": "7 lines: method in api/client.py",
        "longest file": "12 lines: api/client.py",
        "helper modules of tests": "2",
    }


def test_a_package_of_an_earlier_name_is_counted_too() -> None:
    before = {name.replace("src/zendesk_chat/", "src/source_zendesk_chat/"): text for name, text in FILES.items()}
    assert measure(before) == measure(FILES)


def test_columns_are_side_by_side() -> None:
    lines = list(table({"v1": {"lines of load/": "7", "nested": "3"}, "now": {"lines of api/": "12", "nested": "2"}}))
    assert lines == ["                v1  now", "lines of api/       12", "lines of load/  7", "nested          3   2"]


@pytest.mark.long
def test_the_checkout_is_compared_with_a_revision() -> None:
    command = [sys.executable, "-m", "tools.metrics", "--against", "HEAD"]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert shown.splitlines()[0].split() == ["HEAD", "now"]
    assert "lines of the connector" in shown
    assert "time of make test" in shown
