"""docs/migrating.md is true where it quotes, names or computes; tests/airbyte/test_migration.py shows that nothing is lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.airbyte_state import Incumbent, catalog_of_its_own, chats_from, micros, state_message
from tests.support.in_process import catalog_of, read_here
from tests.support.sandbox import config_of
from zendesk_chat.airbyte.inputs import parse_state
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox, Switches

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs/migrating.md").read_text()
(SCRIPT,) = re.findall(r"```bash\n(.*?)```", DOCUMENT, re.DOTALL)
(LOG_LINE,) = re.findall(r"```text\n(.*?)\n```", DOCUMENT, re.DOTALL)
INCREMENTAL = ("agent_timeline", "agents", "bans", "chats")  # of the streams that both have
FAKE_CURL = """#!{python}
import json, sys
url, arguments = sys.argv[2], sys.argv[1:]
body = arguments[arguments.index("-d") + 1]
text = open(body[1:]).read() if body[0] == "@" else body
with open("calls.jsonl", "a") as calls:
    calls.write(json.dumps([url, json.loads(text)]) + "\\n")
print(open("answer.json").read())
"""


def section(title: str) -> str:
    return DOCUMENT.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_state_is_moved_by_the_script(tmp_path: Path) -> None:
    """With a fake curl, the state of the old connection becomes that of the new one and is readable by us."""
    old = [{"streamDescriptor": {"name": "chats"}, "streamState": {"update_timestamp": "1772365200"}}]
    answer = {"stateType": "stream", "connectionId": "id-of-old", "streamState": old}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    curl = tmp_path / "curl"
    curl.write_text(FAKE_CURL.format(python=sys.executable))
    curl.chmod(0o755)
    names = {"AIRBYTE": "http://airbyte.test", "TOKEN": "token-of-application", "OLD": "id-of-old", "NEW": "id-of-new"}
    python = Path(sys.executable).parent
    environment = {**os.environ, **names, "PATH": f"{tmp_path}:{python}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-euc", SCRIPT], cwd=tmp_path, env=environment, check=True, capture_output=True)
    (got, asked), (put, given) = map(json.loads, (tmp_path / "calls.jsonl").read_text().splitlines())
    assert (got, asked) == ("http://airbyte.test/api/v1/state/get", {"connectionId": "id-of-old"})
    assert put == "http://airbyte.test/api/v1/state/create_or_update_safe"
    assert given == {"connectionId": "id-of-new", "connectionState": {**answer, "connectionId": "id-of-new"}}
    handed = [state_message(e["streamDescriptor"]["name"], e["streamState"]) for e in given["connectionState"]["streamState"]]
    assert parse_state(handed) == {"chats": {"update_timestamp": "1772365200"}}


def test_the_log_line_is_what_a_first_sync_writes() -> None:
    (start,) = re.findall(r"from (\d+) to", LOG_LINE)
    with Sandbox(chats=500, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        config = config_of(sandbox, request_timeout_seconds=60)
        _, output = read_here(config, catalog_of_its_own(["chats"]), [state_message("chats", {"update_timestamp": start})])
        _, afresh = read_here(config, catalog_of_its_own(["chats"]))
    assert [re.sub(r"in \S+ s", "in 0.0 s", line) for line in output.logs("INFO")] == [LOG_LINE]
    assert "`from the start`" in DOCUMENT
    assert "from the start to" in afresh.logs("INFO")[0]


def test_the_tables_name_every_stream() -> None:
    first = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("The first sync"), re.MULTILINE)
    named = [name for cell in first for name in re.findall(r"\w+", cell)]
    assert sorted(named) == sorted(INCREMENTAL)
    back = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("Switch back"), re.MULTILINE)
    assert sorted(name for cell in back for name in re.findall(r"\w+", cell)) == sorted(INCREMENTAL)
    changed = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("What changes"), re.MULTILINE)
    assert {name for cell in changed for name in re.findall(r"\w+", cell)} == set(INCREMENTAL) <= STREAMS.keys()


def test_what_is_new_is_what_airbytes_connector_does_not_have() -> None:
    theirs = {entry["stream"]["name"] for entry in catalog_of_its_own()["streams"]}
    new = section("What is new").split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", new)) - theirs == STREAMS.keys() - theirs
    assert len(theirs) == 12
    assert theirs < STREAMS.keys()


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_the_first_sync_takes_the_documented_requests(stream: str) -> None:
    with Sandbox(chats=5000, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        middle = {"chats": "2026-02-01T00:00:00Z", "agent_timeline": "2026-02-01T00:00:00.000000Z"}.get(stream, 360900000000)
        cursor = STREAMS[stream].cursor_field or ""
        _, output = read_here(
            config_of(sandbox, request_timeout_seconds=60), catalog_of([stream]), [state_message(stream, {cursor: middle})]
        )
        sent = len(output.records[stream])
        number = len(sandbox.account.lists.get(stream, {}))
        pages = number / 100 if number else sent / 1000
        assert len(sandbox.requests) <= pages + 3, "the last page may be part of one, and bans come as two lists"
        assert len(sandbox.requests) >= pages


def test_the_two_forms_of_key_are_as_shown() -> None:
    theirs, ours = re.findall(r"`(\d+\|\S+?)`", section("The first sync"))
    agent, time = ours.split("|")
    assert f"{agent}|{time[:19]}Z" == theirs
    row = {"agent_id": int(agent), "start_time": time, "status": "online"}
    with Sandbox(chats=0, switches=Switches(rate_limit=0)) as sandbox:
        feed = sandbox.account.events["agent_timeline"]
        for identity in list(feed.bodies):
            feed.remove(identity)
        sandbox.account.add("agent_timeline", row)
        _, output = read_here(config_of(sandbox), catalog_of(["agent_timeline"]))
    assert [record["id"] for record in output.records["agent_timeline"]] == [ours]


def test_the_state_to_leave_is_one_that_both_read() -> None:
    (shown,) = re.findall(r'`(\{"update_timestamp": "\d+"\})`', section("Switch back"))
    state: dict[str, Any] = json.loads(shown)
    second = chats_from(state)
    with Sandbox(chats=500, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        records, _ = Incumbent(sandbox).read("chats", state)
        _, output = read_here(config_of(sandbox), catalog_of(["chats"]), [state_message("chats", state)])
    assert [record["id"] for record in records] == [record["id"] for record in output.records["chats"]] != []
    assert all(micros(record["update_timestamp"]) >= second * 10**6 for record in records)


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", DOCUMENT):
        path, _, anchor = link.partition("#")
        target = ROOT / "docs" / path
        assert target.exists(), link
        headings = [re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in target.read_text().splitlines()]
        assert not anchor or anchor in headings, link
