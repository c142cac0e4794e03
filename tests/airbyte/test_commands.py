"""``spec`` and ``discover``, and what each command loads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.executable import environment, execute, files
from tests.support.in_process import ALL, INCREMENTAL

CONFIG = {"start_date": "2024-01-01T00:00:00Z", "subdomain": "acme", "access_token": "a-token"}


def spec() -> dict[str, Any]:
    done = execute("spec")
    assert (done.code, done.stderr) == (0, "")
    (message,) = done.output.messages
    specification: dict[str, Any] = message["spec"]
    return specification


def test_spec_is_one_line() -> None:
    specification = spec()
    assert specification["protocol_version"].startswith("0.")
    Draft7Validator.check_schema(specification["connectionSpecification"])


def test_spec_accepts_the_configs_of_airbytes_connector_and_our_own() -> None:
    connection = spec()["connectionSpecification"]
    assert connection["required"] == ["start_date", "subdomain"]
    valid = Draft7Validator(connection)
    base = {"start_date": "2024-01-01T00:00:00Z", "subdomain": "acme"}
    for config in (
        base,
        CONFIG,
        {**base, "credentials": {"credentials": "access_token", "access_token": "x"}},
        {**base, "credentials": {"credentials": "oauth2.0", "access_token": "x", "client_id": "c"}},
        {**base, "lookback_minutes": 0, "requests_per_minute": 100, "request_timeout_seconds": 60},
        {**base, "end_date": ""},
        {**base, "end_date": "2025-01-01T00:00:00Z", "redact": {}},
        {**base, "redact": {"hash_key": "k" * 16, "rules": [{"field": "*.**.email", "action": "hash"}]}},
        {**base, "redact": {"rules": [{"field": "chats.history[].msg", "action": "mask", "patterns": ["email", "ip"]}]}},
    ):
        assert [error.message for error in valid.iter_errors(config)] == []
    for config in ({"subdomain": "acme"}, {**base, "start_date": "2024-01-01"}, {**base, "credentials": {}}):
        assert not valid.is_valid(config)


@pytest.mark.parametrize(
    "rule",
    [{}, {"field": "chats", "action": "drop"}, {"field": "chats.a", "action": "x"}, {"field": "chats.a"}, {"action": "drop"}],
)
def test_spec_refuses_what_is_no_rule(rule: dict[str, Any]) -> None:
    config = {"start_date": "2024-01-01T00:00:00Z", "subdomain": "acme", "redact": {"rules": [rule]}}
    assert not Draft7Validator(spec()["connectionSpecification"]).is_valid(config)


def test_every_setting_is_described_and_every_secret_marked() -> None:
    connection = spec()["connectionSpecification"]
    oauth, token = connection["properties"]["credentials"]["oneOf"]
    redact = connection["properties"]["redact"]
    for part in (connection, oauth, token, redact, redact["properties"]["rules"]["items"]):
        orders = [setting["order"] for setting in part["properties"].values()]
        assert orders == sorted(set(orders))
        for name, setting in part["properties"].items():
            assert setting["title"], name
            assert setting["description"], name
            assert {"examples", "const", "oneOf", "properties"} & setting.keys(), name
            secret = name in {"access_token", "refresh_token", "client_id", "client_secret", "hash_key"}
            assert setting.get("airbyte_secret", False) is secret, name
    optional = {"lookback_minutes", "requests_per_minute", "request_timeout_seconds"}
    assert all("default" in connection["properties"][name] for name in optional)
    assert connection["properties"]["api_url"]["airbyte_hidden"] is True


def test_advanced_auth_points_into_the_config() -> None:
    advanced = spec()["advanced_auth"]
    assert advanced["auth_flow_type"] == "oauth2.0"
    assert advanced["predicate_key"] == ["credentials", "credentials"]
    outputs = advanced["oauth_config_specification"]["complete_oauth_output_specification"]["properties"]
    assert {name: output["path_in_connector_config"] for name, output in outputs.items()} == {
        "access_token": ["credentials", "access_token"],
        "refresh_token": ["credentials", "refresh_token"],
    }


def test_discover_is_one_line_of_all_streams_and_needs_no_network(tmp_path: Path) -> None:
    done = execute("discover", *files(tmp_path, config=CONFIG), HTTPS_PROXY="http://127.0.0.1:9")
    assert (done.code, done.stderr) == (0, "")
    (message,) = done.output.messages
    streams = {stream["name"]: stream for stream in message["catalog"]["streams"]}
    assert tuple(streams) == ALL
    keys = {"accounts": [["account_key"]], "agent_routing_settings": [["agent_id"]], "routing_settings": []}
    cut = ("chat_conversions", "chat_engagements", "chat_events", "chat_webpaths")
    cursors = {
        "agent_timeline": "start_time",
        "agent_routing_settings": "agent_id",
        "agents": "id",
        "bans": "id",
        "chats": "update_timestamp",
        "visitors": "last_chat_timestamp",
        **dict.fromkeys(("agent_events", "conversions", "department_events"), "timestamp"),
        **dict.fromkeys(cut, "chat_update_timestamp"),
    }
    assert set(cursors) == set(INCREMENTAL)
    for name, stream in streams.items():
        Draft7Validator.check_schema(stream["json_schema"])
        assert stream["json_schema"]["additionalProperties"] is True
        assert stream.get("source_defined_primary_key", []) == keys.get(name, [["id"]])
        assert stream["is_resumable"] is (name in INCREMENTAL)
        assert ("incremental" in stream["supported_sync_modes"]) is (name in INCREMENTAL)
        assert stream.get("source_defined_cursor", False) is (name in INCREMENTAL)
        assert stream.get("default_cursor_field") == ([cursors[name]] if name in cursors else None)
        for path in (*stream.get("source_defined_primary_key", []), stream.get("default_cursor_field", [])):
            assert set(path) <= set(stream["json_schema"]["properties"])
    assert "$ref" not in json.dumps(message)


@pytest.mark.parametrize("flag", [["--debug"], ["--manifest-path", "x", "--components-path", "y"]])
def test_flags_that_airbytes_tools_give_are_taken(flag: list[str], tmp_path: Path) -> None:
    assert execute("spec", *flag).code == 0
    assert execute("discover", *files(tmp_path, config=CONFIG), *flag).code == 0


@pytest.mark.parametrize("arguments", [[], ["sniff"], ["read"], ["check", "--airbyte"], ["discover"], ["spec", "--nonsense"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    done = execute(*arguments) if arguments else execute("--nonsense")
    assert (done.code, done.stdout) == (2, b"")
    assert "usage:" in done.stderr


PROBE = """
import sys
from zendesk_chat.cli import main
code = main(sys.argv[1:])
print(sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"dlt", "duckdb", "pyarrow", "rich", "numpy", "pandas", "zendesk_chat_sandbox", "jsonschema", "hypothesis"}
NETWORK = {"urllib3", "certifi", "ssl"}


def loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", PROBE, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=True)
    return set(eval(ended.stderr))


def test_each_command_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    options = files(tmp_path, config={**CONFIG, "api_url": "http://127.0.0.1:9", "start_date": "2099-01-01T00:00:00Z"})
    assert not loaded("spec") & (HEAVY | NETWORK)
    assert not loaded("discover", *options) & (HEAVY | NETWORK)
    checked = loaded("check", *options, "--airbyte")
    assert checked >= NETWORK
    assert not checked & HEAVY
    catalog = files(tmp_path, catalog={"streams": []})
    assert not loaded("read", *files(tmp_path, config=CONFIG), *catalog) & HEAVY
