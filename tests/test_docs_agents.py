"""The map in AGENTS.md names every package, and nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", (ROOT / "AGENTS.md").read_text(), re.MULTILINE | re.DOTALL))
FOLDERS = {"src/zendesk_chat": "src/zendesk_chat", "src/zendesk_chat_sandbox": "src/zendesk_chat_sandbox", "Beside src": "."}


def named(section: str) -> list[str]:
    """Return the paths in the first column of a section's table."""
    first = re.findall(r"^\| (`.*?) \|", SECTIONS[section], re.MULTILINE)
    return [path for cell in first for path in re.findall(r"`([^`]+)`", cell)]


def test_what_is_named_exists() -> None:
    for section, folder in FOLDERS.items():
        assert [path for path in named(section) if not list((ROOT / folder).glob(path))] == []


def test_every_package_and_every_folder_is_named() -> None:
    packages = {f"{path.parent.name}/" for path in (ROOT / "src/zendesk_chat").glob("*/__init__.py")}
    assert packages <= set(named("src/zendesk_chat"))
    folders = {
        f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._" and list(path.glob("*.py"))
    }
    assert folders <= set(named("Beside src"))


def test_every_module_of_the_sandbox_is_named() -> None:
    folder = ROOT / "src/zendesk_chat_sandbox"
    found = {path.name for pattern in named("src/zendesk_chat_sandbox") for path in folder.glob(pattern)}
    assert {path.name for path in folder.glob("*.py") if path.name[0] != "_"} == found
