"""Check the links between the Markdown files of the repository: ``python -m tools.docs_links``.

Every relative link must lead to a file or folder of the repository, and every anchor to a heading, as GitHub makes them.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FENCED: Final = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2`*[ \t]*$", re.MULTILINE | re.DOTALL)
CODE: Final = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK: Final = re.compile(r"(?<=\])\(([^()\s]+)(?: \"[^\"]*\")?\)|\b(?:src|href)=\"([^\"]+)\"")
HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
GENERATED: Final = re.compile(r"^(?:::: |<!-- The site has )", re.MULTILINE)
"""A page with such a line gets headings from docstrings or parsers, which only the built site has."""
TEMPLATES: Final = {"benchmarks/report.md", "benchmarks/scale/report.md"}
"""Become documents in another folder."""


def documents() -> list[Path]:
    """Return the Markdown files of the repository, also those that git does not know yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [ROOT / name for name in sorted(set(names) - TEMPLATES) if (ROOT / name).exists()]


def blank(found: re.Match[str]) -> str:
    """Replace a match by blanks, so that the positions after it stay."""
    return re.sub(r"[^\n]", " ", found[0])


def prose(text: str) -> str:
    """Return a document without its code, which may look like links and headings."""
    return CODE.sub(blank, FENCED.sub(blank, text))


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the target of each link and picture that leads into the repository."""
    for found in LINK.finditer(prose(text)):
        target = found[1] or found[2]
        if not re.match(r"[a-z][a-z+.-]*:", target):
            yield text.count("\n", 0, found.start()) + 1, target


def anchors(text: str) -> set[str]:
    """Return the anchors of the headings: ``What it's for`` becomes ``what-its-for``, and a second one gets ``-1``."""
    seen: dict[str, int] = {}
    names = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
    for heading in HEADING.findall(FENCED.sub(blank, text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        names.add(f"{slug}-{number}" if number else slug)
    return names


def problem(document: Path, target: str) -> str:
    """Return what is wrong with a link of a document, or an empty string."""
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    if not file.is_relative_to(ROOT):
        return f"{target} leads out of the repository"
    if not file.exists():
        return f"{target} does not exist"
    if anchor and file.suffix == ".md":
        text = file.read_text(encoding="utf-8")
        if anchor not in anchors(text) and not GENERATED.search(text):
            return f"{target}: no heading has this anchor"
    return ""


def problems(document: Path) -> list[str]:
    """Return a sentence for each broken link of a document."""
    text = document.read_text(encoding="utf-8")
    found = ((line, problem(document, target)) for line, target in links(text))
    return [f"{document.relative_to(ROOT)}:{line}: {what}" for line, what in found if what]


def main() -> None:
    """Print the broken links of all documents. Exits with 1 if there are any."""
    pages = documents()
    broken = [sentence for page in pages for sentence in problems(page)]
    print("\n".join(broken) or f"The links of {len(pages)} documents work.")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
