"""docs/spark.md names the options and quotes the messages of the data source."""

from __future__ import annotations

import re
from pathlib import Path

from zendesk_chat.spark.options import Options

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/spark.md").read_text()


def rows_of(heading: str) -> list[str]:
    section = PAGE.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| `")]


def test_all_options_are_described() -> None:
    named = [name for row in rows_of("Options") for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(Options.__struct_fields__)


def test_messages_are_those_of_the_code() -> None:
    code = "".join(
        path.read_text()
        for folder in ("spark", "streams/exports")
        for path in (ROOT / "src/zendesk_chat" / folder).glob("*.py")
    )
    text = (
        re.sub(r'"\n\s+f?"', "", code)
        .replace("named('accounts')", 'option("accounts")')
        .replace("named('stream')", 'option("stream")')
    )
    ours = [row.strip("`") for row in rows_of("Troubleshooting") if not re.search("module|worker|PUSHDOWN|JAVA", row)]
    assert len(ours) >= 5
    for message in ours:
        parts = re.split(r"\.\.\.|\bacme\b|\bHOST\b|\bchats\b|\bagents\b", message)
        assert all(part.strip(" .,`") in re.sub(r"\{(option\([^)]*\))\}", r"\1", text) for part in parts), message
