"""Build the sdist and the wheel, check them, and try each in an empty environment: ``make dist``."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Final

from distribution.release.packages import ROOT
from distribution.release.sbom import sbom
from zendesk_chat import __version__

DIST: Final = ROOT / "dist"
TOOLS: Final = ROOT / ".cache/release-venv/bin/python"
COMMANDS: Final = ("zendesk-chat", "source-zendesk-chat")
BASE: Final = f"zendesk_chat-{__version__}"
WHEEL_METADATA: Final = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
SDIST_METADATA: Final = {"PKG-INFO", "pyproject.toml", ".gitignore"}
SDIST_EXTRAS: Final = {"README.md", "CHANGELOG.md", "LICENSE"}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command without this checkout on its path, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run([*map(str, command)], cwd=cwd, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def require_equal(what: str, found: set[str], expected: set[str]) -> None:
    """Exit unless an artefact holds exactly the expected files."""
    if found != expected:
        sys.exit(f"{what}: unexpected: {sorted(found - expected)}, missing: {sorted(expected - found)}")


def sources() -> set[str]:
    """Return the files of both packages that git tracks."""
    return {line for line in run("git", "ls-files", "src").splitlines() if (ROOT / line).exists()}


def build(folder: Path) -> tuple[Path, Path]:
    """Build the sdist, then the wheel from it, with the locked build backend."""
    run(TOOLS, "-m", "build", "--no-isolation", "--outdir", folder)
    return folder / f"{BASE}.tar.gz", folder / f"{BASE}-py3-none-any.whl"


def check_contents(sdist: Path, wheel: Path) -> None:
    """Check that both hold every file of the packages and nothing else."""
    files = set(zipfile.ZipFile(wheel).namelist())
    expected = {name.removeprefix("src/") for name in sources()}
    require_equal(wheel.name, files, expected | {f"{BASE}.dist-info/{name}" for name in WHEEL_METADATA})
    with tarfile.open(sdist) as archive:
        names = {member.name.removeprefix(f"{BASE}/") for member in archive if member.isfile()}
    require_equal(sdist.name, names, sources() | SDIST_METADATA | SDIST_EXTRAS)


def check_reproducible(wheel: Path, folder: Path) -> None:
    """Check that the wheel built from the checkout equals the one built from the sdist, byte for byte."""
    run(TOOLS, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder)
    if (folder / wheel.name).read_bytes() != wheel.read_bytes():
        sys.exit(f"{wheel.name} differs when it is built from the checkout.")


def try_out(artefact: Path, folder: Path) -> None:
    """Install it into an empty environment and run both commands."""
    venv.create(folder, with_pip=True)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", artefact, cwd=folder)
    run(folder / "bin/python", "-m", "pip", "check", cwd=folder)
    for command in COMMANDS:
        version = run(folder / "bin" / command, "--version", cwd=folder).strip()
        message = json.loads(run(folder / "bin" / command, "spec", cwd=folder))
        if version != f"{command} {__version__}" or "connectionSpecification" not in message["spec"]:
            sys.exit(f"{artefact.name}: the installed {command} prints the version {version} and {message}")
    run(folder / "bin/tap-zendesk-chat", "--discover", cwd=folder)
    run(folder / "bin/python", "-c", "import zendesk_chat_sandbox, zendesk_chat", cwd=folder)
    print(f"{artefact.name}: installed into an empty environment; {' and '.join(COMMANDS)} work")


def main() -> None:
    """Fill dist/, or exit with the reason."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sdist, wheel = build(folder / "built")
        check_contents(sdist, wheel)
        check_reproducible(wheel, folder / "again")
        print(run(TOOLS, "-m", "twine", "check", "--strict", sdist, wheel), end="")
        for artefact in (sdist, wheel):
            try_out(artefact, folder / artefact.suffix)
        DIST.mkdir()
        for artefact in (sdist, wheel):
            shutil.copy2(artefact, DIST)
    bill = DIST / f"zendesk-chat-{__version__}.cdx.json"
    bill.write_text(json.dumps(sbom(), indent=2) + "\n")
    for file in sorted(DIST.iterdir()):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:  # the tool has printed the reason
        sys.exit(f"Failed: {failed.cmd}")
