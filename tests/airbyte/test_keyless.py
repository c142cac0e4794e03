"""Rows without a key, rows that are no records, and a wrong count, through the commands: everything else arrives, each once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.executable import execute, files
from tests.support.in_process import catalog_of, read_here
from tests.support.sandbox import config_of, small
from zendesk_chat_sandbox import Fault, Sandbox

STREAMS = ("agents", "bans", "chat_events", "chats", "departments", "shortcuts", "visitors")
UPDATED = "2020-02-01T00:00:00Z"
HISTORY = [{"type": "chat.msg", "timestamp": UPDATED, "msg": "hi"}]
CHATS = [
    {"update_timestamp": UPDATED, "message": "without id", "history": HISTORY, "visitor": {"id": "lost"}},
    7,
    {"id": "2002.1.a", "update_timestamp": UPDATED, "history": HISTORY, "department_id": "71"},
]
ODD: dict[str, Any] = {
    "incremental/chats": {"chats": CHATS, "count": 5, "end_time": 1_580_515_200, "end_id": "2002.1.a"},
    "agents": [{"id": 1, "display_name": "A"}, {"display_name": "without id"}],
    "bans": {"visitor": [{"id": 1, "type": "visitor"}, {"type": "visitor", "visitor_name": "without id"}]},
    "departments": [{"id": 71, "name": "Orders"}, {"name": "without id"}, "text"],
    "shortcuts": [{"name": "help", "message": "x"}],
}
LASTING = ("departments", "shortcuts")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(chats=120) as running:
        yield running


def arm(sandbox: Sandbox) -> None:
    """Make the first answer of each list an odd one; a page that is miscounted is asked for three times, and once more."""
    for path, body in ODD.items():
        times = None if path in LASTING else 4 if path.startswith("incremental") else 1
        sandbox.inject(Fault(kind="body", path=f"/api/v2/chat/{path}", body=json.dumps(body), times=times))


def test_read_gives_every_record_and_one_warning_of_each_kind(sandbox: Sandbox) -> None:
    arm(sandbox)
    code, output = read_here(config_of(sandbox), catalog_of(STREAMS))
    assert (code, output.errors) == (0, [])
    records = output.records
    assert len([chat for chat in records["chats"] if chat["id"].startswith("no-id-")]) == 1
    assert {"2002.1.a", *sandbox.account.chat_ids()} <= {chat["id"] for chat in records["chats"]}
    assert not any(event["chat_id"].startswith("no-id-") for event in records["chat_events"])
    assert "lost" not in {visitor["id"] for visitor in records["visitors"]}
    assert [agent["id"] < 0 for agent in records["agents"]] == [True] + [False] * (len(records["agents"]) - 1)
    assert [department["id"] > 0 for department in records["departments"]] == [True, False]
    assert [shortcut["id"] for shortcut in records["shortcuts"]] == ["help"]
    keyless, skipped, counted = "sent records without `id`", "rows that are not JSON objects", "another number of records"
    warnings = [line for line in output.logs("WARN") if "Retrying" not in line]
    wanted = {
        "agents": [keyless],
        "bans": [keyless],
        "chats": [keyless, skipped, counted],
        "departments": [keyless, skipped],
        "shortcuts": [keyless],
    }
    assert len(warnings) == sum(map(len, wanted.values()))
    for stream, kinds in wanted.items():
        mine = [line for line in warnings if line.startswith(f"{stream}: ")]
        assert [words in line for words, line in zip(kinds, mine, strict=True)] == [True] * len(kinds)


def test_sync_loads_them_once_however_often_it_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    to = tmp_path / "a.duckdb"
    for _ in range(2):
        sandbox.world.faults.clear()
        arm(sandbox)
        options = files(tmp_path, config=config_of(sandbox))
        done = execute("sync", *options, "--to", f"duckdb:///{to}", "--streams", ",".join(STREAMS), HOME=str(tmp_path))
        assert done.code == 0, done.stderr
    with duckdb.connect(str(to), read_only=True) as database:

        def count(sql: str) -> Any:
            found = database.execute(f"SELECT count(*) FROM {sql}").fetchone()
            return found and found[0]

        assert count("chats WHERE message = 'without id' AND id LIKE 'no-id-%' AND _unparsed IS NULL") == 1
        assert count("chats WHERE department_id = '71'") == 1
        assert count("chats") == len(sandbox.account.chat_ids()) + 2
        assert count("agents WHERE id < 0 AND display_name = 'without id'") == 1
        assert count("bans WHERE id < 0") == 1
        assert count("departments") == 2
        assert count("shortcuts WHERE id = 'help'") == 1
        assert count("chat_events WHERE chat_id LIKE 'no-id-%'") == 0
