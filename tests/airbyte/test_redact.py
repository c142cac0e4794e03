"""What is redacted leaves the process nowhere: planted values, all streams, the highest log level, all output searched."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.commands import execute_here
from tests.support.executable import execute, files
from tests.support.in_process import ALL, catalog_of, check_here, read_here
from tests.support.protocol import Output, check_read
from tests.support.sandbox import DERIVED, config_of, small
from zendesk_chat_sandbox import Fault, Sandbox

HASH_KEY = "planted-key-of-hashes-Qx7"
EMAIL, PHONE, NAME = "planted.email.Qx7@example.com", "+49 30 901820 4499", "Planted Qx7"
IP, PAGE, UNKNOWN = "192.0.2.233", "https://shop.example.com/?u=planted-Qx7", "planted-unknown-Qx7"
PLANTED = re.compile(r"qx7|planted|192\.0\.2\.233|901820|820 4499", re.IGNORECASE)
RULES: list[dict[str, Any]] = [
    {"field": "chats.visitor.email", "action": "hash"},
    {"field": "visitors.phone", "action": "null"},
    {"field": "visitors.name", "action": "drop"},
    {"field": "chats.visitor.notes", "action": "mask"},
    {"field": "visitors.external_id", "action": "hash"},
    {"field": "chat_events.name", "action": "hash"},
    {"field": "chat_events.nick", "action": "hash"},
    {"field": "chats.history.*.msg", "action": "mask", "patterns": ["email", "ip", "phone"]},
    {"field": "chats.history[].attachment", "action": "null"},
    {"field": "chats.history[].department_id", "action": "drop"},
    {"field": "chats.comment", "action": "mask"},
    {"field": "chats.session.ip", "action": "hash"},
    {"field": "chats.session.user_agent", "action": "drop"},
    {"field": "chat_webpaths.to", "action": "hash"},
    {"field": "chat_webpaths.from", "action": "null"},
    {"field": "chat_webpaths.title", "action": "drop"},
    {"field": "chat_engagements.comment", "action": "null"},
    {"field": "chat_conversions.attribution.agent_name", "action": "hash"},
    {"field": "chats.secret_field", "action": "drop"},
    {"field": "agents.email", "action": "hash"},
    {"field": "*.**.display_name", "action": "null"},
    {"field": "conversions.attribution.agent_name", "action": "drop"},
    {"field": "agent_events.value", "action": "hash"},
]


def config(sandbox: Sandbox, rules: list[dict[str, Any]] = RULES) -> dict[str, Any]:
    return config_of(sandbox, redact={"hash_key": HASH_KEY, "rules": rules})


def planted(chat: Mapping[str, Any]) -> dict[str, Any]:
    """What is planted in a chat, in forms that fit its schema and in such that do not."""
    made = {"name": NAME, "channel": "#x", "timestamp": "2026-01-01T00:00:00Z"}
    return {
        "visitor": {"id": chat["visitor"]["id"], "name": NAME, "email": EMAIL, "phone": PHONE, "notes": f"Write to {EMAIL}"}
        | {"external_id": UNKNOWN},
        "session": {**chat["session"], "ip": IP, "user_agent": UNKNOWN},
        "comment": f"Call {PHONE}",
        "secret_field": {"inside": [UNKNOWN]},
        "webpath": [
            {"timestamp": "2026-01-01T00:00:00Z", "from": PAGE, "to": PAGE, "title": NAME},
            [1_767_225_600, PAGE, NAME],
            PAGE,
        ],
        "history": [
            {**made, "type": "chat.msg", "msg": f"I am {EMAIL}, at {IP}, or {PHONE}", "nick": UNKNOWN, "msg_id": 5},
            {**made, "type": "chat.msg", "msg": [{"text": EMAIL}], "department_id": UNKNOWN},
            {**made, "type": "chat.file", "attachment": {"name": NAME, "url": PAGE}},
        ],
        "engagements": [{"id": "e1", "comment": UNKNOWN, "timestamp": "2026-01-01T00:00:00Z"}],
        "conversions": [{"id": "c1", "timestamp": "2026-01-01T00:00:00Z", "goal_id": 1, "attribution": {"agent_name": NAME}}],
    }


def plant(sandbox: Sandbox) -> str:
    """Plant values in a chat, an agent and events; returns the chat."""
    account = sandbox.account
    identity = next(id_ for id_ in account.chat_ids() if account.chat(id_)["type"] == "chat")
    account.edit_chat(identity, **planted(account.chat(identity)))
    account.edit("agents", next(iter(account.lists["agents"])), {"email": EMAIL, "display_name": NAME})
    event = json.loads(next(iter(account.events["agent_events"].bodies.values())))
    account.add("agent_events", {**event, "value": UNKNOWN})
    conversion = json.loads(next(iter(account.events["conversions"].bodies.values())))
    account.add("conversions", {**conversion, "attribution": {**conversion["attribution"], "agent_name": NAME}})
    return identity


def of_chat(output: Output, stream: str, identity: str) -> list[dict[str, Any]]:
    parent = {"visitors": "last_chat_id"}.get(stream, "chat_id")
    return [record for record in output.records[stream] if record[parent] == identity]


def test_nothing_planted_is_in_any_output_of_any_command(tmp_path: Path) -> None:
    with small(chats=120) as sandbox:
        identity = plant(sandbox)
        options = files(tmp_path, config=config(sandbox), catalog=catalog_of())
        outcomes = [execute("check", *options[:2], "--debug"), execute("discover", *options[:2], "--debug")]
        done = execute("read", *options, "--debug")
        output = check_read(done.stdout, ALL)
        again = files(tmp_path, config=config(sandbox), catalog=catalog_of(), state=output.last_state)
        outcomes += [done, execute("read", *again, "--debug")]
    assert [outcome.code for outcome in outcomes] == [0, 0, 0, 0]
    for outcome in outcomes:
        assert PLANTED.findall(outcome.stdout.decode()) == []
        assert outcome.stderr == ""
    assert len(done.output.logs("DEBUG")) > len(ALL)
    assert len(of_chat(output, "chat_events", identity)) == 3
    assert len(of_chat(output, "chat_webpaths", identity)) == 3
    second = check_read(outcomes[-1].stdout, ALL)
    assert second.records["chats"] == second.records["chat_events"] == second.records["agents"] == []


def test_without_rules_all_of_it_is_there() -> None:
    """Or the test before would show nothing."""
    with small(chats=20) as sandbox:
        plant(sandbox)
        _, output = read_here(config_of(sandbox), catalog_of())
    for stream in ("chats", *DERIVED, "agents", "agent_events", "conversions"):
        assert PLANTED.search(json.dumps(output.records[stream])), stream
    for value in (EMAIL, PHONE, NAME, IP, PAGE, UNKNOWN):
        assert value in json.dumps(output.messages), value


def test_what_the_actions_leave() -> None:
    with small(chats=60) as sandbox:
        identity = plant(sandbox)
        _, output = read_here(config(sandbox), catalog_of())
        _, plain = read_here(config_of(sandbox), catalog_of())
    (chat,) = [record for record in output.records["chats"] if record["id"] == identity]
    (visitor,) = of_chat(output, "visitors", identity)
    hashed = chat["visitor"]["email"]
    assert re.fullmatch(r"[0-9a-f]{32}", hashed)
    assert visitor["email"] == hashed == output.records["agents"][0]["email"]
    assert chat["visitor"]["phone"] is visitor["phone"] is None
    assert "name" not in chat["visitor"].keys() | visitor.keys()
    assert chat["visitor"]["notes"] == visitor["notes"] == "Write to [email]"
    assert chat["comment"] == "Call [phone]"
    assert visitor["ip"] == chat["session"]["ip"]
    assert "secret_field" not in chat
    assert chat["history"][0]["msg"] == "I am [email], at [ip], or [phone]"
    events = of_chat(output, "chat_events", identity)
    assert [event["name"] for event in events] == [item["name"] for item in chat["history"]]
    assert events[0]["msg"] == chat["history"][0]["msg"]
    assert events[0]["msg_id"] == "5"
    (page, *_) = of_chat(output, "chat_webpaths", identity)
    assert (page["from"], page["to"]) == (None, chat["webpath"][0]["to"])
    assert of_chat(output, "chat_engagements", identity)[0]["comment"] is None
    assert {stream: len(records) for stream, records in output.records.items()} == {
        stream: len(records) for stream, records in plain.records.items()
    }
    for stream in ("goals", "skills", "routing_settings", "department_events", "agent_timeline"):
        assert output.records[stream] == plain.records[stream], "what no rule is for stays"


def test_the_catalog_describes_what_the_actions_leave_and_the_records_fit_it(tmp_path: Path) -> None:
    with small(chats=60) as sandbox:
        plain = execute("discover", *files(tmp_path, config=config_of(sandbox)))
        redacted = execute("discover", *files(tmp_path, config=config(sandbox)))
        _, output = read_here(config(sandbox), catalog_of())
    before, after = (
        {stream["name"]: stream for stream in done.output.payloads("CATALOG")[0]["streams"]} for done in (plain, redacted)
    )
    fields = {name: stream["json_schema"]["properties"] for name, stream in after.items()}
    assert "name" not in fields["visitors"].keys() | fields["chats"]["visitor"]["properties"].keys()
    assert "user_agent" not in fields["visitors"].keys() | fields["chats"]["session"]["properties"].keys()
    assert "title" not in fields["chat_webpaths"]
    assert "string" in fields["agent_events"]["value"]["type"]
    assert fields["visitors"]["email"]["type"] == ["null", "string"]
    assert fields["chat_events"]["name"]["type"] == ["null", "string"]
    for name, stream in after.items():
        rest = {key: value for key, value in stream.items() if key != "json_schema"}
        assert rest == {key: value for key, value in before[name].items() if key != "json_schema"}
        validator = Draft7Validator(stream["json_schema"])
        assert [error.message for record in output.records[name] for error in validator.iter_errors(record)] == []
    assert {name for name in after if after[name] != before[name]} >= {"chats", "visitors", "chat_webpaths"}
    assert after["goals"] == before["goals"]


def test_a_record_that_cannot_be_redacted_does_not_pass() -> None:
    deep = "[" * 3000 + f'"{UNKNOWN}"' + "]" * 3000
    body = f'{{"chats": [{{"id": "1", "update_timestamp": "2026-01-01T00:00:00Z", "visitor": {deep}}}], "count": 1}}'
    with small(chats=5) as sandbox:
        sandbox.inject(Fault(kind="body", body=body, path="*/incremental/chats", times=None))
        code, output = read_here(config(sandbox), catalog_of(["chats", "visitors", "goals"]), debug=True)
    assert code == 1
    assert output.endings["chats"] == output.endings["visitors"] == "INCOMPLETE"
    assert output.endings["goals"] == "COMPLETE"
    assert PLANTED.findall(json.dumps(output.messages)) == []


BAD: dict[str, tuple[Any, str]] = {
    "no object": ("x", "redact: must be an object."),
    "unknown key": ({"rule": []}, "redact: unknown key `rule`: did you mean `rules`? The keys are hash_key, rules."),
    "no list": ({"rules": {"field": "chats.a"}}, "redact.rules: must be a list of objects."),
    "no path": ({"rules": [{"field": "chats", "action": "drop"}]}, "redact rule 1, field: must be a stream and a path"),
    "unknown action": (
        {"rules": [{"field": "chats.a", "action": "x"}]},
        "redact rule 1, action: must be one of drop, hash, mask, null.",
    ),
    "no key": ({"rules": [{"field": "chats.a", "action": "hash"}]}, "redact.hash_key: missing."),
    "short key": ({"hash_key": "planted", "rules": []}, "redact.hash_key: must be a string of at least 16 characters."),
    "unknown pattern": (
        {"rules": [{"field": "chats.a", "action": "mask", "patterns": ["iban"]}]},
        "redact rule 1, patterns: must be a list of",
    ),
    "unknown stream": (
        {"rules": [{"field": "chat.a", "action": "drop"}]},
        "redact rule 1, field: no such stream. The streams are ",
    ),
    "a key": (
        {"rules": [{"field": "chats.id", "action": "drop"}]},
        "redact rule 1, field: cannot be redacted, because it is part of the key or cursor field chats.id",
    ),
    "key of another": (
        {"rules": [{"field": "agents.email", "action": "null"}, {"field": "chats.update_timestamp", "action": "null"}]},
        "redact rule 2, field: cannot be redacted, because it is part of the key or cursor field chats.update_timestamp",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_rules_that_cannot_be_are_one_config_error_of_each_command(case: str, tmp_path: Path) -> None:
    redact, words = BAD[case]
    with small(chats=5) as sandbox:
        options = files(tmp_path, config=config_of(sandbox, redact=redact), catalog=catalog_of())
        check, discover, read = (
            execute_here(command, *(options if command == "read" else options[:2]), folder=tmp_path)
            for command in ("check", "discover", "read")
        )
        assert sandbox.requests == []
    (status,) = check.output.payloads("CONNECTION_STATUS")
    assert (check.code, status["status"]) == (0, "FAILED")
    assert status["message"].startswith(f"Config validation error: {words}")
    for done in (discover, read):
        assert done.code == 1
        (error,) = done.output.errors
        assert [message["type"] for message in done.output.messages] == ["TRACE"]
        assert error["failure_type"] == "config_error"
        assert error["message"].startswith(words)


def test_a_rule_for_a_field_that_nobody_knows_is_carried_out_and_reported() -> None:
    with small(chats=5) as sandbox:
        rules = [{"field": "chats.visitor.emial", "action": "drop"}]
        status, message = check_here(config(sandbox, rules))
        _, output = read_here(config(sandbox, rules), catalog_of(["chats"]))
    assert status == "SUCCEEDED"
    assert "redact rule 1, field: no known field has the path " in message
    (warning,) = output.logs("WARN")
    assert warning in message
