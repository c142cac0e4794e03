"""Write docs/licences.md: ``python -m release.licences``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distribution.release.packages import ROOT, Package, locked

PYPI: Final = "https://pypi.org/project"
DOCUMENT: Final = ROOT / "docs/licences.md"
TEXT: Final = """\
# Licences

zendesk-chat is under the [MIT licence](../LICENSE). `make licences` writes this page from uv.lock and from what the
packages declare of themselves; a test fails when it is out of date. Most bring their licence's text along, in `.dist-info`.

## The source, and what the image holds

{core}

The image adds them to Debian's slim base with Debian's Python. The licences of its packages are in the image, in
`/usr/share/doc/*/copyright`.

## What `zendesk-chat[load]` adds

{load}
"""


def table(packages: Sequence[Package]) -> str:
    """The packages as a table."""
    rows = [f"| [{one.name}]({PYPI}/{one.name}/{one.version}/) | {one.version} | {one.licence} |" for one in packages]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows])


def text() -> str:
    """The page as it should be."""
    core = locked()
    return TEXT.format(core=table(core), load=table([one for one in locked("load") if one not in core]))


def main(document: Path = DOCUMENT) -> None:
    """Write the page."""
    document.write_text(text())


if __name__ == "__main__":
    main()
