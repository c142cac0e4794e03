"""The tables of streams, settings and redaction in the documents agree with the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from tests.support.pages import HASH_KEY, ROOT, examples, run
from zendesk_chat.config import parse_config
from zendesk_chat.redaction.rules import parse_redaction
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

SPEC = json.loads((ROOT / "src/zendesk_chat/airbyte/spec.json").read_bytes())["connectionSpecification"]["properties"]
STREAM_PAGE = (ROOT / "docs/streams.md").read_text()
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
REDACTION = (ROOT / "docs/redact.md").read_text()
AIRBYTE = (ROOT / "docs/airbyte.md").read_text()


def test_the_stream_table_is_true() -> None:
    table = STREAM_PAGE.split("| stream | endpoint |")[1].split("\n\n")[0]
    rows = [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in table.splitlines()[2:]]
    assert [re.findall(r"\w+", row[0])[0] for row in rows] == list(STREAMS)
    for name, (first, endpoint, key, cursor, requests) in zip(STREAMS, rows, strict=True):
        stream = STREAMS[name]
        assert re.findall(r"^`(\w+)`", key) == list(stream.primary_key)
        assert re.findall(r"^`(\w+)`", cursor) == [stream.cursor_field] * (stream.cursor_field is not None)
        assert first == f"`{name}`" + " (1)" * stream.optional
        assert (endpoint == "pages of `chats`") == (requests == "0") == (stream.extraction is not None)


def test_the_endpoints_of_check_are_counted() -> None:
    assert f"the {sum(stream.extraction is None for stream in STREAMS.values())} endpoints" in AIRBYTE


def test_the_configuration_is_valid() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", CONFIGURATION, re.DOTALL)
    assert parse_config(json.loads(shown)).subdomain == "acme"


def test_the_settings_are_those_of_the_spec() -> None:
    table = CONFIGURATION.split("| key | meaning | default |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == SPEC.keys()
    (example,) = re.findall(r"`(\{\"rules\".*?\})`", table)
    assert parse_redaction(json.loads(example.replace("...", HASH_KEY)))


def test_the_rules_in_a_configuration_are_valid_and_each_action_is_explained() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", REDACTION, re.DOTALL)
    assert parse_redaction(json.loads(shown)["redact"])
    table = REDACTION.split("| action | result |")[1].split("\n\n")[0]
    assert (
        re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        == SPEC["redact"]["properties"]["rules"]["items"]["properties"]["action"]["enum"]
    )
    assert f"ZENDESK_CHAT_HASH_KEY={HASH_KEY}\n" in REDACTION


def test_fields_are_redacted_as_shown(tmp_path: Path) -> None:
    (command,) = [example.command for example in examples("docs/redact.md") if "--redact" in example.command]
    sent, loaded = zip(*re.findall(r"^\| `(\".*?)` \| `(\".*?)` \|$", REDACTION, re.MULTILINE), strict=True)
    message, email, phone, session = (json.loads(f"{{{part}}}") for part in sent)
    with Sandbox(chats=3) as sandbox:
        chat = sandbox.account.chat_ids()[0]
        visitor = {"id": "1.a"} | email | phone
        sandbox.account.edit_chat(chat, visitor=visitor, session=session, history=[{"type": "chat.msg"} | message])
        assert run(command, tmp_path, sandbox).returncode == 0
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        (found,) = database.execute("SELECT to_json(chats) FROM chats WHERE id = ?", [chat]).fetchall()
        (shown,) = database.execute("SELECT to_json(visitors) FROM visitors WHERE last_chat_id = ?", [chat]).fetchall()
    for part in loaded:
        assert part in found[0]
    assert all(part in shown[0] for part in loaded[1:])
    assert not [text for text in (email["email"], phone["phone"], session["ip"]) if text in found[0] + shown[0]]
