"""The check of retired words finds them, and finds nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.words import SKIPPED, problems

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("known_from = ahead[0]", "known from"),
        ("class SyncLedger:", "Ledger"),
        ('raise Failure("It was told so.")', "told"),
        ("STRETCHES = 3", "STRETCHES"),
        ("def test_the_whole_stream() -> None:", "whole"),
        ("Records are cut out of chats.", "cut out"),
        ("class Finding:", "Finding"),
        ("$ pip install source-zendesk-chat", "pip install source-zendesk-chat"),
        ("account = zendesk_chat.connect()", "zendesk chat.connect"),
    ],
)
def test_a_retired_word_is_found(line: str, found: str) -> None:
    (message,) = problems("docs/example.md", f"A first line.\n{line}\n")
    assert message.startswith(f"docs/example.md:2: '{found}'; write: ")


@pytest.mark.parametrize(
    "line",
    [
        "a whole number of seconds",
        "replace the placeholder in place of the value",
        "Look it up: look up the name",
        "It stands for a stream.",
        "tell two requests apart",
        "finding the first record",
        "pip install 'zendesk-chat[load]'",
        "text: str = row['texture']",
        "duckdb.connect(path)",
        "read from its `known_from`",
        "decimal places",
    ],
)
def test_the_right_use_of_a_word_is_allowed(line: str) -> None:
    assert list(problems("docs/example.md", line)) == []


def test_names_of_files_are_checked() -> None:
    assert [message.split(":")[0] for message in problems("src/utils.py", "")] == ["src/utils.py"]
    (message,) = problems("tests/incumbent.py", "")
    assert message.startswith("tests/incumbent.py:0: 'incumbent'")


def test_the_lists_name_files_that_exist() -> None:
    assert [name for name in SKIPPED if not (ROOT / name).exists()] == []
