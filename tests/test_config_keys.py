"""Keys that do not exist are reported with the nearest that does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import zendesk_chat
from tests.support.executable import execute, files
from tests.support.in_process import catalog_of, check_here, read_here
from tests.support.sandbox import config_of, small
from zendesk_chat.config import CREDENTIALS_KEYS, TOP_KEYS, unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.validation import did_you_mean

SPEC = Path(zendesk_chat.__file__).parent / "airbyte/spec.json"


def test_the_known_keys_are_those_of_the_spec() -> None:
    properties = json.loads(SPEC.read_bytes())["connectionSpecification"]["properties"]
    assert set(TOP_KEYS) == set(properties)
    assert set(CREDENTIALS_KEYS) == {key for kind in properties["credentials"]["oneOf"] for key in kind["properties"]}


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("startdate", "start_date"),
        ("Start-Date", "start_date"),
        ("enddate", "end_date"),
        ("acess_token", "access_token"),
        ("token", "access_token"),
        ("domain", "subdomain"),
        ("credential", "credentials"),
        ("request_timeout", "request_timeout_seconds"),
        ("refresh_token", "credentials.refresh_token"),
        ("client_id", "credentials.client_id"),
    ],
)
def test_the_nearest_key_is_named(key: str, meant: str) -> None:
    assert unknown_keys({key: "SECRET"}) == [f"Unknown key `{key}`: did you mean `{meant}`?"]


def test_keys_of_credentials_are_checked_too() -> None:
    assert unknown_keys({"credentials": {"acces_token": "SECRET", "subdomain": 1}}) == [
        "Unknown key `credentials.acces_token`: did you mean `credentials.access_token`?",
        "Unknown key `credentials.subdomain`: did you mean `subdomain`?",
    ]


def test_a_key_that_resembles_none_gets_the_list_and_an_option_of_sync_its_name() -> None:
    (message,) = unknown_keys({"qqq": 1})
    assert message == f"Unknown key `qqq`. The keys are {', '.join(TOP_KEYS)}."
    assert unknown_keys({"full_refresh": True}) == ["Unknown key `full_refresh`: it is an option of `sync`, --full-refresh."]
    assert did_you_mean("qqq", TOP_KEYS) is None


@pytest.mark.parametrize("raw", [dict.fromkeys(TOP_KEYS), {"_limit": 1, "__injected_declarative_manifest": {}}, [], None, "x"])
def test_known_keys_and_those_of_platforms_are_fine(raw: Any) -> None:
    assert unknown_keys(raw) == []


def test_read_warns_and_check_names_it_and_both_continue() -> None:
    with small(chats=5) as sandbox:
        config = config_of(sandbox, streams="chats", _page_size=5)
        code, output = read_here(config, catalog_of(["goals"]))
        status, message = check_here(config)
    warning = "Unknown key `streams`: it is an option of `sync`, --streams."
    assert (code, output.endings["goals"]) == (0, "COMPLETE")
    assert output.logs("WARN") == [warning]
    assert (status, message) == ("SUCCEEDED", f"All 21 streams can be read. {warning}")


def test_the_library_logs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    zendesk_chat.Account(config={"subdomain": "acme", "access_token": "t", "lookback": 5})
    assert caplog.messages == ["Unknown key `lookback`: did you mean `lookback_minutes`?"]


def test_a_misspelt_rule_of_redaction_is_an_error_everywhere() -> None:
    with pytest.raises(
        ConfigError, match=r"^redact: unknown key `rule`: did you mean `rules`\? The keys are hash_key, rules\.$"
    ):
        zendesk_chat.Account(subdomain="acme", token="t", redact={"rule": []})


def test_discover_prints_nothing_but_the_catalog_and_read_takes_it_as_it_is(tmp_path: Path) -> None:
    with small(chats=5) as sandbox:
        config = files(tmp_path, config=config_of(sandbox, starts="x"))
        discovered = execute("discover", *config)
        (tmp_path / "catalog.json").write_bytes(discovered.stdout)
        done = execute("read", *config, "--catalog", str(tmp_path / "catalog.json"))
        expected = set(sandbox.account.chat_ids())
    assert [message["type"] for message in discovered.output.messages] == ["CATALOG"]
    assert done.code == 0
    assert {record["id"] for record in done.output.records["chats"]} == expected
    assert "update_timestamp" in done.output.states["chats"][-1]
    assert set(done.output.endings.values()) == {"COMPLETE"}


@pytest.mark.parametrize("start", ["2199-01-01T00:00:00Z", "9999-12-31"])
def test_a_start_date_in_the_future_is_one_error_and_nothing_is_stored(start: str, tmp_path: Path) -> None:
    with small(chats=5) as sandbox:
        given = files(tmp_path, config=config_of(sandbox, start_date=start), catalog=catalog_of(["chats"]))
        done = execute("read", *given)
        assert sandbox.requests == []
        status, reason = check_here(config_of(sandbox, start_date=start))
        with pytest.raises(ConfigError, match=r"start_date.* in the future"):
            zendesk_chat.Account(config=config_of(sandbox, start_date=start))
    assert done.code == 1
    (message,) = done.output.messages
    error = message["trace"]["error"]
    assert error["failure_type"] == "config_error"
    assert f'start_date: "{start}" is in the future' in error["message"]
    assert status == "FAILED"
    assert "future" in reason
