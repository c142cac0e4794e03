"""Targets that people use hold what the account holds, also after singer-io's tap."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.destinations.servers.postgres import Postgres
from tests.singer.target import Target, discover_here, lately, select
from tests.singer.targets.conftest import Programs
from tests.singer.test_process import TAP
from tests.singer.test_singer_io import old_config
from tests.support.executable import environment, files
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import Sandbox

OLD_TAP = Path(__file__).with_name("old_tap.py")
OLD_LISTS = ("account", "agents", "bans", "departments", "goals", "shortcuts", "triggers")
SCHEMA = "chat"


def tap(folder: Path, config: Any, catalog: Any, state: Any = None) -> bytes:
    options = files(folder, config=config, catalog=catalog, **({} if state is None else {"state": state}))
    done = subprocess.run([TAP, *options], capture_output=True, env=environment(), check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def old_tap(programs: Programs, sandbox: Sandbox, folder: Path, *streams: str) -> bytes:
    """Run singer-io's tap: discovery, selection and sync."""
    config = {"start_date": "2020-01-01T00:00:00Z", "access_token": sandbox.token, "chat_search_interval_days": 4000}
    command = [str(programs.old_tap / "python"), str(OLD_TAP), *files(folder, config=config)]
    env = environment(SANDBOX=sandbox.url)
    found = subprocess.run([*command, "--discover"], capture_output=True, env=env, check=True).stdout
    catalog = files(folder, catalog=select(json.loads(found), *streams))
    return subprocess.run([*command, *catalog], capture_output=True, env=env, check=True).stdout


@dataclass(frozen=True)
class InPostgres:
    """A database that target-postgres loads."""

    programs: Programs
    server: Postgres
    name: str
    folder: Path

    def load(self, messages: bytes) -> dict[str, Any]:
        """Load messages and return the state that the target prints."""
        config = {
            "host": "127.0.0.1", "port": self.server.port, "user": "postgres", "password": "secret",
            "database": self.name, "default_target_schema": SCHEMA,
        }  # fmt: skip
        path = self.folder / "target.json"
        path.write_text(json.dumps(config))
        command = [str(self.programs.meltano / "target-postgres"), "--config", str(path)]
        done = subprocess.run(command, input=messages, capture_output=True, cwd=self.folder, check=False)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        state: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return state

    def column(self, table: str, expression: str, where: str = "_sdc_deleted_at IS NULL") -> list[Any]:
        sql = f'SELECT {expression} FROM "{SCHEMA}"."{table}" WHERE {where}'
        return [row[0] for row in self.server.execute(sql, database=self.name)]


def keys(sandbox: Sandbox, stream: str, field: str = "id") -> list[str]:
    return sorted(str(record[field]) for record in truth(sandbox, stream))


def test_postgres_holds_every_record_and_marks_what_is_gone(programs: Programs, postgres: Postgres, tmp_path: Path) -> None:
    postgres.new_database("singer")
    database = InPostgres(programs, postgres, "singer", tmp_path)
    with small(chats=120) as sandbox:
        config, catalog = config_of(sandbox), select(discover_here())
        state = database.load(tap(tmp_path, config, catalog))
        for entry in catalog["streams"]:
            name = entry["tap_stream_id"]
            if name != "visitors":  # which has a row for each visitor and last chat
                expected = truth(sandbox, "accounts" if name == "account" else name)
                assert len(database.column(name, "1")) == len(expected), name
        chats = {chat["id"]: chat for chat in truth(sandbox, "chats")}
        for field in ("history", "webpath", "engagements", "visitor", "tags"):
            stored = database.column("chats", f"jsonb_build_array(id, {field})")
            assert by_content({"id": k, "v": v or None} for k, v in stored) == by_content(
                {"id": k, "v": chat.get(field) or None} for k, chat in chats.items()
            ), field
        edited = sandbox.account.chat_ids()[7]
        sandbox.account.edit_chat(edited, at=lately(sandbox), comment="edited")
        gone = next(iter(sandbox.account.lists["bans"]))
        del sandbox.account.lists["bans"][gone]
        time.sleep(1.1)  # the next version is a second later
        database.load(tap(tmp_path, config, catalog, state))
        assert database.column("chats", "comment", f"id = '{edited}'") == ["edited"]
        assert sorted(map(str, database.column("bans", "id"))) == keys(sandbox, "bans")
        assert database.column("bans", "id", "_sdc_deleted_at IS NOT NULL") == [gone]


def test_the_tables_of_singer_ios_tap_stay_valid(programs: Programs, postgres: Postgres, tmp_path: Path) -> None:
    """Today's target-postgres loads its lists after a repair of their schemas, and its chats not at all: see the next test."""
    postgres.new_database("old")
    database = InPostgres(programs, postgres, "old", tmp_path)
    types = "SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = %s ORDER BY 1, 2"
    with small(chats=20) as sandbox:
        lists = re.sub(rb'"exclusiveM(in|ax)imum": ?true,? ?', b"", old_tap(programs, sandbox, tmp_path, *OLD_LISTS))
        state = database.load(lists)
        before = postgres.execute(types, SCHEMA, database="old")
        agent = next(iter(sandbox.account.lists["agents"]))
        sandbox.account.edit("agents", agent, {"display_name": "Renamed"})
        time.sleep(1.1)
        database.load(tap(tmp_path, old_config(sandbox), select(discover_here(), *OLD_LISTS), state))
        assert set(before) <= set(postgres.execute(types, SCHEMA, database="old"))
        assert database.column("agents", "display_name", f"id = {agent}") == ["Renamed"]
        for stream in OLD_LISTS[1:]:
            assert sorted(map(str, database.column(stream, "id"))) == keys(sandbox, stream), stream


def test_chats_resume_from_the_state_of_singer_ios_tap(programs: Programs, tmp_path: Path) -> None:
    with small(chats=150) as sandbox:
        folder = tmp_path / "rows"
        folder.mkdir()
        state = json.loads(jsonl(programs, folder, old_tap(programs, sandbox, tmp_path, "chats")).splitlines()[-1])
        assert set(state["bookmarks"]["chats"]) >= {"chat.end_timestamp", "offline_msg.timestamp"}
        new = [sandbox.account.add_chat(at=lately(sandbox)) for _ in range(3)]
        edited = sandbox.account.edit_chat(str(new[0]["id"]), at=lately(sandbox), comment="edited")
        output = tap(tmp_path, old_config(sandbox), select(discover_here(), "chats"), state)
        jsonl(programs, folder, output)
        rows = {row["id"]: row for row in stored(folder, "chats")}
        assert sorted(rows) == keys(sandbox, "chats")
        assert rows[edited["id"]]["comment"] == "edited"
        target = Target()
        target.load(output)
        assert len(target.records["chats"]) < 150


def jsonl(programs: Programs, folder: Path, messages: bytes) -> bytes:
    """Let target-jsonl append to files, and return the states that it prints."""
    config = folder.parent / "jsonl.json"
    config.write_text(json.dumps({"destination_path": str(folder), "do_timestamp_file": False}))
    done = subprocess.run(
        [programs.jsonl / "target-jsonl", "--config", config], input=messages, capture_output=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def stored(folder: Path, stream: str) -> Iterable[dict[str, Any]]:
    (path,) = folder.glob(f"{stream}*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]
