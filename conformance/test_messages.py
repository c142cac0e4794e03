"""Messages that a read has only when something happens: Airbyte's own models must know these too."""

from connector import account, all_streams, config_of, configured, read

from tests.support.sandbox import OAUTH, by_content, truth
from zendesk_chat_sandbox import Fault


def test_renewed_tokens_are_handed_over_as_a_complete_configuration_that_works() -> None:
    with account(chats=120) as sandbox:
        config = config_of(sandbox, credentials=OAUTH)
        first = read(config, configured(["chats"]))
        assert first.trouble == []
        (control,) = first.output.payloads("CONTROL")
        renewed = control["connectorConfig"]["config"]
        assert {key: renewed[key] for key in config if key != "credentials"} == {
            key: config[key] for key in config if key != "credentials"
        }
        changed = {key for key in OAUTH if renewed["credentials"][key] != OAUTH[key]}
        assert changed == {"access_token", "refresh_token"}
        second = read(renewed, configured(["chats"]), first.output.last_state)
        assert second.trouble == []
        assert second.output.payloads("CONTROL") == []


def test_a_wait_for_the_quota_is_a_status_with_its_end() -> None:
    with account(chats=120) as sandbox:
        sandbox.inject(Fault(kind="status", status=429, retry_after=2, path="*/incremental/chats", after=1, times=1))
        ran = read(config_of(sandbox), configured(["chats"]))
        assert ran.trouble == []
        assert len(ran.output.records["chats"]) == len(truth(sandbox, "chats"))
    statuses = [trace["stream_status"] for trace in ran.output.payloads("TRACE") if trace["type"] == "STREAM_STATUS"]
    (waiting,) = [status for status in statuses if "reasons" in status]
    assert waiting["status"] == "RUNNING"
    assert [reason["type"] for reason in waiting["reasons"]] == ["RATE_LIMITED"]


def test_a_stream_that_fails_is_a_trace_of_that_stream() -> None:
    with account(chats=120) as sandbox:
        sandbox.switch(unavailable={"bans": 403})
        ran = read(config_of(sandbox), configured())
    assert ran.code == 1
    assert {stream for stream, ending in ran.output.endings.items() if ending != "COMPLETE"} == {"bans"}
    assert ran.output.error_of("bans")["failure_type"] == "config_error"


def test_streams_that_the_account_lacks_are_complete_and_a_warning() -> None:
    exports = ("agent_events", "conversions", "department_events")
    absent = sorted([*exports, "agent_routing_settings"])
    with account(chats=120) as sandbox:
        paths = [
            "incremental/agent_events",
            "routing_settings/agents",
            "incremental/conversions",
            "incremental/department_events",
        ]
        sandbox.switch(unavailable=dict.fromkeys(paths, 404))
        ran = read(config_of(sandbox), configured())
        assert ran.trouble == []
        for stream in all_streams():
            assert ran.output.endings[stream] == "COMPLETE"
            assert by_content(ran.output.records[stream]) == by_content([] if stream in absent else truth(sandbox, stream))
    assert sorted(line.partition(":")[0] for line in ran.output.logs("WARN")) == absent


def test_what_a_schema_does_not_know_is_a_warning_and_passes() -> None:
    with account(chats=120) as sandbox:
        identity = sandbox.account.chat_ids()[0]
        sandbox.account.edit_chat(identity, mood="sunny")
        ran = read(config_of(sandbox), configured(["chats"]))
        assert ran.trouble == []
        assert by_content(ran.output.records["chats"]) == by_content(truth(sandbox, "chats"))
    (warning,) = ran.output.logs("WARN")
    assert warning.startswith("chats: the field mood is not in the schema (string).")
