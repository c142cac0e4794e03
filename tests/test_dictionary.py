"""The data dictionary describes every table, view and column, and a check notices when it does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.dictionary import PAGE, main, page
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.describing import SYSTEM_TABLES
from zendesk_chat.tables.table import StreamTable

SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def columns(section: str) -> list[str]:
    return re.findall(r"^\| `(\w+)` \| [A-Z][A-Za-z0-9 ',()\[\]]* \| \S.*\. \|$", section, re.MULTILINE)


def test_the_page_is_what_the_code_gives() -> None:
    assert PAGE.read_text() == page(), "run `make dictionary`"


def test_every_table_has_all_its_columns() -> None:
    assert list(SECTIONS)[: len(STREAMS) + len(SYSTEM_TABLES)] == [*STREAMS, *SYSTEM_TABLES]
    for name, stream in STREAMS.items():
        assert columns(SECTIONS[name]) == [*StreamTable.of(stream).columns, "_extra", "_unparsed"]
    for name, table in SYSTEM_TABLES.items():
        assert columns(SECTIONS[name]) == list(table.columns)


def test_every_view_has_its_columns() -> None:
    source = (PAGE.parents[1] / "src/zendesk_chat/analytics/views.sql").read_text()
    defined = set(re.findall(r"^CREATE OR REPLACE VIEW \S*?(\w+) AS", source, re.MULTILINE))
    views = {name.removeprefix("analytics.") for name in SECTIONS if name.startswith("analytics.")}
    assert views == defined
    assert all(columns(SECTIONS[f"analytics.{view}"]) for view in views)
    assert len(
        [line for view in views for line in SECTIONS[f"analytics.{view}"].splitlines() if line.startswith("| `")]
    ) == sum(len(columns(SECTIONS[f"analytics.{view}"])) for view in views)


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("chats", "- Key: `id`"),
        ("chats", "- Cursor: `update_timestamp`"),
        ("chats", "- Rows: upserted by key: a record that changes replaces its row."),
        ("chats", "| `duration` | DOUBLE | Length of the chat in seconds. |"),
        ("chats", "| `missed` | BOOLEAN | Whether no agent answered the chat. |"),
        ("chat_events", "- Rows: all rows with the same `chat_id` are replaced together. Deleted entries disappear."),
        ("visitors", "- Rows: upserted by key; of two records, the one with the later `last_chat_timestamp` stays."),
        ("goals", "- Rows: replaced whenever the list is complete. What is deleted in Zendesk disappears."),
        ("goals", "- Cursor: none, because each sync reads it completely"),
        ("routing_settings", "- Key: none, because there is one row"),
        ("_sync_runs", "| `version` | VARCHAR | Version of zendesk-chat. |"),
        ("analytics.chat_facts", "| `is_missed` | BOOLEAN | Whether the API marks the chat as missed. |"),
    ],
)
def test_a_section_holds_this(table: str, line: str) -> None:
    assert line in SECTIONS[table].splitlines()


def test_the_check_names_the_command_and_the_command_repairs_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data-dictionary.md"
    for content in (None, "# Data dictionary\n"):
        if content:
            path.write_text(content)
        assert main(["--check"], path) == 1
        assert capsys.readouterr().out == "docs/data-dictionary.md is out of date. Run: make dictionary\n"
    assert main([], path) == 0
    assert main(["--check"], path) == 0
    assert path.read_text() == PAGE.read_text()
