"""Build the documentation site from docs/: ``python -m tools.docs_site build|serve GENERATOR``.

The pages are written to be read on GitHub too. So they are first copied to a folder where links to other files of the
repository lead to GitHub, and where the reference of the commands is complete. Zensical makes the site from this folder.
"""

import argparse
import os
import posixpath
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tools.docs_commands import reference
from tools.docs_html import broken
from tools.docs_links import ROOT, prose

SETTINGS: Final = "zensical.toml"
STAGE: Final = ROOT / ".cache/docs"
SITE: Final = STAGE / "site"
ELSEWHERE: Final = {"SECURITY.md": "security.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Documents outside docs/ that are pages of the site, and their names there."""
SAME: Final = {"README.md": "index.md"}
"""Links to these documents lead to a page of the site."""
COMMANDS: Final = "<!-- The site has the help of every command here. -->"
LINK: Final = re.compile(r"(?P<picture>!?)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s:]+)\)")
DECISION: Final = re.compile(r"adr/\d")
"""Decisions are not in the navigation. The page `adr/README.md` lists them."""
PAUSE_SECONDS: Final = 0.5


def repository() -> str:
    """Return the address of the repository on GitHub, or an empty string outside GitHub's workflows."""
    name = os.environ.get("GITHUB_REPOSITORY", "")
    return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def pages() -> dict[str, str]:
    """Return the files of the site: the path in the repository, and the path in the site's folder."""
    files = sorted(path for path in (ROOT / "docs").rglob("*") if path.is_file() and path.name[0] != ".")
    inside = {path.relative_to(ROOT).as_posix(): path.relative_to(ROOT / "docs").as_posix() for path in files}
    return {**inside, **ELSEWHERE}


def moved(source: str, text: str, paths: Mapping[str, str], home: str) -> str:
    """Return a document as the site needs it.

    Args:
        source: Path of the document in the repository.
        text: What it contains.
        paths: Path in the repository, and in the site, of each file of the site.
        home: Address of the repository on GitHub. Without one, links to other files become plain words.
    """
    visible = prose(text)

    def relink(found: re.Match[str]) -> str:
        if visible[found.end() - 1] != ")" or found["target"].startswith("#"):
            return found[0]  # part of an example, or a link within the page
        name, _, anchor = found["target"].partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), name))
        page = {**paths, **SAME}.get(target)
        if page:
            link = posixpath.relpath(page, posixpath.dirname(paths[source]) or ".") + (f"#{anchor}" if anchor else "")
        elif home:
            link = f"{home}/blob/main/{target}" + (f"#{anchor}" if anchor else "")
        else:
            return found["words"]
        return f"{found['picture']}[{found['words']}]({link})"

    return LINK.sub(relink, text).replace(COMMANDS, reference() if COMMANDS in text else COMMANDS)


def stage() -> None:
    """Write the folder that the generator reads. Files that do not change keep their time, so `serve` reloads little."""
    paths, home = pages(), repository()
    for source, path in paths.items():
        file = ROOT / source
        markdown = file.suffix == ".md"
        content = moved(source, file.read_text(encoding="utf-8"), paths, home).encode() if markdown else file.read_bytes()
        write(STAGE / "docs" / path, content)
    for file in [file for file in (STAGE / "docs").rglob("*") if file.is_file()]:
        if file.relative_to(STAGE / "docs").as_posix() not in paths.values():
            file.unlink()
    write(STAGE / SETTINGS, (ROOT / SETTINGS).read_bytes())


def write(file: Path, content: bytes) -> None:
    """Write a file, unless it has this content."""
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def entries(navigation: object) -> Iterator[str]:
    """Yield the pages that a navigation names."""
    if isinstance(navigation, str):
        yield navigation
    elif isinstance(navigation, dict):
        for part in navigation.values():
            yield from entries(part)
    elif isinstance(navigation, list):
        for part in navigation:
            yield from entries(part)


def navigation_problems() -> list[str]:
    """Return a sentence for each page that is not in the navigation, and for each entry without a page."""
    named = list(entries(tomllib.loads((ROOT / SETTINGS).read_text())["project"]["nav"]))
    present = {path for path in pages().values() if path.endswith(".md") and not DECISION.match(path)}
    return [
        *(f"{SETTINGS}: nav names {entry}, which does not exist" for entry in named if entry not in present),
        *(f"{SETTINGS}: nav does not name {path}" for path in sorted(present - set(named))),
        *(f"{SETTINGS}: nav names {entry} twice" for entry in sorted(set(named)) if named.count(entry) > 1),
    ]


def build(generator: str) -> list[str]:
    """Build the site, and return what is wrong with it."""
    problems = navigation_problems()
    shutil.rmtree(SITE, ignore_errors=True)
    stage()
    done = subprocess.run([generator, "build", "--strict"], cwd=STAGE, check=False, capture_output=True, text=True)
    if done.returncode:
        report = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
        return [*problems, report.partition("Traceback")[0]]
    return [*problems, *broken(SITE)]


def serve(generator: str) -> None:
    """Serve the site on this machine, and follow changes of the documents until the server ends."""
    stage()
    with subprocess.Popen([generator, "serve"], cwd=STAGE) as server:
        try:
            while server.poll() is None:
                time.sleep(PAUSE_SECONDS)
                stage()
        except KeyboardInterrupt:
            server.terminate()


def main() -> None:
    """Run the command line. Exits with 1 if the site has a broken link or an incomplete navigation."""
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("action", choices=["build", "serve"])
    parser.add_argument("generator", help="the executable of Zensical")
    options = parser.parse_args()
    if options.action == "serve":
        serve(options.generator)
        return
    problems = build(options.generator)
    print("\n".join(problems) or f"The site is in {SITE.relative_to(ROOT)}.")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
