"""What a target holds is what the account holds, after every kind of run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.singer.target import Target, discover_here, lately, run_here, select, tap_here
from tests.support.executable import files
from tests.support.in_process import ALL
from tests.support.sandbox import OAUTH, by_content, config_of, small, still, truth
from zendesk_chat_sandbox import Fault, Sandbox

API = ("account", "agents", "bans", "chats", "departments", "shortcuts", "agent_timeline")
VISITORS = "visitors"


def own(name: str) -> str:
    """The connector's name of a stream."""
    return "accounts" if name == "account" else name


def check(sandbox: Sandbox, target: Target, *streams: str) -> None:
    for stream in streams:
        rows = target.rows(stream)
        if stream == VISITORS:  # one for each visitor and last chat; the latest is the visitor as last seen
            latest = sorted(rows, key=lambda row: str(row["last_chat_timestamp"]))
            rows = list({row["id"]: row for row in latest}.values())
        assert by_content(rows) == by_content(truth(sandbox, own(stream))), stream


def names(catalog: dict[str, Any]) -> list[str]:
    return [entry["tap_stream_id"] for entry in catalog["streams"]]


def test_a_target_holds_every_record_of_every_stream() -> None:
    with small() as sandbox:
        catalog = select(discover_here())
        done, target = tap_here(config_of(sandbox), catalog), Target()
        target.load(done.output)
        assert (done.code, [own(name) for name in names(catalog)]) == (0, list(ALL))
        check(sandbox, target, *names(catalog))


def test_without_a_catalog_it_reads_what_is_not_extracted_from_chats() -> None:
    with still() as sandbox:
        done, target = tap_here(config_of(sandbox)), Target()
        target.load(done.output)
        assert set(target.tables) == {
            "account", "agents", "agent_events", "agent_routing_settings", "agent_timeline", "bans", "chats", "conversions",
            "departments", "department_events", "goals", "roles", "routing_settings", "shortcuts", "skills", "triggers",
        }  # fmt: skip
        check(sandbox, target, *target.tables)


def test_a_record_is_written_as_the_api_sent_it() -> None:
    with still() as sandbox:
        output = tap_here(config_of(sandbox), select(discover_here(), "goals")).output
        (first, *_) = [line for line in output.splitlines() if b'"RECORD"' in line]
        raw = sandbox.account.lists["goals"]
        assert json.loads(first)["record"] == next(iter(raw.values()))
        raw_record = json.dumps(json.loads(first)["record"], separators=(",", ":"), ensure_ascii=False).encode()
        head = rb'{"type":"RECORD","stream":"goals","version":\d{10},"time_extracted":"\d{4}-\d\d-\d\dT[\d:.]{15}Z","record":'
        assert re.fullmatch(head + re.escape(raw_record) + b"}", first)


def test_the_next_run_brings_what_changed_and_drops_what_is_gone() -> None:
    with small() as sandbox:
        config, catalog, target = config_of(sandbox), select(discover_here(), *API), Target()
        state = target.load(tap_here(config, catalog).output)
        changed = sandbox.account.chat_ids()[3]
        sandbox.account.edit_chat(changed, at=lately(sandbox), rating="good")
        gone = next(iter(sandbox.account.lists["bans"]))
        del sandbox.account.lists["bans"][gone]
        state = target.load(tap_here(config, catalog, state).output)
        assert [record["id"] for record in target.records["chats"]] == [changed]
        check(sandbox, target, *API)
        target.load(tap_here(config, catalog, state).output)
        assert target.records.get("chats", []) == []


def test_it_resumes_from_each_state() -> None:
    with small() as sandbox:
        config, catalog = config_of(sandbox), select(discover_here(), "chats", "chat_events")
        output = tap_here(config, catalog).output
        count = output.count(b'{"type":"STATE"')
        assert count >= 4
        for number in range(1, count):
            target = Target()
            state = target.load(output, until_state=number)
            target.load(tap_here(config, catalog, state).output)
            check(sandbox, target, "chats", "chat_events")


def test_states_are_seconds_apart_and_one_follows_everything() -> None:
    with small(chats=350) as sandbox:
        output = tap_here(config_of(sandbox), state_seconds=10**6).output
        assert output.count(b'{"type":"STATE"') == 1
        assert output.splitlines()[-1].startswith(b'{"type":"STATE"')


def test_bookmarks_of_streams_that_are_not_read_stay() -> None:
    with still() as sandbox:
        config, target = config_of(sandbox), Target()
        state = target.load(tap_here(config, select(discover_here(), "chats")).output)
        other = target.load(tap_here(config, select(discover_here(), "agent_timeline", "goals"), state).output)
        assert other["bookmarks"]["chats"] == state["bookmarks"]["chats"]
        assert set(other["bookmarks"]) == {"chats", "agent_timeline"}


def test_a_stream_can_be_read_from_the_start_in_each_run() -> None:
    with still() as sandbox:
        catalog, target = select(discover_here(), "chats"), Target()
        entry = next(entry for entry in catalog["streams"] if entry["tap_stream_id"] == "chats")
        entry["metadata"][0]["metadata"]["replication-method"] = "FULL_TABLE"
        state = target.load(tap_here(config_of(sandbox), catalog).output)
        target.load(tap_here(config_of(sandbox), catalog, state).output)
        assert (state, len(target.records["chats"])) == ({"bookmarks": {}}, len(sandbox.account.chat_ids()))


def test_deselected_fields_are_in_neither_schema_nor_records() -> None:
    without = {"chats": ("comment", "history", "visitor.email", "engagements.comment"), "agents": ("email", "id")}
    with still() as sandbox:
        catalog = select(discover_here(), "agents", "chats", "chat_events", without=without)
        done, target = tap_here(config_of(sandbox), catalog), Target()
        target.load(done.output)
        schemas = {m["stream"]: m["schema"] for m in map(json.loads, done.output.splitlines()) if m["type"] == "SCHEMA"}
        assert schemas["chats"]["properties"].keys().isdisjoint({"comment", "history"})
        assert "email" not in schemas["chats"]["properties"]["visitor"]["properties"]
        expected = []
        for chat in truth(sandbox, "chats"):
            kept = {name: value for name, value in chat.items() if name not in ("comment", "history")}
            kept["visitor"] = {name: value for name, value in kept["visitor"].items() if name != "email"}
            kept["engagements"] = [{k: v for k, v in item.items() if k != "comment"} for item in kept.get("engagements") or ()]
            expected.append(kept)
        assert [chat for chat in truth(sandbox, "chats") if chat.get("engagements")]
        rows = [{**row, "engagements": row.get("engagements") or []} for row in target.rows("chats")]
        assert by_content(rows) == by_content(expected)
        assert "id" in target.columns["agents"], "a key cannot be deselected"
        check(sandbox, target, "chat_events")  # it is extracted from the complete chat


def test_redaction_changes_schema_and_records() -> None:
    redact = {"hash_key": "0123456789abcdef", "rules": [{"field": "chats.visitor.email", "action": "drop"}]}
    with still() as sandbox:
        config = config_of(sandbox, redact=redact)
        catalog = discover_here(config)
        target = Target()
        target.load(tap_here(config, select(catalog, "chats", VISITORS)).output)
        assert not [row for row in target.rows("chats") if "email" in (row.get("visitor") or {})]
        assert "email" not in target.columns[VISITORS]


@pytest.mark.parametrize(("action", "key"), [("drop", ["id"]), ("mask", ["id"]), ("hash", ["id"]), (None, ["name"])])
def test_a_shortcut_whose_name_is_redacted_is_identified_by_its_id(action: str | None, key: list[str]) -> None:
    rules = [{"field": "shortcuts.name", "action": action}] if action else []
    with still() as sandbox:
        config = config_of(sandbox, redact={"hash_key": "0123456789abcdef", "rules": rules})
        target = Target()
        target.load(tap_here(config, select(discover_here(config), "shortcuts")).output)
        assert target.tables["shortcuts"].key == key
        assert len(target.rows("shortcuts")) == len(sandbox.account.lists["shortcuts"])


def test_what_the_account_lacks_is_reported_and_the_rest_is_complete() -> None:
    with still(unavailable={"account": 403, "incremental/agent_events": 404}) as sandbox:
        done, target = tap_here(config_of(sandbox)), Target()
        target.load(done.output)
        assert done.code == 0
        assert "WARNING account: no records, because this account lacks it." in done.log
        assert b'{"type":"ACTIVATE_VERSION","stream":"account"' not in done.output
        check(sandbox, target, "chats", "agents", "bans")


def test_a_stream_that_fails_does_not_affect_the_others() -> None:
    with still() as sandbox:
        sandbox.inject(Fault(path="*/goals", kind="status", status=403, times=None))
        done, target = tap_here(config_of(sandbox)), Target()
        target.load(done.output)
        assert done.code == 1
        assert [line for line in done.log.splitlines() if line.startswith("CRITICAL goals: ")]
        assert b'{"type":"ACTIVATE_VERSION","stream":"goals"' not in done.output
        check(sandbox, target, "chats", "agents", "bans")


def test_one_reason_for_all_streams_is_reported_once() -> None:
    with still() as sandbox:
        config = config_of(sandbox) | {"credentials": {"credentials": "access_token", "access_token": "wrong-token"}}
        done = tap_here(config, select(discover_here(), "chats", "agents", "goals"))
        critical = [line for line in done.log.splitlines() if line.startswith("CRITICAL")]
        assert (done.code, len(critical)) == (1, 1)
        assert "wrong-token" not in done.log + done.output.decode()


@pytest.mark.parametrize(
    ("catalog", "state", "message"),
    [
        (["chats"], None, "The catalog is malformed: Expected `object`, got `array`."),
        ({"streams": [{"stream": "chats"}]}, None, "The catalog is malformed: Object missing required field `tap_stream_id`"),
        (
            {"streams": [{"tap_stream_id": "chat\n", "selected": True, "schema": {"selected": True}}]},
            None,
            r"an unknown stream: chat\n.",
        ),
        (None, {"bookmarks": {"chats": 5}}, "The state is malformed: Expected `object`, got `int`"),
        (None, {"bookmarks": {"chats": {"update_timestamp": "yesterday"}}}, "chats: "),
    ],
)
def test_a_wrong_file_gets_one_message(catalog: Any, state: Any, message: str) -> None:
    with still() as sandbox:
        done = tap_here(config_of(sandbox), catalog, state)
        critical = [line for line in done.log.splitlines() if line.startswith("CRITICAL ")]
        assert (done.code, len(critical)) == (1, 1)
        assert message in critical[0]


def test_an_empty_state_file_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("\n")
    with still() as sandbox:
        options = files(tmp_path, config=config_of(sandbox), catalog=select(discover_here(), "chats"))
        done, target = run_here(*options, "--state", str(tmp_path / "empty.json")), Target()
        target.load(done.output)
        assert done.code == 0
        assert done.log.startswith(
            f"WARNING The state file is empty: {tmp_path}/empty.json. Everything since the start date is read. If you have an "
            "older state, stop this run and pass that one.\n"
        )
        check(sandbox, target, "chats")


@pytest.mark.parametrize(
    ("key", "meant"), [("startdate", "start_date"), ("StartDate", "start_date"), ("refresh_token", "credentials.refresh_token")]
)
def test_a_misspelt_key_is_refused(key: str, meant: str) -> None:
    with still() as sandbox:
        done = tap_here(config_of(sandbox) | {key: "2024-01-01"})
        assert (done.code, done.output) == (1, b"")
        assert done.log == f"CRITICAL Unknown key `{key}`: did you mean `{meant}`?\n"
        assert sandbox.requests == []


def test_other_unknown_keys_are_warnings() -> None:
    with still() as sandbox:
        done = tap_here(
            config_of(sandbox) | {"flattening_enabled": False, "streams": ["goals"]}, select(discover_here(), "goals")
        )
        assert done.code == 0
        assert [line[:40] for line in done.log.splitlines() if "Unknown key" in line] == [
            "WARNING Unknown key `flattening_enabled`",
            "WARNING Unknown key `streams`: it is an ",
        ]


def test_a_catalog_that_selects_nothing_is_reported() -> None:
    with still() as sandbox:
        done = tap_here(config_of(sandbox), select(discover_here(), "no such stream"))
        assert (done.code, done.log) == (0, "WARNING The catalog selects no stream, so nothing is read.\n")


def test_renewed_tokens_are_stored_in_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MELTANO_EXTRACTOR_NAME", raising=False)
    with still() as sandbox:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config_of(sandbox, credentials=OAUTH)))
        done = run_here("--config", str(path))
        assert done.code == 0
        stored = json.loads(path.read_text())["credentials"]
        assert stored["refresh_token"] != OAUTH["refresh_token"]
        assert not [secret for secret in stored.values() if secret != "oauth2.0" and secret in done.output.decode() + done.log]


def test_in_meltano_a_one_time_token_is_not_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-zendesk-chat")
    with still() as sandbox:
        done = tap_here(config_of(sandbox, credentials=OAUTH))
        assert done.code == 1
        assert "Meltano writes the config file anew for each run" in done.log
        client = {name: OAUTH[name] for name in ("credentials", "client_id", "client_secret")}
        assert tap_here(config_of(sandbox, credentials=client)).code == 0
