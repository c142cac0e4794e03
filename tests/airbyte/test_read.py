"""``read`` as Airbyte runs it: a process, its lines, and every record of every stream by content."""

import contextlib
import io
import json
import re
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from tests.support.clock import FakeClock
from tests.support.commands import execute_here
from tests.support.executable import execute, files, read_process
from tests.support.in_process import ALL, INCREMENTAL, assert_complete, catalog_of, key_of, read_here
from tests.support.protocol import Output, check_read, parse
from tests.support.sandbox import as_chat, by_content, config_of, small, truth
from zendesk_chat.airbyte.inputs import parse_catalog, parse_state
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.read import read
from zendesk_chat.errors import ConfigError, StateError
from zendesk_chat.streams.schemas import load_schema
from zendesk_chat_sandbox import Sandbox, Switches


@pytest.mark.unmeasured  # the read is a process of its own
def test_every_record_of_every_stream_exactly_once() -> None:
    an_hour_ago = time.time() - 3600  # the API exports no chat of the last five minutes
    with Sandbox(chats=1010, returning_visitors=0, history_until=an_hour_ago, switches=Switches(rate_limit=0)) as sandbox:
        done = read_process(config_of(sandbox), catalog_of())
        expected = {stream: by_content(truth(sandbox, stream)) for stream in ALL}
    assert (done.code, done.stderr) == (0, "")
    output = check_read(done.stdout, ALL)
    assert {stream: by_content(output.records[stream]) for stream in ALL} == expected
    assert min(map(len, expected.values())) >= 1
    for stream in ALL:
        keys = [key_of(stream, record) for record in output.records[stream]]
        assert len(set(keys)) == len(keys), stream
        validator = Draft7Validator(load_schema(stream).to_json())
        assert [error.message for record in output.records[stream] for error in validator.iter_errors(record)] == []
    assert len(output.states["chats"]) >= 2
    assert output.errors == []


@pytest.mark.parametrize("switches", [{"gzip": False}, {"pretty_json": True}, {"enabled_as": "int"}, {"bans_limit": "list"}])
def test_the_wire_form_changes_no_record(switches: dict[str, Any]) -> None:
    with small(**switches) as sandbox:
        code, output = read_here(config_of(sandbox), catalog_of())
        assert code == 0
        for stream in ALL:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))


def test_full_refresh_reads_everything_and_checkpoints_too() -> None:
    with small() as sandbox:
        code, output = read_here(config_of(sandbox), catalog_of(full_refresh=True))
        assert code == 0
        for stream in ALL:
            assert by_content(output.records[stream]) == by_content(truth(sandbox, stream))
    assert len(output.states["chats"]) >= 3


def test_a_second_run_brings_only_what_changed() -> None:
    with small() as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of(INCREMENTAL))
        new = sandbox.account.add_chat()
        edited = sandbox.account.edit_chat(sandbox.account.chat_ids()[3], rating="good")
        agent = next(iter(sandbox.account.lists["agents"]))
        sandbox.account.edit("agents", agent, {"display_name": "Zoe"})
        code, second = read_here(config_of(sandbox), catalog_of(INCREMENTAL), first.last_state)
        assert code == 0
        assert by_content(second.records["chats"]) == by_content(as_chat(sandbox, str(chat["id"])) for chat in (new, edited))
        assert [record["display_name"] for record in second.records["agents"]] == ["Zoe"]
        assert second.records["bans"] == second.records["agent_timeline"] == []
        assert all(second.states[stream] for stream in INCREMENTAL)
        _, third = read_here(config_of(sandbox), catalog_of(INCREMENTAL), second.last_state)
        assert third.records == {}


def test_an_empty_account_still_has_a_state_for_each_stream() -> None:
    with small(chats=0) as sandbox:
        for records in sandbox.account.lists.values():
            records.clear()
        for feed in sandbox.account.events.values():
            for identity in list(feed.bodies):
                feed.remove(identity)
        code, output = read_here(config_of(sandbox), catalog_of())
    assert code == 0
    assert set(output.records) == {"accounts", "routing_settings"}
    assert all(output.states[stream] for stream in ALL)


def test_one_stream_alone_asks_for_nothing_else() -> None:
    with small() as sandbox:
        read_here(config_of(sandbox), catalog_of(["goals"]))
        assert [request.path for request in sandbox.requests] == ["/api/v2/chat/goals"]


# The state, in every form that a platform, a client or an older connector hands in.


def wrap_pyairbyte(state: list[dict[str, Any]]) -> bytes:
    messages = [
        json.dumps({**message, "data": None, "destinationStats": None})[:-1] + ',"global_":null,"global":null,"global_":null}'
        for message in state
    ]
    return f"[{','.join(messages)}]".encode()


def blobs(state: list[dict[str, Any]]) -> dict[str, Any]:
    return {message["stream"]["stream_descriptor"]["name"]: message["stream"]["stream_state"] for message in state}


def as_global(state: list[dict[str, Any]], key: str = "global") -> list[dict[str, Any]]:
    return [{"type": "GLOBAL", key: {"shared_state": None, "stream_states": [message["stream"] for message in state]}}]


FORMS: dict[str, Any] = {
    "list": lambda state: state,
    "with null siblings": lambda state: [
        {**message, "stream": {**message["stream"], "stream_descriptor": {"name": name, "namespace": None}}, "global": None}
        for name, message in zip(blobs(state), state, strict=True)
    ],
    "pyairbyte": wrap_pyairbyte,
    "with ids": lambda state: [{**message, "id": number} for number, message in enumerate(state)],
    "global": as_global,
    "global_": lambda state: as_global(state, "global_"),
    "legacy dict": blobs,
    "legacy message": lambda state: {"type": "LEGACY", "data": blobs(state)},
    "list of legacy": lambda state: [{"type": "LEGACY", "data": blobs(state)}],
    "list of data": lambda state: [{"data": blobs(state)}],
    "wrapped messages": lambda state: [{"type": "STATE", "state": message} for message in state],
    "with strangers": lambda state: [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "gone"}, "stream_state": {"x": 1}}},
        *state,
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_state_resumes(form: str) -> None:
    with small(chats=120) as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of(INCREMENTAL))
        code, second = read_here(config_of(sandbox), catalog_of(INCREMENTAL), FORMS[form](first.last_state))
        assert code == 0
        assert second.records == {}
        sandbox.clear_requests()


@pytest.mark.parametrize("wrapped", [False, True])
def test_one_bare_message_resumes_its_stream(wrapped: bool) -> None:
    with small(chats=120) as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of(["chats", "bans"]))
        (message,) = [m for m in first.last_state if m["stream"]["stream_descriptor"]["name"] == "chats"]
        state = {"type": "STATE", "state": message} if wrapped else message
        _, second = read_here(config_of(sandbox), catalog_of(["chats", "bans"]), state)
        assert second.records["chats"] == []
        assert_complete(sandbox, "bans", second.records["bans"])


def reset_message(blob: Any) -> dict[str, Any]:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": "chats"}, "stream_state": blob}}


@pytest.mark.parametrize(
    "state",
    [
        [],
        {},
        b"null",
        [{}],
        [{"type": "LEGACY", "data": None}],
        {"type": "LEGACY", "data": {}},
        [{"type": "GLOBAL", "global": {"stream_states": None}}],
        [reset_message(None)],
        [reset_message({})],
        [reset_message({"__ab_no_cursor_state_message": True})],
        [reset_message({"__ab_full_refresh_sync_complete": True})],
        [reset_message({"update_timestamp": "2099-01-01T00:00:00Z"}), reset_message({"__ab_no_cursor_state_message": True})],
        [reset_message({"update_timestamp": "2099-01-01T00:00:00Z"}), reset_message(None)],
    ],
    ids=lambda state: str(state)[:70],
)
def test_no_state_reads_everything(state: Any) -> None:
    with small(chats=120) as sandbox:
        code, output = read_here(config_of(sandbox), catalog_of(["chats"]), state)
        assert code == 0
        assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


def test_the_platforms_own_output_can_be_fed_back_as_a_process() -> None:
    with small(chats=120) as sandbox:
        first = check_read(read_process(config_of(sandbox), catalog_of()).stdout, ALL)
        done = read_process(config_of(sandbox), catalog_of(), first.last_state)
    assert done.code == 0
    second = check_read(done.stdout, ALL)
    assert not any(second.records[stream] for stream in INCREMENTAL)


def test_an_unreadable_state_of_one_stream_fails_that_stream() -> None:
    with small(chats=120) as sandbox:
        state = [reset_message({"update_timestamp": {"not": "a time"}})]
        code, output = read_here(config_of(sandbox), catalog_of(["chats", "goals"]), state)
    assert code == 1
    assert output.endings == {"chats": "INCOMPLETE", "goals": "COMPLETE"}
    error = output.error_of("chats")
    assert error["failure_type"] == "config_error"
    assert "Reset this stream's state" in error["message"]


# Files that are not what they should be.

GOOD_CONFIG = {
    "start_date": "2024-01-01T00:00:00Z",
    "subdomain": "acme",
    "credentials": {"credentials": "access_token", "access_token": "marked-token-7f3a"},
    "api_url": "http://127.0.0.1:9",
}
BAD_FILES: dict[str, dict[str, Any]] = {
    "config empty": {"config": b""},
    "config not JSON": {"config": b"{subdomain: acme}"},
    "config cut": {"config": b'{"subdomain": "acme'},
    "config not UTF-8": {"config": b'"\xff\xfe"'},
    "config deep": {"config": b"[" * 100_000},
    "config list": {"config": []},
    "config null": {"config": b"null"},
    "config number": {"config": 5},
    "config {}": {"config": {}},
    "config wrong type": {"config": {**GOOD_CONFIG, "start_date": 5}},
    "config bad date": {"config": {**GOOD_CONFIG, "start_date": "soon"}},
    "config bad credentials": {"config": {**GOOD_CONFIG, "credentials": "marked-token-7f3a"}},
    "config bad subdomain": {"config": {**GOOD_CONFIG, "subdomain": "acme.example.com/"}},
    "config http elsewhere": {"config": {**GOOD_CONFIG, "api_url": "http://example.com"}},
    "catalog empty": {"catalog": b""},
    "catalog not JSON": {"catalog": b"streams"},
    "catalog {}": {"catalog": {}},
    "catalog list": {"catalog": []},
    "catalog null": {"catalog": b"null"},
    "catalog streams null": {"catalog": {"streams": None}},
    "catalog stream null": {"catalog": {"streams": [None]}},
    "catalog stream without name": {"catalog": {"streams": [{"stream": {}}]}},
    "catalog name is a number": {"catalog": {"streams": [{"stream": {"name": 5}}]}},
    "catalog sync_mode INVALID": {"catalog": {"streams": [{"stream": {"name": "goals"}, "sync_mode": "INVALID"}]}},
    "catalog sync_mode list": {"catalog": {"streams": [{"stream": {"name": "goals"}, "sync_mode": []}]}},
    "catalog stream twice": {"catalog": catalog_of(["goals", "goals"])},
    "state empty": {"state": b""},
    "state not JSON": {"state": b"{chats"},
    "state number": {"state": 5},
    "state text": {"state": "chats"},
    "state true": {"state": True},
    "state list of numbers": {"state": [5]},
    "state of a stream is a string": {"state": {"chats": "2024"}},
    "state without descriptor": {"state": [{"type": "STREAM", "stream": {}}]},
    "state descriptor is a list": {"state": [{"type": "STREAM", "stream": {"stream_descriptor": []}}]},
    "state type only": {"state": [{"type": "STREAM"}]},
    "state of unknown type": {"state": [{"type": "SOMETHING"}]},
    "state type is a list": {"state": {"type": []}},
    "state type is an object": {"state": [{"type": {}}]},
    "state legacy text": {"state": {"type": "LEGACY", "data": "chats"}},
    "state global text": {"state": [{"type": "GLOBAL", "global": "x"}]},
    "state global streams text": {"state": [{"type": "GLOBAL", "global": {"stream_states": "x"}}]},
    "state global stream null": {"state": [{"type": "GLOBAL", "global": {"stream_states": [None]}}]},
}


def one_error(output: Output, code: int) -> str:
    assert code == 1
    assert [message["type"] for message in output.messages] == ["TRACE"]
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "stream_descriptor" not in error
    assert "marked-token" not in json.dumps(output.messages)
    return str(error["message"])


def read_raw(folder: Path, **given: Any) -> tuple[int, Output]:
    """``read`` in this process, of files that may be malformed."""
    out, clock = io.BytesIO(), FakeClock(running=True)
    contents = {"config": GOOD_CONFIG, "catalog": catalog_of(["goals"]), "state": [], **given}
    config, catalog, state = files(folder, **contents)[1::2]
    code = read(Writer(out, clock), clock, config, catalog, state)
    return code, Output(parse(out.getvalue()))


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_malformed_file_is_one_clear_error(case: str, tmp_path: Path) -> None:
    code, output = read_raw(tmp_path, **BAD_FILES[case])
    message = one_error(output, code)
    subject = case.split(maxsplit=1)[0]
    assert any(word in message.lower() for word in (subject, "subdomain", "start_date", "credentials", "api_url")), message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "stream",
                    "stream_descriptor",
                    "stream_state",
                    "name",
                    "data",
                    "global",
                    "stream_states",
                    "state",
                    "chats",
                ]
            ),
            inner | st.sampled_from(["STREAM", "GLOBAL", "LEGACY", "STATE", "chats", "goals"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(raw=JSON)
def test_no_state_whatever_causes_another_error_than_a_state_error(raw: Any) -> None:
    with contextlib.suppress(StateError):
        states = parse_state(raw)
        assert all(blob for blob in states.values())


@settings(max_examples=200, deadline=None)
@given(raw=JSON | st.fixed_dictionaries({"streams": st.lists(JSON, max_size=3)}))
def test_no_catalog_whatever_causes_another_error_than_a_config_error(raw: Any) -> None:
    with contextlib.suppress(ConfigError):
        parse_catalog(raw)


@pytest.mark.parametrize("command", ["read", "discover"])
@pytest.mark.parametrize("case", ["missing", "directory", "no JSON"])
def test_a_file_that_cannot_be_read_as_a_process(command: str, case: str, tmp_path: Path) -> None:
    options = files(tmp_path, config=b"{" if case == "no JSON" else GOOD_CONFIG, catalog=catalog_of(["goals"]))
    options = options if command == "read" else options[:2]
    if case != "no JSON":
        options[1] = str(tmp_path if case == "directory" else tmp_path / "nowhere.json")
    done = execute(command, *options)
    message = one_error(done.output, done.code)
    assert options[1] in message
    assert done.stderr == ""


def test_an_unknown_stream_is_an_error_and_the_others_are_read() -> None:
    with small(chats=5) as sandbox:
        code, output = read_here(config_of(sandbox), catalog_of(["goals", "macros"]))
    assert code == 1
    assert output.endings == {"goals": "COMPLETE", "macros": "INCOMPLETE"}
    assert "unknown stream: macros" in output.error_of("macros")["message"]
    assert output.records["goals"]


# Where and how it runs.


def test_debug_logs_every_page_and_the_default_does_not() -> None:
    with small(chats=120) as sandbox:
        quiet = read_process(config_of(sandbox), catalog_of(["chats"]))
        flag = read_process(config_of(sandbox), catalog_of(["chats"]), None, "--debug")
        variable = read_process(config_of(sandbox), catalog_of(["chats"]), None, LOG_LEVEL="debug")
    assert quiet.output.logs("DEBUG") == []
    assert len(flag.output.logs("DEBUG")) >= 2
    with_flag, with_variable = (re.sub(r" in [\d.]+ s", "", "\n".join(done.output.logs("DEBUG"))) for done in (flag, variable))
    assert with_flag == with_variable
    assert [len(done.output.records["chats"]) for done in (quiet, flag, variable)] == [120] * 3


@pytest.mark.parametrize("medium", ["SOCKET", "socket", "PIGEON"])
def test_a_data_channel_other_than_stdout_fails_loudly(medium: str) -> None:
    done = read_process(GOOD_CONFIG, catalog_of(["goals"]), DATA_CHANNEL_MEDIUM=medium)
    assert "DATA_CHANNEL_MEDIUM" in one_error(done.output, done.code)


def test_the_usual_data_channel_is_fine() -> None:
    with small(chats=5) as sandbox:
        done = read_process(config_of(sandbox), catalog_of(["goals"]), DATA_CHANNEL_MEDIUM="STDIO", DATA_CHANNEL_FORMAT="JSONL")
    assert done.code == 0


@pytest.mark.parametrize(
    "api_url", ["http://127.0.0.1:9", "https://10.0.0.1", "https://169.254.169.254/x", "https://a.example.com"]
)
@pytest.mark.parametrize("command", ["read", "check", "discover"])
def test_airbyte_cloud_reads_from_zendesk_only(command: str, api_url: str, tmp_path: Path) -> None:
    options = files(tmp_path, config={**GOOD_CONFIG, "api_url": api_url}, catalog=catalog_of(["goals"]))
    done = execute_here(command, *(options if command == "read" else options[:2]), folder=tmp_path, DEPLOYMENT_MODE="CLOUD")
    if command == "check":
        (status,) = done.output.payloads("CONNECTION_STATUS")
        assert (done.code, status["status"]) == (0, "FAILED")
        assert "Airbyte Cloud" in status["message"]
    else:
        assert "Airbyte Cloud" in one_error(done.output, done.code)


def test_airbyte_cloud_takes_a_plain_config(tmp_path: Path) -> None:
    plain = {key: value for key, value in GOOD_CONFIG.items() if key != "api_url"}
    assert execute("discover", *files(tmp_path, config=plain), DEPLOYMENT_MODE="CLOUD").code == 0


def test_a_read_only_working_directory_and_no_home_are_fine(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with small(chats=5) as sandbox:
        options = files(tmp_path, config=config_of(sandbox), catalog=catalog_of(["chats"]))
        done = execute("read", *options, cwd=str(locked), PYTHONDONTWRITEBYTECODE="1")
    assert (done.code, done.stderr) == (0, "")
    assert list(locked.iterdir()) == []
    check_read(done.stdout, ["chats"])


def test_a_proxy_that_cannot_be_one_is_one_error(tmp_path: Path) -> None:
    config = {**GOOD_CONFIG, "api_url": "https://acme.zendesk.com"}
    options = files(tmp_path, config=config, catalog=catalog_of(["goals"]))
    done = execute("read", *options, HTTPS_PROXY="socks5://u:secret-word@127.0.0.1:1")
    assert done.code == 1
    (error,) = done.output.errors
    assert error["message"].startswith("HTTPS_PROXY")
    assert done.output.endings == {"goals": "INCOMPLETE"}
    assert "secret-word" not in done.stdout.decode() + done.stderr
    checked = execute("check", *options[:2], HTTPS_PROXY="socks5://u:secret-word@127.0.0.1:1")
    assert checked.output.payloads("CONNECTION_STATUS")[0]["status"] == "FAILED"


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ([{"type": "STREAM", "stream": {"stream_descriptor": {"name": 5}}}], "stream.stream_descriptor.name"),
        ([{"type": "GLOBAL", "global": {"stream_states": [{}]}}], "global.stream_states[0]"),
        ([{"type": "LEGACY", "data": ["SECRET"]}], "data"),
    ],
)
def test_a_malformed_state_message_is_named_by_its_path(state: Any, path: str) -> None:
    with pytest.raises(StateError) as caught:
        parse_state(state)
    assert str(caught.value) == f"A state message is malformed at `{path}`. Pass the state as Airbyte wrote it, or reset it."
