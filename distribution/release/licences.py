"""Write docs/licences.md: ``python -m distribution.release.licences``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distribution.release.bundled import PACKAGES, Bundled
from distribution.release.packages import ROOT, Package, locked

PYPI: Final = "https://pypi.org/project"
NPM: Final = "https://www.npmjs.com/package"
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

## JavaScript in the pages of `zendesk-chat report`

The package contains these scripts, and a report contains them with their licences. `make vega` takes them from npm.

{bundled}

They contain code of {contained}.
"""


def table(packages: Sequence[Package]) -> str:
    """Return a Markdown table of the packages."""
    rows = [f"| [{one.name}]({PYPI}/{one.name}/{one.version}/) | {one.version} | {one.licence} |" for one in packages]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows])


def scripts(packages: Sequence[Bundled]) -> str:
    """Return a Markdown table of packages of npm."""
    rows = [f"| [{one.name}]({NPM}/{one.name}/v/{one.version}) | {one.version} | {one.licence} |" for one in packages]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows])


def page() -> str:
    """Return the page for the current lock file."""
    core = locked()
    contained = ", ".join(f"{one.name} ({one.licence})" for one in PACKAGES if not one.script)
    return TEMPLATE.format(
        core=table(core),
        load=table([package for package in locked("load") if package not in core]),
        bundled=scripts([one for one in PACKAGES if one.script]),
        contained=contained,
    )


def main(document: Path = DOCUMENT) -> None:
    """Write the page."""
    document.write_text(page())


if __name__ == "__main__":
    main()
