"""docs/singer.md names the settings, streams, keys and options that exist."""

from __future__ import annotations

import re

import yaml

from tests.singer.target import discover_here
from tests.support.executable import ROOT
from zendesk_chat.config import CREDENTIALS_KEYS, TOP_KEYS
from zendesk_chat.singer.inputs import OLD_SETTINGS
from zendesk_chat.tap import make_parser

TEXT = (ROOT / "docs/singer.md").read_text()
KEYS = {*TOP_KEYS, *(f"credentials.{name}" for name in CREDENTIALS_KEYS)} - {"credentials"}
FROM_LOGIN = {"credentials.access_token", "credentials.refresh_token", "credentials.token_expiry_date"}  # of no use in Meltano


def rows(heading: str) -> list[list[str]]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def test_the_project_has_every_setting() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (extractor,) = yaml.safe_load(block)["plugins"]["extractors"]
    assert {setting["name"] for setting in extractor["settings"]} == KEYS - FROM_LOGIN


def test_the_table_has_every_stream_and_key() -> None:
    documented = {}
    for streams, key, how in rows("Streams and fields"):
        for name in re.findall(r"`(\w+)`", streams.partition(" (")[0]):
            documented[name] = (key.partition(";")[0], how == "completely")
    for entry in discover_here()["streams"]:
        key = ", ".join(f"`{field}`" for field in entry["key_properties"]) or "none"
        full_table = "forced-replication-method" in entry["metadata"][0]["metadata"]
        name = entry["tap_stream_id"]
        found = (key.replace("`agent_id`", "`id`").replace("`id`", "their id"), full_table) if full_table else (key, full_table)
        assert documented.pop(name) in {found, (key, full_table)}
    assert documented == {}


def test_the_table_has_every_option() -> None:
    documented = {option for row in rows("Without Meltano") for option in re.findall(r"`(-[-\w]+)", row[0])}
    options = {option for action in make_parser().actions for option in action.option_strings}
    assert documented == options - {"-h", "--help", "--version"}


def test_every_old_setting_is_named() -> None:
    assert [name for name in OLD_SETTINGS if f"`{name}`" not in TEXT] == []
