"""The commands of README and of the guides run, and print what the documents show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pages import Example, examples, form, run
from zendesk_chat_sandbox import Sandbox, Switches

pytestmark = pytest.mark.unmeasured  # it runs complete commands

PAGES = (
    "README.md",
    "docs/index.md",
    "docs/first-sync.md",
    "docs/destinations.md",
    "docs/redact.md",
    "docs/status-and-verify.md",
    "docs/sandbox.md",
    "docs/airbyte.md",
)
EXAMPLES = [example for page in PAGES for example in examples(page) if example.runs]
NEED_A_FILE = (" profile", " status", " verify", " report")


@pytest.fixture(scope="module")
def small() -> Iterator[Sandbox]:
    with Sandbox(chats=60, switches=Switches(rate_limit=0)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    """An account that is so large that `verify` takes a sample, and a file that has it."""
    folder = tmp_path_factory.mktemp("loaded")
    with Sandbox(chats=1200, switches=Switches(rate_limit=0)) as sandbox:
        assert run("zendesk-chat sync", folder, sandbox).returncode == 0
        yield sandbox, folder / "chats.duckdb"


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_command_works_and_prints_what_the_document_shows(
    example: Example, tmp_path: Path, small: Sandbox, loaded: tuple[Sandbox, Path]
) -> None:
    account = small
    if any(name in example.command for name in NEED_A_FILE):
        account, file = loaded
        shutil.copy(file, tmp_path)
    done = run(example.command, tmp_path, account)
    assert done.returncode == 0, done.stderr
    assert done.stdout or ">" in example.command
    printed = {form(line) for line in (done.stdout + done.stderr).splitlines()}
    assert [line for line in example.shown if form(line) not in printed | {"..."}] == []


def test_examples_are_found_in_each_guide() -> None:
    assert {example.page for example in EXAMPLES} == set(PAGES)
    assert sum(bool(example.shown) for example in EXAMPLES) >= 8
