"""What a machine without a registry needs: packages of Debian, and a base image made of them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from distribution.image import engine

MIRROR: Final = "http://deb.debian.org/debian"
# Debian's own slim images exclude these files too; licences stay.
_SLIM: Final = (
    "./dev/*",
    "./usr/share/doc/*/changelog*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
)


def require(*packages: str, install: bool) -> None:
    """Have these packages: install them if asked to, else say how."""
    listed = subprocess.run(["dpkg-query", "--show", *packages], capture_output=True, check=False)
    if not listed.returncode:
        return
    how = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not install:
        sys.exit(f"Needed: {' '.join(how)} (as root; or let it be done: make image OPTIONS=--install)")
    subprocess.run(["apt-get", "update"], check=True)
    subprocess.run(how, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})


def make_base(release: str) -> str:
    """Make an image of Debian's minimal system, as its slim images are made, and return its name."""
    machine = engine.PLATFORM.split("/")[-1]
    name = f"localhost/debian{machine and '-'}{machine}:{release}-slim"
    chosen = [f"--arch={machine}"] if machine else []
    with tempfile.TemporaryDirectory() as folder:
        system, archive = Path(folder) / "system", Path(folder) / "system.tar"
        subprocess.run(["debootstrap", "--variant=minbase", *chosen, release, system, MIRROR], check=True)
        _add_security(system, release)
        excluded = [f"--exclude={path}" for path in _SLIM]
        subprocess.run(["tar", "--directory", system, "--create", "--file", archive, *excluded, "."], check=True)
        engine.do("import", *chosen, str(archive), name)
    return name


def _add_security(system: Path, release: str) -> None:
    sources = [
        f"deb {MIRROR} {release} main",
        f"deb {MIRROR} {release}-updates main",
        f"deb {MIRROR}-security {release}-security main",
    ]
    (system / "etc/apt/sources.list").write_text("\n".join([*sources, ""]))
