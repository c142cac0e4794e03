"""Print the version; with ``--tag v1.2.3``, only if the tag and the changelog agree with it."""

import argparse
import re
import sys
from pathlib import Path
from typing import Final

from zendesk_chat import __version__

CHANGELOG: Final = Path(__file__).parents[2] / "CHANGELOG.md"


def disagreement(tag: str, changelog: str) -> str | None:
    """Return why this tag is no release of this version, or ``None`` if it is one."""
    if tag != f"v{__version__}":
        return f"The tag is {tag}, but the version is {__version__} (src/zendesk_chat/_version.py)."
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    if not headings or not re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)", headings[0]):
        return f"CHANGELOG.md must begin with the heading ## {__version__} (2026-12-31), with the date of the release."
    return None


def main() -> None:
    """Print the version or fail with the reason."""
    parser = argparse.ArgumentParser("distribution.release.version", description=__doc__)
    parser.add_argument("--tag")
    tag = parser.parse_args().tag
    if tag and (problem := disagreement(tag, CHANGELOG.read_text())):
        sys.exit(problem)
    print(__version__)


if __name__ == "__main__":
    main()
