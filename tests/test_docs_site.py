"""The documentation site: every page is in it, links lead somewhere, and broken ones are found."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

import zendesk_chat
from tools.docs_commands import commands, reference
from tools.docs_html import broken
from tools.docs_links import ROOT, anchors, documents, problem, problems
from tools.docs_site import COMMANDS, entries, moved, navigation_problems, pages
from zendesk_chat.streams.registry import STREAMS

HOME = "https://github.com/acme/zendesk-chat"
PATHS = {"docs/index.md": "index.md", "docs/adr/0001.md": "adr/0001.md", "SECURITY.md": "security.md", "docs/a.svg": "a.svg"}


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_links_of_a_document_lead_somewhere(page: Path) -> None:
    assert problems(page) == []


def test_the_navigation_names_each_page_once() -> None:
    assert navigation_problems() == []


def test_all_decisions_are_listed() -> None:
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (ROOT / "docs/adr/README.md").read_text())
    assert listed == sorted(path.name for path in (ROOT / "docs/adr").glob("0*.md"))


def test_a_navigation_is_read_at_every_depth() -> None:
    assert list(entries([{"Home": "index.md"}, {"Tasks": [{"One": "one.md"}, "two.md"]}])) == ["index.md", "one.md", "two.md"]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("docs/index.md", "[a](adr/0001.md#b)", "[a](adr/0001.md#b)"),
        ("docs/index.md", "[a](../SECURITY.md#limits)", "[a](security.md#limits)"),
        ("docs/adr/0001.md", "[a](../../README.md)", "[a](../index.md)"),
        ("SECURITY.md", "[a](docs/adr/0001.md)", "[a](adr/0001.md)"),
        ("docs/index.md", "![a](a.svg)", "![a](a.svg)"),
        ("docs/index.md", "[`a`](../src/b.py)", f"[`a`]({HOME}/blob/main/src/b.py)"),
        ("docs/index.md", "[a](https://b.example/c)", "[a](https://b.example/c)"),
        ("docs/index.md", "[a](#b)", "[a](#b)"),
        ("docs/index.md", "```text\n[a](../b.md)\n```", "```text\n[a](../b.md)\n```"),
        ("docs/index.md", "write `[a](../b.md)`", "write `[a](../b.md)`"),
    ],
)
def test_links_lead_to_pages_of_the_site_or_to_github(source: str, text: str, expected: str) -> None:
    assert moved(source, text, PATHS, HOME) == expected


def test_without_a_repository_a_link_to_a_source_file_is_plain_words() -> None:
    assert moved("docs/index.md", "see [`b`](../src/b.py)", PATHS, "") == "see `b`"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("no-such-file.md", "no-such-file.md does not exist"),
        ("README.md#no-such-heading", "README.md#no-such-heading: no heading has this anchor"),
        ("../../etc/hosts", "../../etc/hosts leads out of the repository"),
        ("README.md", ""),
        ("src", ""),
    ],
)
def test_a_broken_link_is_named(target: str, expected: str) -> None:
    assert problem(ROOT / "AGENTS.md", target) == expected


def test_anchors_are_those_of_github() -> None:
    text = "# A `b` & c: d-e\n## Twice\n## Twice\n```text\n# no heading\n```\n## With a [link](x.md)\n"
    assert anchors(text) == {"a-b--c-d-e", "twice", "twice-1", "with-a-link"}


def test_the_page_of_commands_lists_each_command_and_marks_where_their_help_goes() -> None:
    page = (ROOT / "docs/commands.md").read_text()
    assert re.findall(r"^\| `zendesk-chat ([\w-]+)` \|", page, re.MULTILINE) == [name for name, _, _ in commands()]
    assert COMMANDS in page


def test_the_reference_has_each_argument_of_each_command() -> None:
    text = reference()
    for name, _, parser in commands():
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        for action in parser._actions:  # noqa: SLF001  argparse has no public list of arguments
            shown = [option for option in action.option_strings if option not in {"-h", "--help"}]
            if action.help != argparse.SUPPRESS and shown:
                assert f"| `{shown[0]}" in section or f", `{shown[0]}" in section
        assert "%(" not in section


def test_what_is_broken_in_a_built_site_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<h1 id="top">A</h1><a href="a/">ok</a><a href="a/#no">x</a><a href="b/">x</a>')
    (tmp_path / "a/index.html").write_text('<a href="../#top">ok</a><script src="https://cdn.example/x.js"></script>')
    assert broken(tmp_path) == [
        "a/index.html: https://cdn.example/x.js would be loaded from another host",
        "index.html: a/#no: nothing on the page has this anchor",
        "index.html: b/ does not exist",
    ]


def test_pages_outside_docs_are_part_of_the_site() -> None:
    assert {"SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/index.md"} <= pages().keys()


def test_the_picture_of_the_terminal_has_every_stream_and_loads_no_font() -> None:
    picture = (ROOT / "docs/images/terminal.svg").read_text()
    assert [stream for stream in STREAMS if f">{stream}" not in picture] == []
    assert "@font-" not in picture
    assert re.findall(r"(?:src|href|url)\W+https?:", picture) == []


def test_the_reference_of_the_library_has_every_public_name() -> None:
    documented = re.findall(r"^::: zendesk_chat\.(\w+)$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(set(zendesk_chat.__all__) - {"__version__"})
