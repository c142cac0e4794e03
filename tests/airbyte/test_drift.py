"""A field or type that the schema lacks is reported once a run, by stream and path; the record passes unchanged."""

import json
from typing import Any

from tests.support.in_process import ALL, catalog_of, read_here
from tests.support.protocol import Output
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import Sandbox

PRIVATE = "private words"


def drifts(output: Output) -> list[str]:
    """The reports of drift, without the advice that each repeats."""
    advice = ". It is passed through unchanged. Please report this."
    lines = output.logs("WARN")
    assert all(line.endswith(advice) for line in lines)
    return sorted(line.removesuffix(advice) for line in lines)


def read(sandbox: Sandbox, streams: Any = ALL, state: Any = None) -> Output:
    code, output = read_here(config_of(sandbox), catalog_of(streams), state, debug=True)
    assert (code, output.errors) == (0, [])
    return output


def drift(sandbox: Sandbox, chats: int = 3) -> list[str]:
    """Change chats, agents and items of history; returns the chats."""
    account = sandbox.account
    edited = [identity for identity in account.chat_ids() if account.chat(identity)["type"] == "chat"][:chats]
    for identity in edited:
        history: Any = account.chat(identity)["history"]
        first = {**history[0], "sentiment": {"score": 5, "why": PRIVATE}, "options": 7}
        account.edit_chat(identity, history=[first, *history[1:]], mood=PRIVATE, duration="5 minutes")
    for agent in list(account.lists["agents"])[:chats]:
        account.edit("agents", agent, {"pronouns": PRIVATE, "enabled": "yes"})
    return edited


def test_new_fields_and_changed_types_are_reported_once_for_each_stream_path_and_type() -> None:
    with small(chats=250) as sandbox:
        edited = drift(sandbox)
        output = read(sandbox)
        assert drifts(output) == [
            "agents: the field enabled is string, but boolean was expected",
            "agents: the field pronouns is not in the schema (string)",
            "chat_events: the field sentiment is not in the schema (object)",
            "chats: the field duration is string, but number was expected",
            "chats: the field history.*.options is integer, but string was expected",
            "chats: the field history.*.sentiment is not in the schema (object)",
            "chats: the field mood is not in the schema (string)",
        ]
        assert PRIVATE not in json.dumps([message for message in output.messages if message["type"] != "RECORD"])
        passed = {chat["id"]: chat for chat in output.records["chats"]}
        assert [passed[identity]["mood"] for identity in edited] == [PRIVATE] * 3
        assert [passed[identity]["history"][0]["options"] for identity in edited] == [7] * 3
        for stream in ("chats", "agents", "visitors", "chat_webpaths"):
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))
        events = [event for event in output.records["chat_events"] if event["chat_id"] in edited and event["position"] == 0]
        assert [event["sentiment"] for event in events] == [{"score": 5, "why": PRIVATE}] * 3
        assert [event["options"] for event in events] == ["7"] * 3, "its one type"


def test_each_run_reports_it_again_if_it_meets_it_again() -> None:
    with small(chats=120) as sandbox:
        first = read(sandbox)
        assert drifts(first) == []
        drift(sandbox)
        second = read(sandbox, ALL, first.last_state)
        assert len(drifts(second)) == 7
        assert drifts(read(sandbox)) == drifts(second)


def test_a_field_with_several_new_types_is_reported_for_each() -> None:
    with small(chats=60) as sandbox:
        account = sandbox.account
        values: list[Any] = [1, "x", 1, None, [], "y", {}]
        for identity, value in zip(account.chat_ids(), values, strict=False):
            account.edit_chat(identity, mood=value)
        types = ("array", "integer", "object", "string")
        assert drifts(read(sandbox, ["chats"])) == [f"chats: the field mood is not in the schema ({name})" for name in types]


def test_what_the_sandbox_has_by_itself_is_known() -> None:
    with small(chats=1300) as sandbox:
        assert drifts(read(sandbox)) == []
