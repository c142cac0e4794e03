"""Faults in the middle of a read, over real connections: overcome, or the failure of one stream alone, and never a loss."""

from typing import Any

import pytest

from tests.support.in_process import ALL, INCREMENTAL, assert_complete, catalog_of, read_here
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import EXPIRED_TOKEN, Fault, Sandbox

pytestmark = pytest.mark.unmeasured  # it runs complete reads

CHATS = "*/incremental/chats"
AGENTS = "*/chat/agents"
PASSING: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503 with Retry-After": {"kind": "status", "status": 503, "retry_after": 1},
    "504 HTML": {"kind": "html", "status": 504},
    "429": {"kind": "status", "status": 429},
    "429 with Retry-After": {"kind": "status", "status": 429, "retry_after": 1},
    "429 with a date": {"kind": "status", "status": 429, "retry_after": 1, "retry_after_form": "date"},
    "429 with garbage": {"kind": "status", "status": 429, "headers": {"Retry-After": "soon"}},
    "408": {"kind": "status", "status": 408},
    "HTML 200": {"kind": "html"},
    "empty": {"kind": "empty"},
    "null": {"kind": "body", "body": "null"},
    "no envelope": {"kind": "body", "body": "{}"},
    "wrong types": {"kind": "body", "body": '{"chats": 5, "agent_timeline": "x"}'},
    "truncated JSON": {"kind": "truncated_json"},
    "reset": {"kind": "reset"},
    "reset in the body": {"kind": "reset_body"},
    "truncated": {"kind": "truncated"},
    "truncated gzip": {"kind": "truncated_gzip"},
}


@pytest.mark.parametrize("path", [CHATS, AGENTS])
@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_costs_nothing_but_time(fault: str, path: str) -> None:
    with small() as sandbox:
        sandbox.inject(Fault(path=path, after=1, times=2, **PASSING[fault]))
        code, output = read_here(config_of(sandbox), catalog_of(INCREMENTAL))
        assert code == 0
        assert output.errors == []
        for stream in INCREMENTAL:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))
        assert [fired for _, fired in sandbox.world.faults.fired()] == [2]


@pytest.mark.parametrize("kind", ["hang", "hang_body", "drip"])
def test_a_hang_is_overcome(kind: Any) -> None:
    with small() as sandbox:
        more: dict[str, Any] = {"seconds": 0.5, "size": 1} if kind == "drip" else {}
        sandbox.inject(Fault(kind=kind, path=CHATS, after=1, **more))
        code, output = read_here(config_of(sandbox), catalog_of(["chats"]))
        assert code == 0
        assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


@pytest.mark.parametrize("form", ["seconds", "absent"])
def test_429_on_every_second_request_of_everything(form: Any) -> None:
    with small() as sandbox:
        wait: dict[str, Any] = {"retry_after": 1} if form == "seconds" else {}
        sandbox.inject(Fault(kind="status", status=429, every=2, times=None, **wait))
        code, output = read_here(config_of(sandbox), catalog_of())
        assert code == 0
        assert output.errors == []
        for stream in ALL:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))


def test_faults_of_every_kind_one_after_the_other() -> None:
    with small(chats=250, export_page_cap=4) as sandbox:
        for number, fault in enumerate(PASSING.values()):
            sandbox.inject(Fault(path=CHATS, after=3 * number, **fault))
        code, output = read_here(config_of(sandbox), catalog_of(["chats"]))
        assert code == 0
        assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))
        assert [fired for _, fired in sandbox.world.faults.fired()] == [1] * len(PASSING)


LASTING: dict[str, tuple[dict[str, Any], str, str]] = {
    "500": ({"kind": "status", "status": 500}, "transient_error", "HTTP 500"),
    "503": ({"kind": "status", "status": 503, "retry_after": 1}, "transient_error", "HTTP 503"),
    "429": ({"kind": "status", "status": 429, "retry_after": 0}, "transient_error", "request limit"),
    "429 for a day": ({"kind": "status", "status": 429, "retry_after": 86_400}, "transient_error", "wait of 86400 s"),
    "400": ({"kind": "status", "status": 400}, "system_error", "HTTP 400"),
    "403": ({"kind": "status", "status": 403}, "config_error", "exclude this stream"),
    "404": ({"kind": "status", "status": 404}, "config_error", "exclude this one"),
    "redirect": ({"kind": "redirect"}, "config_error", "redirects to elsewhere.example.com"),
    "HTML 200": ({"kind": "html"}, "transient_error", "a web page"),
    "empty": ({"kind": "empty"}, "transient_error", "an empty response"),
    "null": ({"kind": "body", "body": "null"}, "system_error", "unexpected structure"),
    "no envelope": ({"kind": "body", "body": "{}"}, "system_error", "unexpected structure"),
    "rows null": ({"kind": "body", "body": '{"chats": null}'}, "system_error", "unexpected structure"),
    "reset": ({"kind": "reset"}, "transient_error", "was interrupted."),
    "truncated": ({"kind": "truncated"}, "transient_error", "was incomplete"),
    "truncated gzip": ({"kind": "truncated_gzip"}, "transient_error", "was incomplete"),
}


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_fault_fails_its_stream_alone_and_the_next_run_completes_it(fault: str, after: int) -> None:
    given, failure_type, words = LASTING[fault]
    streams = ("bans", "chats", "goals")
    with small(chats=180) as sandbox:
        sandbox.inject(Fault(path=CHATS, after=after, times=None, **given))
        code, first = read_here(config_of(sandbox), catalog_of(streams))
        assert code == 1
        assert first.endings == {"bans": "COMPLETE", "chats": "INCOMPLETE", "goals": "COMPLETE"}
        error = first.error_of("chats")
        assert error["failure_type"] == failure_type
        assert words in error["message"]
        assert "private" not in str(error)
        assert_complete(sandbox, "bans", first.records["bans"])
        assert len(first.records["chats"]) == 40 * after
        assert len(first.states["chats"]) == after
        sandbox.clear_faults()
        changed = sandbox.account.edit_chat(sandbox.account.chat_ids()[5], comment="edited meanwhile")
        code, second = read_here(config_of(sandbox), catalog_of(streams), first.last_state)
        assert code == 0
        assert changed in second.records["chats"]
        assert_complete(sandbox, "chats", first.records["chats"], second.records["chats"])
        assert len(second.records["chats"]) <= 180 - 40 * after + 2


@pytest.mark.parametrize("status", [403, 404])
def test_streams_that_the_account_lacks_do_not_hurt_the_others(status: int) -> None:
    lacking = {"goals": "goals", "skills": "skills", "incremental/agent_timeline": "agent_timeline"}
    with small(chats=20) as sandbox:
        sandbox.switch(unavailable=dict.fromkeys(lacking, status))
        code, output = read_here(config_of(sandbox), catalog_of())
        assert code == 1
        for stream in ALL:
            if stream in lacking.values():
                error = output.error_of(stream)
                assert output.endings[stream] == "INCOMPLETE"
                assert error["failure_type"] == "config_error"
                assert f"HTTP {status}" in error["message"]
            else:
                assert output.endings[stream] == "COMPLETE"
                assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))
        assert len(output.errors) == 3


def test_404_on_everything_is_no_empty_success() -> None:
    with small(chats=20) as sandbox:
        sandbox.switch(account_state="no_chat")
        code, output = read_here(config_of(sandbox), catalog_of())
    assert code == 1
    assert set(output.endings.values()) == {"INCOMPLETE"}, "nothing shows that the account lacks only the optional streams"
    assert len(output.errors) == len(ALL)


def test_a_refused_token_is_not_sent_again_and_again() -> None:
    with small(chats=20) as sandbox:
        config = config_of(sandbox, credentials={"credentials": "access_token", "access_token": EXPIRED_TOKEN})
        code, output = read_here(config, catalog_of())
        assert code == 1
        assert {error["stream_descriptor"]["name"] for error in output.errors} == set(ALL)
        assert {error["failure_type"] for error in output.errors} == {"config_error"}
        asked = [request.path for request in sandbox.requests]
        assert len(asked) == len(set(asked)), "those that were on their way together"


def oauth(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    credentials = {
        "credentials": "oauth2.0",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "access_token": EXPIRED_TOKEN,
        "refresh_token": "sandbox-refresh-token",
        **more,
    }
    return config_of(sandbox, credentials=credentials)


def test_an_oauth_token_that_expires_is_renewed_once_and_the_next_run_uses_what_was_saved() -> None:
    with small() as sandbox:
        code, first = read_here(oauth(sandbox), catalog_of())
        assert code == 0
        for stream in ALL:
            assert by_content(first.records[stream]) == by_content(truth(sandbox, stream))
        (control,) = first.payloads("CONTROL")
        saved = control["connectorConfig"]["config"]
        assert saved["credentials"]["refresh_token"] == "sandbox-refresh-1"
        sandbox.tokens.expire(saved["credentials"]["access_token"])
        code, second = read_here(saved, catalog_of(), first.last_state)
        assert code == 0
        assert second.payloads("CONTROL")[0]["connectorConfig"]["config"]["credentials"]["refresh_token"] == "sandbox-refresh-2"


def test_a_token_that_expires_in_the_middle_is_renewed() -> None:
    with small(chats=180) as sandbox:
        config = oauth(sandbox, access_token=sandbox.token)
        sandbox.inject(Fault(kind="status", status=401, path=CHATS, after=2, times=1))
        code, output = read_here(config, catalog_of(["chats"]))
        assert code == 0
        assert len(output.payloads("CONTROL")) == 1
        assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


def test_a_token_endpoint_that_fails_first_is_asked_again() -> None:
    with small(chats=20) as sandbox:
        sandbox.inject(Fault(kind="status", status=500, path="*/token"))
        code, output = read_here(oauth(sandbox), catalog_of(["goals"]))
        assert code == 0
        assert output.records["goals"]


def test_a_dead_refresh_token_asks_to_authenticate_again() -> None:
    with small(chats=20) as sandbox:
        code, output = read_here(oauth(sandbox, refresh_token="used"), catalog_of(["goals", "chats"]))
        assert code == 1
        assert all("Authenticate again" in error["message"] for error in output.errors)
        assert {error["failure_type"] for error in output.errors} == {"config_error"}
        assert [request.method for request in sandbox.requests].count("POST") == 1


def test_short_lived_tokens_are_renewed_ahead_without_end() -> None:
    with small(chats=180, token_expires_in=3600) as sandbox:
        code, output = read_here(oauth(sandbox, access_token=None), catalog_of())
        assert code == 0
        assert len(output.payloads("CONTROL")) == 1
        assert "token_expiry_date" in output.payloads("CONTROL")[0]["connectorConfig"]["config"]["credentials"]
