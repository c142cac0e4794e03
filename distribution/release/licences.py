"""Write docs/licences.md: ``python -m distribution.release.licences``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distribution.release.packages import ROOT, Package, locked

PYPI: Final = "https://pypi.org/project"
DOCUMENT: Final = ROOT / "docs/licences.md"
TEMPLATE: Final = """\
# Licences

zendesk-chat has the [MIT licence](../LICENSE). `make licences` generates this page from uv.lock and from the
packages' own metadata; a test fails when it is out of date. Most packages include their licence in `.dist-info`.

## The Airbyte source and the image

{core}

The image installs them on Debian's slim base with Debian's Python. The licences of
Debian's packages are in the image, in `/usr/share/doc/*/copyright`.

## Added by `zendesk-chat[load]`

{load}
"""


def table(packages: Sequence[Package]) -> str:
    """Return a Markdown table of the packages."""
    rows = [f"| [{one.name}]({PYPI}/{one.name}/{one.version}/) | {one.version} | {one.licence} |" for one in packages]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows])


def page() -> str:
    """Return the page for the current lock file."""
    core = locked()
    return TEMPLATE.format(core=table(core), load=table([package for package in locked("load") if package not in core]))


def main(document: Path = DOCUMENT) -> None:
    """Write the page."""
    document.write_text(page())


if __name__ == "__main__":
    main()
