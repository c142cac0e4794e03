"""Take the JavaScript of the report's charts from npm: ``python -m distribution.release.bundled``.

The versions and the digests of their archives are pinned here. To update one, change both and run ``make vega``.
"""

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from distribution.release.packages import ROOT

FOLDER: Final = ROOT / "src/zendesk_chat/report/page/vega"
LICENCES: Final = "LICENCES.txt"


@dataclass(frozen=True, slots=True)
class Bundled:
    """A package of npm.

    Attributes:
        integrity: The digest of its archive, as npm publishes it.
        script: The file that we take; empty if the package is a part of another one's file, and only its licence is needed.
    """

    name: str
    version: str
    licence: str
    integrity: str
    script: str = ""

    @property
    def purl(self) -> str:
        """The package's URL in a bill of materials."""
        return f"pkg:npm/{self.name}@{self.version}"


PACKAGES: Final = (
    Bundled(
        "vega",
        "6.4.0",
        "BSD-3-Clause",
        "sha512-rHXCq2LpEWCLMjXBEj7hocY9G0/i5TGYRayGGSj06VTF4+l2IG2Z7oeZKCjWbUh/7hTE/mVhbaOPB72wCElh6g==",
        "build/vega.min.js",
    ),
    Bundled(
        "vega-lite",
        "6.5.0",
        "BSD-3-Clause",
        "sha512-fMXF6s0MrIg0UTWnLIfeFtgSLzVhyzSKobzGrh5rhS+mL6FOYFG3m7ouJ4U23gj65EK+gl9FIIT5w7wLNaAzkA==",
        "build/vega-lite.min.js",
    ),
    Bundled(
        "vega-embed",
        "7.3.0",
        "BSD-3-Clause",
        "sha512-wQ8s5GaSzqoKgmRfbRolgBrjE2CP7ZKHXqH7NijxMqPjpdWxSs4Dn8tvp9g0giQvh2cK+3p56sxjWWM0wNngGw==",
        "build/vega-embed.min.js",
    ),
    Bundled(
        "d3",
        "7.9.2",
        "ISC",
        "sha512-ZKb/mONPVKzaO5UlcWcwN8bS4ezvQaYu+bsou+XgNABdGC800kwH651ADTbbTxMPHW13UlvbQafdmJQDk1w7Mg==",
    ),
    Bundled(
        "topojson-client",
        "3.1.0",
        "ISC",
        "sha512-605uxS6bcYxGXw9qi62XyrV6Q3xwbndjachmNxu8HWTtVPxZfEJN9fd/SZS1Q54Sn2y0TMyMxFj/cJINqGHrKw==",
    ),
    Bundled(
        "delaunator",
        "5.1.0",
        "ISC",
        "sha512-AGrQ4QSgssa1NGmWmLPqN5NY2KajF5MqxetNEO+o0n3ZwZZeTmt7bBnvzHWrmkZFxGgr4HdyFgelzgi06otLuQ==",
    ),
    Bundled(
        "fast-json-patch",
        "3.1.1",
        "MIT",
        "sha512-vf6IHUX2SBcA+5/+4883dsIjpBTqmfBjmYiWK1savxQmFk4JfBMLa7ynTYOs1Rolp/T1betJxHiGD3g1Mn8lUQ==",
    ),
    Bundled(
        "semver",
        "7.8.6",
        "ISC",
        "sha512-9lpSSU4Mly3mrtruwLs1eLK6+gzbzqeBFwRNjIjE+9LuDpWdYctrQlQ3ej1Ilgi7gknpsTRnPoLP8DpCHqHIJw==",
    ),
    Bundled(
        "json-stringify-pretty-compact",
        "4.0.0",
        "MIT",
        "sha512-3CNZ2DnrpByG9Nqj6Xo8vqbjT4F6N+tb4Gb28ESAZjYZ5yqvmc56J+/kuIwkaAMOyblTQhUW7PxMkUb8Q36N3Q==",
    ),
)


def main(folder: Path = FOLDER) -> None:
    """Write the scripts and a file with all licences."""
    notices = []
    with tempfile.TemporaryDirectory() as temporary:
        for package in PACKAGES:
            script, licence = take(package, Path(temporary))
            notices.append(f"{package.name} ({package.licence})\n\n{licence.strip()}\n")
            if package.script:
                (folder / Path(package.script).name).write_text(script)
    (folder / LICENCES).write_text("\n\n".join(notices).replace("*/", "* /"))  # the page shows them in a comment of a script


def take(package: Bundled, folder: Path) -> tuple[str, str]:
    """Return the script and the licence of a package, after its archive was compared with the pinned digest."""
    command = ["npm", "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", str(folder)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    digest = hashlib.sha512((folder / name).read_bytes()).digest()
    if package.integrity != f"sha512-{base64.b64encode(digest).decode()}":
        raise SystemExit(f"{package.name} {package.version} is not the archive that is pinned in {__file__}.")
    with tarfile.open(folder / name) as archive:
        files = {member.name.removeprefix("package/"): member for member in archive if member.isfile()}
        licence = next(path for path in files if path.upper().startswith("LICEN"))
        wanted = [path for path in (package.script, licence) if path]
        found = {path: _text(archive, files[path]) for path in wanted}
    lines = found.get(package.script, "").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("//# sourceMappingURL")), found[licence]


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member)
    return file.read().decode() if file else ""


if __name__ == "__main__":
    main()
