"""The packages that the lock file names for a user on Linux, and the licences that they declare."""

import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[2]
UV: Final = ROOT / ".tools/bin/uv"
# Where the image runs. What other systems need besides is theirs.
LINUX: Final = {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64"}
PYTHON: Final = {"python_version": "3.13", "python_full_version": "3.13.5", "platform_python_implementation": "CPython"}


@dataclass(frozen=True, slots=True)
class Package:
    """A package as it is locked."""

    name: str
    version: str

    @property
    def licence(self) -> str:
        """The licence as the installed package declares it: the newest of the three ways that there are."""
        declared = metadata(self.name).json
        classifiers = [line.split(" :: ") for line in declared.get("classifier", [])]
        classified = ", ".join(parts[-1] for parts in classifiers if parts[0] == "License")
        return str(declared.get("license_expression") or declared.get("license") or classified or "not declared")


@cache
def export(*options: str) -> str:
    """What uv reads from the lock file; it fails if the lock file is not up to date."""
    command = [str(UV), "export", "--quiet", "--locked", "--no-default-groups", *options]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def locked(*extras: str) -> list[Package]:
    """The packages that pip would install beside this one with these extras."""
    chosen = [option for extra in extras for option in ("--extra", extra)]
    lines = export("--no-emit-project", "--no-hashes", "--no-annotate", "--no-header", *chosen).splitlines()
    needed = [Requirement(line) for line in lines]
    here = [one for one in needed if one.marker is None or one.marker.evaluate(LINUX | PYTHON)]
    return [Package(one.name, str(one.specifier).removeprefix("==")) for one in here]
