"""docs/troubleshooting.md quotes messages that the program has."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.support.pages import ROOT
from tests.test_docs_airbyte import SOURCE, occurs, strings

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
FRAGMENTS = [
    fragment
    for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    for _, fragment in re.findall(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", row)
]
SHORTEST = 10


@cache
def quotable() -> frozenset[str]:
    """All strings of the program."""
    return frozenset(text for path in SOURCE.rglob("*.py") for text in strings(path))


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_the_program_has_the_quoted_message(fragment: str) -> None:
    assert any(occurs(fragment, text) for text in quotable())
    assert len(fragment.replace("...", "").strip(" :.")) >= SHORTEST


def test_each_row_has_a_message_or_a_symptom_and_a_remedy() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
    assert all(remedy.endswith((".", "---")) or remedy == "what to do" for _, remedy in rows)
    assert len(FRAGMENTS) > 30
