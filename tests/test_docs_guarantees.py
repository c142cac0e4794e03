"""Each guarantee in docs/delivery-guarantees.md quotes tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (ROOT / "docs/delivery-guarantees.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| guarantee |")
]
TESTS = [path for folder in ("tests", "conformance") for path in (ROOT / folder).rglob("test_*.py")]
FILES = [path.relative_to(ROOT) for folder in ("tests", "conformance") for path in (ROOT / folder).rglob("*.py")]
NAMES = {name.replace("_", " ") for path in TESTS for name in re.findall(r"^def test_(\w+)", path.read_text(), re.MULTILINE)}


@pytest.mark.parametrize(("guarantee", "shown_by"), ROWS, ids=[guarantee[:50] for guarantee, _ in ROWS])
def test_the_tests_of_a_guarantee_exist(guarantee: str, shown_by: str) -> None:
    files, names = re.findall(r"`([\w/.]+)`", shown_by), re.findall(r"\*([^*]+)\*", shown_by)
    assert files or names
    assert [file for file in files if not any(f"/{path}".endswith(f"/{file}") for path in FILES)] == []
    assert [quoted for quoted in names if not any(name.startswith(quoted) for name in NAMES)] == []


def test_rows_are_found() -> None:
    assert len(ROWS) > 40
    assert len(NAMES) > 500
