"""docs/many-accounts.md and the recipes in deploy/ agree; ``make recipes`` and ``make kubernetes`` run the recipes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_names_files_and_headings_that_exist() -> None:
    page = (ROOT / "docs" / "many-accounts.md").read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) > 10
    for link in links:
        path, _, heading = link.partition("#")
        assert (ROOT / "docs" / path).exists(), link
        assert path or heading in headings, link
    for path in re.findall(r"deploy/[\w./-]+", page):
        assert (ROOT / path).exists(), path
