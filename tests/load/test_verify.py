"""`verify` over TCP against the sandbox: what it finds, how sure it is, what it repairs, and what it never shows."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.clock import FakeClock
from tests.support.elsewhere import open_elsewhere
from tests.support.executable import EXECUTABLE, execute
from tests.support.sandbox import OAUTH
from tests.support.sandbox import small as small_pages
from tests.support.synced import change
from tests.support.syncs import logged
from zendesk_chat.cli import make_parser
from zendesk_chat.load.verify.summary import ONLY_EXPORT
from zendesk_chat_sandbox import Sandbox, Switches
from zendesk_chat_sandbox.faults import Fault

CHATS = 120
small = partial(small_pages, export_page_cap=100)
COMMAND = EXECUTABLE.with_name("zendesk-chat")
LISTS = ["accounts", "agents", "agent_routing_settings", "bans", "departments", "goals", "roles", "routing_settings"]
LISTS += ["shortcuts", "skills", "triggers"]
NESTED = ["chat_conversions", "chat_events", "chat_webpaths"]
ONLY_EXPORTED = ["agent_events", "agent_timeline", "chat_engagements", "conversions", "department_events", "visitors"]


def run(sandbox: Sandbox, command: str, *options: str) -> int:
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
    given = [] if "--subdomain" in options else account
    parsed = make_parser().parse_args([command, *given, *options])
    code: int = parsed.run(parsed, FakeClock(running=True))
    return code


def sync(sandbox: Sandbox, path: Path, *options: str) -> None:
    assert run(sandbox, "sync", "--to", f"duckdb:///{path}", *options) == 0


def verify(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    """Verify a file. Returns the exit code, and the result with its streams by name."""
    capsys.readouterr()
    code = run(sandbox, "verify", str(path), "--json", *options)
    found = json.loads(capsys.readouterr().out)
    found["streams"] = {stream["stream"]: stream for stream in found["streams"]}
    return code, found


def differing(found: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    """The streams that differ: how many records are missing, extra and different."""
    streams = found["streams"].items()
    return {name: (one["missing"], one["extra"], one["different"]) for name, one in streams if one["state"] == "different"}


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(query).fetchall()


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the tables of streams, but for the form of numbers in JSON."""
    named = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND table_name NOT LIKE '\\_%' ESCAPE '\\'"
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.sql(named).fetchall()
        return {name: sorted(connection.sql(f'SELECT to_json(t) FROM "{name}" t').fetchall()) for (name,) in tables}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An account that no test changes."""
    with small(CHATS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def synced_file(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synced") / "chats.duckdb"
    sync(sandbox, path)
    return path


@pytest.fixture
def path(synced_file: Path, tmp_path: Path) -> Path:
    """A file that has everything, to be changed."""
    copy = tmp_path / "chats.duckdb"
    shutil.copy(synced_file, copy)
    return copy


def some_chats(path: Path, count: int, condition: str = "type = 'chat'") -> list[str]:
    """Chats that are not deleted."""
    query = f"SELECT id FROM chats WHERE deleted IS NOT TRUE AND {condition} ORDER BY hash(id) LIMIT {count}"
    found = [identity for (identity,) in rows(path, query)]
    assert len(found) == count
    return found


# Without differences.


def test_a_file_after_a_sync_has_no_difference(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes()
    code, found = verify(sandbox, path, capsys)
    assert (code, found["same"], differing(found)) == (0, True, {})
    streams = found["streams"]
    assert [name for name, one in streams.items() if one["state"] == "same"] == sorted(
        [*LISTS, "chats", *NESTED], key=[*streams].index
    )
    assert [name for name, one in streams.items() if one["state"] == "not compared"] == ONLY_EXPORTED
    live = len(sandbox.account.chats.created)
    counts = {"account": live, "rows": live, "newer": 0, "deleted": CHATS - live}
    assert found["total"] == {"outcome": "equal", **counts, "reason": "", "unexplained": 0}
    assert streams["chats"]["rows"] == streams["chats"]["checked"] == CHATS
    assert streams["agents"]["checked"] == streams["agents"]["rows"] == 250
    assert streams["chat_events"]["checked"] > CHATS
    assert f"All {CHATS} chats in the file match the account." in found["sentences"]
    assert found["requests"] < 35
    assert path.read_bytes() == before


def test_what_it_prints(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(sandbox, "verify", str(path), "--sample", "50") == 0
    shown = capsys.readouterr()
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert lines[0].startswith(f"acme compared with {path}, complete until 20")
    assert lines[2] == "stream                   rows  checked  missing  extra  different  newer  result"
    assert "agents                    250      250        0      0          0      0  same" in lines
    live = len(sandbox.account.chats.created)
    deleted = CHATS - live
    besides = f" and {deleted} deleted chat{'s' * (deleted > 1)}" if deleted else ""
    exported = ", ".join(ONLY_EXPORTED)
    assert lines[-4:] == [
        f"The account reports {live} chats, and the file has {live}{besides}.",
        (
            f"No difference in a random sample of 50 of the {CHATS} chats in the file. With 95% confidence, fewer than 5.8% "
            "of them differ (6 chats)."
        ),
        f"Not compared, because only the exports contain them: {exported}, and in chats {ONLY_EXPORT}.",
        "No difference was found.",
    ]
    assert logged(shown.err, "INFO") == [f"Comparing 50 of {CHATS} chats ...", "No difference was found."]


@pytest.mark.long
@pytest.mark.parametrize(
    "switches",
    [
        {"chats_by_id": "array"},
        {"chats_by_id": "array", "absent_chats": "null"},
        {"absent_chats": "null"},
        {"chats_by_id_max": 20},
        {"enabled_as": "int"},
        {"pretty_json": True},
        {"old_rows": "incomplete", "empty_bans": "absent"},
        {"agent_routing_envelope": "by_id", "agent_routing_paging": False},
        {"deleted_chats": "full", "chat_agent_ids": "mixed", "chat_department_ids": "mixed"},
    ],
    ids=str,
)
def test_every_form_of_the_answers_is_the_same(
    switches: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS, **switches) as sandbox:
        sync(sandbox, path, "--streams", "accounts,agents,agent_routing_settings,bans,shortcuts,chats,chat_events")
        code, found = verify(sandbox, path, capsys)
    assert (code, differing(found)) == (0, {})
    assert found["streams"]["chats"]["checked"] == CHATS


def test_a_new_file_has_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small(0) as sandbox:
        path = tmp_path / "chats.duckdb"
        sync(sandbox, path)
        code, found = verify(sandbox, path, capsys)
    assert (code, differing(found)) == (0, {})
    assert found["total"]["account"] == found["streams"]["chats"]["rows"] == 0


def test_a_file_without_chats(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    sync(sandbox, path, "--streams", "agents,chat_events,goals")
    code, found = verify(sandbox, path, capsys)
    assert (code, found["total"], found["complete_until"]) == (0, None, None)
    assert {name: one["state"] for name, one in found["streams"].items()} == {
        "agents": "same",
        "chat_events": "not compared",
        "goals": "same",
    }
    assert "together with chats" in found["streams"]["chat_events"]["reason"]


# Differences, and their repair.


def test_everything_that_differs_is_found_and_repaired(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(path)
    missing, changed, emptied, offline = [
        *some_chats(path, 3, "rating IS NULL AND type = 'chat'"),
        *some_chats(path, 1, "type <> 'chat'"),
    ]
    state = rows(path, "SELECT stream, state, digest FROM _sync_streams ORDER BY stream")
    change(
        path,
        f"DELETE FROM chats WHERE id = '{missing}'",
        f"DELETE FROM chat_events WHERE chat_id IN ('{missing}', '{emptied}')",
        f"UPDATE chats SET rating = 'secret words', tags = '[\"no\"]' WHERE id = '{changed}'",
        f"UPDATE chats SET message = NULL WHERE id = '{offline}'",
        "UPDATE agents SET display_name = 'secret name' WHERE id = (SELECT min(id) FROM agents)",
        "DELETE FROM departments WHERE id = (SELECT min(id) FROM departments)",
        "INSERT INTO goals BY NAME SELECT 1 AS id, 'extra' AS name",
    )
    code, found = verify(sandbox, path, capsys)
    assert code == 1
    lost = len(sandbox.account.chat(emptied)["history"])  # type: ignore[arg-type]  # a list
    assert differing(found) == {
        "agents": (0, 0, 1),
        "chats": (1, 0, 2),
        "chat_events": (lost, 0, 0),
        "departments": (1, 0, 0),
        "goals": (0, 1, 0),
    }
    chats = found["streams"]["chats"]
    assert chats["keys"] == {"missing": [missing], "different": sorted([changed, offline])}
    assert chats["fields"] == {"rating": 1, "tags": 1, "message": 1}
    assert found["streams"]["goals"]["keys"] == {"extra": [1]}
    assert "secret" not in json.dumps(found)

    code, found = verify(sandbox, path, capsys, "--repair")
    assert (code, found["same"]) == (0, True)
    repaired = {name for name, one in found["streams"].items() if one["state"] == "repaired"}
    assert repaired == {"agents", "chats", "chat_events", "departments", "goals"}
    assert found["repaired"]["chats"] == 4
    assert same_numbers(contents(path)) == same_numbers(before)
    assert rows(path, "SELECT stream, state, digest FROM _sync_streams ORDER BY stream") == state
    assert verify(sandbox, path, capsys)[0] == 0
    sync(sandbox, path)
    assert same_numbers(contents(path)) == same_numbers(before)


def same_numbers(tables: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Records as Python reads them: a repaired row may have 1.50 where the page of the first load had 1.5."""
    return {
        name: sorted((json.loads(row) for (row,) in found), key=lambda row: json.dumps(row, sort_keys=True))
        for name, found in tables.items()
    }


def test_nested_rows_that_are_extra_or_different(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(path)
    changed, longer = some_chats(path, 2)
    change(
        path,
        f"UPDATE chat_events SET name = 'Nobody' WHERE chat_id = '{changed}' AND position = 0",
        f"INSERT INTO chat_events BY NAME SELECT 'more' AS id, '{longer}' AS chat_id, 99 AS position",
    )
    code, found = verify(sandbox, path, capsys)
    assert (code, differing(found)) == (1, {"chat_events": (0, 1, 1)})
    assert found["streams"]["chat_events"]["fields"] == {"name": 1}
    assert found["streams"]["chat_events"]["keys"]["extra"] == ["more"]
    assert verify(sandbox, path, capsys, "--repair")[0] == 0
    assert same_numbers(contents(path)) == same_numbers(before)


def test_a_visitor_of_a_repaired_chat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file shows another visitor in a chat; that visitor does not stay."""
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        sync(sandbox, path, "--streams", "chats,visitors")
        before = contents(path)
        (changed,) = some_chats(path, 1, "visitor->>'email' LIKE '%@%'")
        ((visitor,),) = rows(path, f"SELECT visitor->>'id' FROM chats WHERE id = '{changed}'")
        change(
            path,
            f"UPDATE chats SET visitor = replace(visitor::VARCHAR, '{visitor}', 'other') WHERE id = '{changed}'",
            f"UPDATE visitors SET id = 'other' WHERE id = '{visitor}'",
        )
        assert verify(sandbox, path, capsys, "--repair")[0] == 0
        assert same_numbers(contents(path)) == same_numbers(before)


def test_what_it_prints_of_differences(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(
        path,
        "UPDATE agents SET display_name = 'secret' WHERE id % 2 = 0",
        "DELETE FROM goals WHERE id = (SELECT min(id) FROM goals)",
    )
    ((agents,),) = rows(path, "SELECT count(*) FROM agents WHERE display_name = 'secret'")
    shown = []
    for options in ([], ["--repair"]):
        capsys.readouterr()
        assert run(sandbox, "verify", str(path), *options) == (0 if options else 1)
        shown.append(capsys.readouterr().out.splitlines())
    first, second = shown
    assert f"agents: different fields: display_name ({agents})" in first
    (keys,) = [line for line in first if line.startswith("agents: different: ")]
    assert keys.endswith(f" and {agents - 5} more")
    assert any(line.startswith("goals: missing: 5") for line in first)
    assert any(line.startswith("agents, goals: Zendesk does not record when these lists change") for line in first)
    assert first[-1] == "There are differences. To repair the file, add --repair."
    assert second[-2:] == ["Repaired: 250 of agents, 5 of goals.", "No difference remains."]
    assert "secret" not in "".join(first + second)


def test_an_account_may_count_deleted_chats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(60, deleted_chats="gone") as sandbox:
        sync(sandbox, path, "--streams", "chats")
        change(path, "UPDATE chats SET deleted = true WHERE id IN (SELECT id FROM chats ORDER BY id LIMIT 25)")
        code, found = verify(sandbox, path, capsys)
        assert (code, found["total"]["outcome"], found["total"]["unexplained"]) == (0, "equal with deleted chats", 0)
        change(path, "UPDATE chats SET deleted = false WHERE id IN (SELECT id FROM chats WHERE deleted LIMIT 15)")
        code, found = verify(sandbox, path, capsys)
        assert (code, found["total"]["outcome"], found["total"]["unexplained"]) == (1, "more in the account", 10)


def test_a_repair_that_fails_changes_nothing(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(
        path,
        "DELETE FROM departments WHERE id = (SELECT min(id) FROM departments)",
        "UPDATE goals SET enabled = NOT enabled",
        "CREATE TABLE kept AS FROM goals",
        "DROP TABLE goals",
        "CREATE TABLE goals AS SELECT * REPLACE ('wrong' AS name) FROM kept WHERE false",
        "ALTER TABLE goals ADD COLUMN note VARCHAR DEFAULT 'mine'",
        "ALTER TABLE goals ALTER COLUMN note SET NOT NULL",
        "ALTER TABLE goals ALTER COLUMN note DROP DEFAULT",
    )
    before = contents(path)
    capsys.readouterr()
    assert run(sandbox, "verify", str(path), "--repair") == 3
    assert "ERROR Failed while writing the repaired rows" in capsys.readouterr().err
    assert contents(path) == before


def test_a_missing_chat_of_a_small_account_is_named(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (missing,) = some_chats(path, 1)
    change(path, f"DELETE FROM chats WHERE id = '{missing}'")
    code, found = verify(sandbox, path, capsys, "--sample", "1")
    assert (code, differing(found)) == (1, {"chats": (1, 0, 0)})
    assert found["streams"]["chats"]["keys"] == {"missing": [missing]}
    assert (found["total"]["outcome"], found["total"]["unexplained"]) == ("more in the account", 1)
    assert "1 chat may be missing" in found["sentences"][0]


def test_a_missing_chat_of_a_larger_account_is_found_in_the_total(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_chat.load.verify.verifying.FEW_CHATS", 10)
    first, second = (
        identity for (identity,) in rows(path, "SELECT id FROM chats WHERE NOT deleted ORDER BY timestamp LIMIT 2")
    )
    middle = some_chats(path, 1, "timestamp > (SELECT median(timestamp) FROM chats)")
    change(path, f"DELETE FROM chats WHERE id IN ('{first}', '{second}')")
    code, found = verify(sandbox, path, capsys, "--sample", "1")
    assert (code, found["total"]["unexplained"]) == (1, 2)
    assert any("add --all. It compares every chat, in 3 requests" in sentence for sentence in found["sentences"])
    assert any("for random times" in sentence for sentence in found["sentences"])

    code, found = verify(sandbox, path, capsys, "--sample", "1", "--all", "--repair")
    assert (code, found["streams"]["chats"]["keys"]) == (0, {"missing": sorted([first, second])})
    assert found["streams"]["chats"]["checked"] == len(sandbox.account.chats.created)
    assert some_chats(path, 1, "timestamp > (SELECT median(timestamp) FROM chats)") == middle


def test_the_account_names_chats_that_the_file_lacks(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the account is missing: the account names some of it, though no row of the file leads there."""
    monkeypatch.setattr("zendesk_chat.load.verify.verifying.FEW_CHATS", 10)
    change(path, "DELETE FROM chats WHERE hash(id) % 2 = 0")
    code, found = verify(sandbox, path, capsys, "--sample", "1")
    assert code == 1
    assert found["streams"]["chats"]["missing"] > 30
    assert found["streams"]["chats"]["extra"] == found["streams"]["chats"]["different"] == 0


def test_a_row_that_the_account_does_not_have(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(path, "INSERT INTO chats BY NAME SELECT '2001.1.nothing' AS id, timestamp FROM chats LIMIT 1")
    code, found = verify(sandbox, path, capsys, "--repair")
    assert (code, differing(found)) == (1, {"chats": (0, 1, 0)})
    assert found["streams"]["chats"]["keys"] == {"extra": ["2001.1.nothing"]}
    assert (found["total"]["outcome"], found["total"]["unexplained"]) == ("fewer in the account", -1)
    (sentence,) = [sentence for sentence in found["sentences"] if "--full-refresh" in sentence]
    assert sentence.startswith("1 chat in the file is no longer in the account")
    assert "zendesk-chat sync --full-refresh --streams chats,chat_conversions" in sentence
    assert rows(path, "SELECT count(*) FROM chats WHERE id = '2001.1.nothing'") == [(1,)]


def test_all_compares_rows_that_the_account_does_not_have(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (missing,) = some_chats(path, 1)
    change(
        path,
        f"DELETE FROM chats WHERE id = '{missing}'",
        "INSERT INTO chats BY NAME SELECT '2001.1.nothing' AS id, timestamp FROM chats LIMIT 1",
    )
    code, found = verify(sandbox, path, capsys, "--all")
    assert (code, found["sample"], differing(found)) == (1, None, {"chats": (1, 1, 0)})
    assert found["total"]["outcome"] == "equal"


def test_a_chat_that_is_not_in_the_export_is_repaired_as_far_as_it_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The export shows nothing of a deleted chat here, but a deletion can be taken back."""
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        sync(sandbox, path, "--streams", "chats,chat_events,chat_engagements,visitors")
        changed, missing = some_chats(path, 2, "json_array_length(engagements) > 0")
        kept = rows(path, f"SELECT engagements, update_timestamp FROM chats WHERE id = '{changed}'")
        change(
            path,
            f"DELETE FROM chats WHERE id = '{missing}'",
            f"UPDATE chats SET rating = 'wrong' WHERE id = '{changed}'",
        )
        for identity in (changed, missing):
            sandbox.account.chats.feed.remove(identity)
        rating = sandbox.account.chat(changed)["rating"]
        code, found = verify(sandbox, path, capsys, "--repair")
    assert (code, found["streams"]["chats"]["state"]) == (0, "repaired")
    assert rows(path, f"SELECT engagements, update_timestamp FROM chats WHERE id = '{changed}'") == kept
    assert rows(path, f"SELECT rating FROM chats WHERE id = '{changed}'") == [(rating,)]
    restored = rows(path, f"SELECT duration IS NULL, engagements, update_timestamp FROM chats WHERE id = '{missing}'")
    assert restored == [(False, None, None)]
    assert rows(path, f"SELECT count(*) > 0 FROM chat_engagements WHERE chat_id = '{missing}'") == [(True,)]


# Changes since the last sync are no differences.


def test_what_changed_since_the_last_sync_is_newer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        sync(sandbox, path, "--streams", "chats,chat_events")
        edited, deleted, rated = some_chats(path, 3)
        lately = sandbox.clock.time() - 400  # in the export, but after what the file is complete until
        sandbox.account.edit_chat(edited, at=lately, tags=["new"])
        sandbox.account.delete_chat(deleted, at=lately)
        history = [*sandbox.account.chat(rated)["history"], {"type": "chat.rating", "timestamp": iso(sandbox), "name": "V"}]  # type: ignore[misc]  # a list
        sandbox.account.edit_chat(rated, history=history)  # just now: only the event shows it
        added = sandbox.account.add_chats(3, at=lately)
        just_added = sandbox.account.add_chats(2)
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found)) == (0, {})
        assert found["streams"]["chats"]["newer"] == 8
        assert found["total"] == {
            "outcome": "equal",
            "account": len(sandbox.account.chats.created),
            "rows": len(sandbox.account.chats.created) - 4,
            "newer": 4,
            "deleted": 1,
            "reason": "",
            "unexplained": 0,
        }
        assert "4 chats were added since the last sync, so this adds up." in found["sentences"][0]
        assert "8 chats began or changed after the last sync. The next sync loads them." in found["sentences"]
        sandbox.clock.advance(600)
        sync(sandbox, path, "--streams", "chats,chat_events")
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found)) == (0, {})
        assert {*added, *just_added} <= {identity for (identity,) in rows(path, "SELECT id FROM chats")}


def iso(sandbox: Sandbox) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(sandbox.clock.time()))


def test_a_row_that_has_the_latest_change_must_be_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The change is after the time up to which the file is known to be complete, but the row has it."""
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        # An offline message has no rating.
        edited = min(key for key in sandbox.account.chats.entries if sandbox.account.chat(key)["type"] == "chat")
        sandbox.account.edit_chat(edited, at=sandbox.clock.time() - 400, deleted=False)
        sync(sandbox, path, "--streams", "chats")
        change(path, f"UPDATE chats SET rating = 'wrong' WHERE id = '{edited}'")
        code, found = verify(sandbox, path, capsys)
    assert (code, differing(found)) == (1, {"chats": (0, 0, 1)})
    assert found["streams"]["chats"]["keys"] == {"different": [edited]}


def test_the_last_chat_of_a_quiet_account_must_be_there(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state ends at its change, and the run an hour later."""
    ((last,),) = rows(path, "SELECT max_by(id, update_timestamp) FROM chats")
    change(path, f"DELETE FROM chats WHERE id = '{last}'")
    code, found = verify(sandbox, path, capsys)
    assert (code, found["streams"]["chats"]["keys"]) == (1, {"missing": [last]})


@pytest.mark.long
def test_too_many_changes_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_chat.load.verify.answers.MAX_CHANGE_PAGES", 2)
    path = tmp_path / "chats.duckdb"
    with small(CHATS, export_page_cap=10) as sandbox:
        sync(sandbox, path, "--streams", "chats,goals")
        sandbox.account.add_chats(25, at=sandbox.clock.time() - 400)
        code, found = verify(sandbox, path, capsys)
    assert (code, found["streams"]["chats"]["state"], found["streams"]["goals"]["state"]) == (1, "failed", "same")
    assert found["errors"] == [
        "chats: more than 20 changed since the last sync, too many to compare. Run sync, then verify again."
    ]


def test_a_chat_that_the_export_does_not_show_as_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS, deleted_chats="gone") as sandbox:
        sync(sandbox, path, "--streams", "chats")
        (deleted,) = some_chats(path, 1)
        sandbox.account.delete_chat(deleted, at=sandbox.clock.time() - 400)
        code, found = verify(sandbox, path, capsys)
    assert (code, differing(found)) == (1, {"chats": (0, 1, 0)})
    assert found["streams"]["chats"]["keys"] == {"extra": [deleted]}


def test_activity_of_agents_is_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(0) as sandbox:
        sync(sandbox, path, "--streams", "agents,bans")
        agent, other, *_ = sandbox.account.lists["agents"]
        sandbox.account.edit("agents", agent, {"login_count": 999, "last_login": "2026-11-28T10:00:00Z"})
        assert verify(sandbox, path, capsys)[0] == 0
        sandbox.account.edit("agents", agent, {"departments": [1]})
        sandbox.account.delete("agents", other)
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found)) == (1, {"agents": (0, 1, 1)})
        assert any("stay in the file until a full refresh" in sentence for sentence in found["sentences"])
        assert verify(sandbox, path, capsys, "--repair")[0] == 0
        assert rows(path, f"SELECT count(*) FROM agents WHERE id = {other}") == [(0,)]


# Files that hold a part of the account.


@pytest.mark.parametrize("part", ["start", "end"])
def test_of_a_part_of_the_account_only_the_sample_is_compared(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS, history_until="2026-06-01T00:00:00Z") as sandbox:
        times = sorted(entry.updated for entry in sandbox.account.chats.entries.values())
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(times[len(times) // 2]))
        sync(sandbox, path, "--streams", "chats,chat_events", f"--{part}-date", date)
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found)) == (0, {})
        assert found["total"]["outcome"] == "not compared"
        assert f"its {part} date" in found["sentences"][0]
        (missing,) = some_chats(path, 1)
        change(path, f"DELETE FROM chats WHERE id = '{missing}'")
        code, found = verify(sandbox, path, capsys, "--all")
    assert (code, differing(found)) == (1, {"chats": (1, 0, 0)})
    assert found["streams"]["chats"]["keys"] == {"missing": [missing]}


# Two accounts, redaction.


def test_another_account_is_refused(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    options = ["--subdomain", "globex", "--token", sandbox.token, "--api-url", sandbox.url]
    assert run(sandbox, "verify", str(path), *options) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"ERROR {path} contains the account acme, but the configuration is for globex." in shown.err


def test_an_account_with_the_same_subdomain_is_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small(0) as other:
        other.account.settings["account_key"] = "another-key"
        capsys.readouterr()
        assert run(other, "verify", str(path)) == 3
        assert "acme now has the key another-key" in capsys.readouterr().err
        assert {request.path for request in other.requests} == {"/api/v2/chat/account"}


def test_each_schema_is_an_account(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small(30) as other:
        globex = ["--subdomain", "globex", "--token", other.token, "--api-url", other.url, "--schema", "globex eu"]
        other.account.settings["account_key"] = "another-key"
        assert run(other, "sync", "--to", f"duckdb:///{path}", "--streams", "chats,goals", *globex) == 0
        change(path, 'DELETE FROM "globex eu".goals')
        code, found = verify(other, path, capsys, *globex, "--repair")
        assert (code, found["subdomain"], found["account_key"]) == (0, "globex", "another-key")
        assert found["streams"]["goals"]["state"] == "repaired"
        assert found["streams"]["chats"]["rows"] == 30
    code, found = verify(sandbox, path, capsys)
    assert (code, found["subdomain"], found["streams"]["chats"]["rows"]) == (0, "acme", CHATS)


REDACT = ["--redact", "chats.visitor.email=hash", "--redact", "chats.comment=drop", "--redact", "agents.email=mask"]


def test_redacted_rows_are_compared_with_redacted_records(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY", "0123456789abcdef-secret")
    path = tmp_path / "chats.duckdb"
    sync(sandbox, path, "--streams", "chats,chat_events,agents,goals", *REDACT)
    assert verify(sandbox, path, capsys, *REDACT)[0] == 0
    (changed,) = some_chats(path, 1)
    change(path, f"UPDATE chats SET rating = 'wrong' WHERE id = '{changed}'", "DELETE FROM agents WHERE id % 2 = 0")
    code, found = verify(sandbox, path, capsys, *REDACT, "--repair")
    assert (code, found["repaired"]["chats"]) == (0, 1)
    emails = rows(path, "SELECT count(*) FROM chats WHERE visitor->>'email' LIKE '%@%'")
    assert emails == [(0,)]


def test_with_other_rules_only_keys_are_compared(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, changed = some_chats(path, 2)
    change(path, f"DELETE FROM chats WHERE id = '{missing}'", f"UPDATE chats SET rating = 'wrong' WHERE id = '{changed}'")
    code, found = verify(sandbox, path, capsys, "--redact", "chats.comment=drop", "--repair")
    assert (code, differing(found)) == (1, {"chats": (1, 0, 0)})
    assert any(sentence.startswith("chats: the file was loaded with other redaction rules") for sentence in found["sentences"])
    assert rows(path, f"SELECT count(*) FROM chats WHERE id = '{missing}'") == [(0,)]


def test_rows_from_before_a_change_of_the_rules_are_compared_by_key(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.duckdb"
    redact = ["--redact", "chats.comment=null"]
    sync(sandbox, path, "--streams", "chats")
    sync(sandbox, path, "--streams", "chats", *redact)
    code, found = verify(sandbox, path, capsys, *redact)
    assert (code, differing(found)) == (0, {})
    assert any("some rows were loaded before the redaction rules changed" in sentence for sentence in found["sentences"])


def test_the_same_keys_are_no_proof(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = verify(sandbox, path, capsys, "--redact", "chats.comment=drop")
    assert (code, found["same"], found["streams"]["chats"]["state"]) == (3, False, "same keys")
    assert not any("confidence" in sentence or "as they are in the account" in sentence for sentence in found["sentences"])
    assert run(sandbox, "verify", str(path), "--redact", "chats.comment=drop") == 3
    assert capsys.readouterr().out.splitlines()[-1] == "Not everything could be compared."


# Files and accounts that cannot be compared.


@pytest.mark.parametrize(
    ("prepare", "code", "message"),
    [
        (lambda path: path.unlink(), 3, "does not exist. Create it with `zendesk-chat sync`"),
        (lambda path: path.write_bytes(b"no database " * 1000), 3, "the file is not a DuckDB database"),
        (lambda path: change(path, "DROP TABLE _sync_account"), 3, "contains no synced data in the schema main"),
        (lambda path: change(path, "UPDATE _sync_account SET format = 99"), 3, "Upgrade zendesk-chat"),
        (lambda path: change(path, "DROP TABLE _sync_outdated"), 3, "reading"),
    ],
    ids=["no file", "another file", "no sync", "later version", "no system table"],
)
def test_a_file_that_cannot_be_verified(
    prepare: Any, code: int, message: str, sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(path)
    capsys.readouterr()
    assert run(sandbox, "verify", str(path)) == code
    assert message in capsys.readouterr().err


def test_a_file_that_another_program_writes(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with open_elsewhere(path, read_only=False):
        assert run(sandbox, "verify", str(path)) == 1
    assert re.search(r"is open in .* \(process \d+\)\. Try again when it has finished\.", capsys.readouterr().err)


def test_a_file_that_another_program_reads_is_verified_and_not_repaired(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(path, "DELETE FROM goals")
    with open_elsewhere(path, read_only=True):
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found)) == (1, {"goals": (5, 0, 0)})
        assert run(sandbox, "verify", str(path), "--repair", "--wait", "1") == 1
        assert f"{path} is open in" in capsys.readouterr().err
    assert rows(path, "SELECT count(*) FROM goals") == [(0,)]
    assert run(sandbox, "verify", str(path), "--repair") == 0


def test_a_wrong_token_needs_a_person(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    options = ["--subdomain", "acme", "--token", "wrong", "--api-url", sandbox.url]
    assert run(sandbox, "verify", str(path), *options) == 3
    assert "HTTP 401" in capsys.readouterr().err


def test_a_list_that_cannot_be_read_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(10) as sandbox:
        sync(sandbox, path, "--streams", "chats,goals,agents")
        sandbox.inject(Fault(path="*goals", kind="status", status=500, times=None))
        code, found = verify(sandbox, path, capsys)
        assert (code, found["streams"]["goals"]["state"]) == (1, "failed")
        assert found["streams"]["agents"]["state"] == found["streams"]["chats"]["state"] == "same"
        sandbox.clear_faults()
        sandbox.switch(unavailable={"goals": 403})
        code, found = verify(sandbox, path, capsys)
        assert (code, found["streams"]["goals"]["state"]) == (3, "failed")


def test_a_list_that_the_account_lacks_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(10, unavailable={"routing_settings/agents": 404, "incremental/conversions": 404}) as sandbox:
        sync(sandbox, path)
        code, found = verify(sandbox, path, capsys)
    assert code == 0
    for name in ("agent_routing_settings", "conversions"):
        assert found["streams"][name]["state"] == "not available"


def test_an_account_that_does_not_show_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(10, account_status=403) as sandbox:
        run(sandbox, "sync", "--to", f"duckdb:///{path}", "--streams", "chats,goals")
        code, found = verify(sandbox, path, capsys)
    assert (code, found["account_key"]) == (0, None)


def test_searches_may_be_refused(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_chat.load.verify.verifying.FEW_CHATS", 10)
    change(path, "DELETE FROM chats WHERE hash(id) % 2 = 0")
    with small(CHATS, search_cap=0) as other:
        code, found = verify(other, path, capsys, "--sample", "1")
    assert (code, found["total"]["outcome"]) == (1, "more in the account")


def test_tokens_are_renewed_and_stored(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    with small(0) as sandbox:
        config.write_text(json.dumps({"subdomain": "acme", "api_url": sandbox.url, "credentials": OAUTH}))
        copy = tmp_path / "empty.duckdb"
        sync(sandbox, copy, "--streams", "goals")
        parsed = make_parser().parse_args(["verify", str(copy), "--config", str(config)])
        assert parsed.run(parsed, FakeClock(running=True)) == 0
        stored = json.loads(config.read_text())["credentials"]
        assert stored["refresh_token"] != OAUTH["refresh_token"]
        assert stored["access_token"] in sandbox.tokens.access


def test_refused_requests_are_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        sync(sandbox, path, "--streams", "chats,goals")
        sandbox.inject(
            Fault(path="*goals", kind="status", status=429, retry_after=1, times=2),
            Fault(path="*/chats", query="*ids*", kind="status", status=502, times=2),
            Fault(path="*/chats", kind="truncated_json", times=1),
        )
        code, found = verify(sandbox, path, capsys)
    assert (code, differing(found), found["streams"]["goals"]["state"]) == (0, {}, "same")


@pytest.mark.long
@pytest.mark.parametrize("skew", [-7200, 7200])
def test_a_wrong_clock_of_this_machine_changes_nothing(skew: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chats.duckdb"
    end = time.time() + skew - 3600
    with Sandbox(chats=CHATS, history_until=end, clock_skew=skew, switches=Switches(rate_limit=0)) as sandbox:
        sync(sandbox, path, "--streams", "chats,goals")
        sandbox.account.add_chats(3, at=sandbox.clock.time() - 400)
        code, found = verify(sandbox, path, capsys)
        assert (code, differing(found), found["streams"]["chats"]["newer"]) == (0, {}, 3)
        ((last,),) = rows(path, "SELECT max_by(id, update_timestamp) FROM chats WHERE NOT deleted")
        change(path, f"DELETE FROM chats WHERE id = '{last}'")
        code, found = verify(sandbox, path, capsys)
        assert (code, found["streams"]["chats"]["keys"]) == (1, {"missing": [last]})


def test_a_stopped_verification_ends(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parsed = make_parser().parse_args(
        ["verify", str(path), "--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
    )
    clock = FakeClock(running=True)
    clock.stop()
    sandbox.clear_requests()
    capsys.readouterr()
    assert parsed.run(parsed, clock) == 1
    shown = capsys.readouterr()
    assert (shown.out, logged(shown.err, "WARNING")) == ("", ["Interrupted. The file is unchanged."])
    assert sandbox.requests == []


@pytest.mark.long
def test_the_choice_depends_on_the_seed(sandbox: Sandbox, path: Path) -> None:
    def asked(*options: str) -> list[str]:
        sandbox.clear_requests()
        assert run(sandbox, "verify", str(path), "--sample", "20", *options) == 0
        return [request.query["ids"] for request in sandbox.requests if "ids" in request.query]

    assert asked() == asked("--seed", "0")
    assert asked() != asked("--seed", "1")
    newest = {identity for _, identity in sandbox.account.chats.created[-40:]}  # compared from their page
    assert 5 < len(asked()[0].split(",")) <= 20
    assert newest.isdisjoint(asked()[0].split(","))


@pytest.mark.long
def test_the_real_command(sandbox: Sandbox, path: Path) -> None:
    (missing,) = some_chats(path, 1)
    change(path, f"DELETE FROM chats WHERE id = '{missing}'")
    account = {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": sandbox.token, "ZENDESK_CHAT_API_URL": sandbox.url}
    for expected, last in ((1, "add --repair."), (0, "No difference remains."), (0, "No difference was found.")):
        options = ["--repair"] if last == "No difference remains." else []
        done = execute("verify", str(path), *options, executable=COMMAND, **account)
        assert done.code == expected, done.stderr
        assert done.stdout.decode().rstrip().endswith(last)
        assert sandbox.token not in done.stdout.decode() + done.stderr
    assert execute("status", str(path), executable=COMMAND).code == 0


@pytest.mark.parametrize("option", ["--sample=0", "--sample=x", "--seed=x"])
def test_wrong_options(option: str) -> None:
    with pytest.raises(SystemExit) as exited:
        make_parser().parse_args(["verify", option])
    assert exited.value.code == 2


def test_a_chat_that_was_lost_from_the_end_of_what_is_loaded_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "chats.duckdb"
    with small(CHATS) as sandbox:
        sync(sandbox, path, "--streams", "chats,goals")
        ((last,),) = rows(path, "SELECT max_by(id, update_timestamp) FROM chats WHERE NOT deleted")
        change(path, f"DELETE FROM chats WHERE id = '{last}'")
        code, found = verify(sandbox, path, capsys, "--sample", "1")
        assert (code, found["streams"]["chats"]["keys"]) == (1, {"missing": [last]})
        assert verify(sandbox, path, capsys, "--repair")[0] == 0
        assert rows(path, f"SELECT count(*) FROM chats WHERE id = '{last}'") == [(1,)]


def test_rows_that_are_there_twice_are_found_and_repaired(
    sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(path)
    change(path, "INSERT INTO agents FROM agents LIMIT 3", "INSERT INTO chats FROM chats WHERE NOT deleted LIMIT 2")
    code, found = verify(sandbox, path, capsys, "--sample", "1")
    assert (code, found["streams"]["agents"]["different"], found["streams"]["chats"]["different"]) == (1, 3, 2)
    assert found["streams"]["chats"]["fields"] == {"(several rows)": 2}
    assert verify(sandbox, path, capsys, "--repair")[0] == 0
    assert contents(path) == before
