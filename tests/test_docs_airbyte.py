"""docs/airbyte.md is true: its messages are those of the code, all of them, and its examples, tables and figures hold."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

import duckdb
import msgspec
import pytest

from tests.support.in_process import INCREMENTAL, catalog_of, check_here, merged, read_here
from tests.support.protocol import Output
from tests.support.sandbox import config_of
from zendesk_chat import __version__, errors
from zendesk_chat.airbyte.inputs import parse_state
from zendesk_chat.api.auth import TOKEN_PATH
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.config import AccessToken, OAuth, parse_config
from zendesk_chat.streams.exports.page import PAGE_SIZE
from zendesk_chat.streams.positions import ExportPosition, ListPosition
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import AGENT_TOKEN, SUPPORT_TOKEN, Fault, Sandbox, Switches

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/zendesk_chat"
DOCUMENT = (ROOT / "docs/airbyte.md").read_text()
TROUBLES = DOCUMENT.split("## Troubleshooting")[1].split("## Changelog")[0]
OF_CONFIGURATION = (ROOT / "docs/configuration.md").read_text().split("## Messages")[1]
FRAGMENTS = [
    fragment
    for row in re.findall(r"^\| (`.*?) \|", TROUBLES + OF_CONFIGURATION, re.MULTILINE)
    for _, fragment in re.findall(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", row)
]
HOLE = "\x00"
SHORTEST_MESSAGE = 10
NO_TROUBLE = {
    "There is no stream \x00. The streams are \x00.",  # only the library and `sync` select streams by name
    "All \x00 streams can be read.",
    "\x00 in \x00 s (\x00, \x00, \x00 received, \x00 skipped as unchanged, \x00 skipped as \x00\x00)",
    "\x00: so far \x00",
    "The \x00 is malformed: \x00. Pass it as it was written.",  # only the Singer tap reads such files
    "Set it to the oldest time you want.",  # follows another
    "another address",  # a part of another
    "\x00: the record counts do not add up: \x00. Please report this.",  # likewise
}
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.ConnectorError)}
MAKERS = {*ERRORS, NoAnswerError.__name__, "Verdict", "Note", "kind"}  # the last is a variable that holds an error class


def template(node: ast.expr) -> str:
    """A string with a hole for each value that is put into it; "" if it is no string."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(template(part) or HOLE for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (template(left) or HOLE) + (template(right) or HOLE)
        case _:
            return ""


@cache
def strings(path: Path) -> frozenset[str]:
    """All complete strings in a module, docstrings among them."""
    return frozenset(template(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.expr))


def messages(path: Path) -> Iterator[str]:
    """The messages that a module makes: of errors, verdicts and warnings, those returned, and those given a name."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords) if name in MAKERS:
                yield from map(template, [*arguments, *(keyword.value for keyword in keywords)])
            case ast.Return(value=ast.expr() as value) | ast.Assign(value=value):
                yield template(value)
            case ast.Tuple(elts=[_, ast.Constant() as words]):  # a cause and its words
                yield template(words)


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (SOURCE.glob(f"{folder}/**/*.py") if folder else SOURCE.glob("*.py")))


def spoken(text: str) -> bool:
    """Whether a string is a sentence for users rather than a name or a format."""
    return len(text) >= SHORTEST_MESSAGE and " " in text and text[0].isalpha() | (text[0] == HOLE) and text not in NO_TROUBLE


NOT_OF_AIRBYTE = {"config_file.py", "durable_files.py", "replay.py", "shared_quota.py", "tap.py"}
"""Modules of `sync`, the library and the Singer tap. The Airbyte source writes no files and has no reads up to a state."""
READ_BY_AIRBYTE = [
    path for path in modules("", "redaction", "api", "streams", "engine", "airbyte") if path.name not in NOT_OF_AIRBYTE
]


@cache
def quotable() -> frozenset[str]:
    """All strings of the modules whose messages the page quotes."""
    return frozenset(text for path in (*READ_BY_AIRBYTE, *modules("load")) for text in strings(path))


@cache
def spoken_by_airbyte() -> list[str]:
    """All messages of the Airbyte source."""
    return sorted({text for path in READ_BY_AIRBYTE for text in messages(path) if spoken(text)})


def occurs(fragment: str, text: str) -> bool:
    """Whether a fragment is part of a string; its ``...`` stands for inserted values."""
    return pattern_of(fragment).search(text) is not None


@cache
def pattern_of(fragment: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, fragment.split("..."))), re.DOTALL)


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_the_code_has_each_quoted_message(fragment: str) -> None:
    assert any(occurs(fragment, text) for text in quotable())
    assert len(fragment.replace("...", "").strip(" :.")) >= 6, "so short a fragment is in every text"


def test_every_message_is_explained() -> None:
    unexplained = [message for message in spoken_by_airbyte() if not any(occurs(fragment, message) for fragment in FRAGMENTS)]
    assert unexplained == []


def test_messages_are_found_at_all() -> None:
    assert len(FRAGMENTS) > 50
    assert len(spoken_by_airbyte()) > 50
    for kind in ("AuthError", "UnavailableError", "StateError", "RateLimitedError", "NetworkError", "PaginationStuckError"):
        assert kind in ERRORS
    assert not any(occurs("this is in no message", text) for text in quotable())
    assert quotable() >= NO_TROUBLE


def in_row(part: str) -> str:
    (row,) = [line for line in TROUBLES.splitlines() if part in line]
    return row


@pytest.mark.parametrize(
    ("config", "switches", "fragment"),
    [
        ({"access_token": "no-such-token"}, {}, "Zendesk Chat rejected the token (HTTP 401)"),
        ({"access_token": SUPPORT_TOKEN}, {}, "This is a Zendesk Support token"),
        ({"access_token": AGENT_TOKEN}, {}, "The token works, but its agent is not allowed to read ..."),
        ({}, {"account_state": "no_chat"}, "The account ... has no Zendesk Chat (HTTP 404)"),
        ({}, {"account_state": "no_account"}, "There is no Zendesk account at ..."),
        ({}, {"unavailable": {"goals": 403}}, "Not available, deselect these:"),
        ({}, {"unavailable": {"incremental/agent_events": 404}}, "Without records, because this account lacks them:"),
        ({}, {"unavailable": {"incremental/chats": 404}}, "Zendesk has no such data for this account (HTTP ...)"),
        ({"start_date": "2099-01-01T00:00:00Z"}, {}, "start_date is in the future"),
        ({"start_date": "soon"}, {}, "...: ... is not a date."),
        ({"end_date": "2019-12-31"}, {}, "...: ... must be later than ..., which is ..."),
        ({"startdate": "2020-01-01"}, {}, "Unknown key `...`: did you mean `...`?"),
        ({"redact": {"rules": [{"field": "email", "action": "drop"}]}}, {}, "..., field: must be a stream and a path"),
        ({"redact": {"rules": [{"field": "chat.email", "action": "drop"}]}}, {}, "...: no such stream. The streams are ..."),
        (
            {"redact": {"rules": [{"field": "chats.id", "action": "drop"}]}},
            {},
            "cannot be redacted, because it is part of the key or cursor field",
        ),
        ({"redact": {"rules": [{"field": "chats.emial", "action": "drop"}]}}, {}, "no known field has the path ..."),
        ({"redact": {"rules": [{"field": "chats.tags", "action": "hash"}]}}, {}, "redact.hash_key: missing."),
        ({"subdomain": "acme/elsewhere"}, {}, "...: use only the name of the account"),
        ({"subdomain": ""}, {}, "...: missing."),
        ({"access_token": "two words"}, {}, "...: contains characters that are not valid in a token"),
        ({"api_url": "http://127.0.0.1:9"}, {}, "the connection to ... was refused"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_user_sees_the_message_that_is_explained(config: dict[str, Any], switches: dict[str, Any], fragment: str) -> None:
    token = config.pop("access_token", "sandbox-token") if config else "sandbox-token"
    with Sandbox(chats=5, switches=Switches(rate_limit=0, **switches)) as sandbox:
        credentials = {"credentials": "access_token", "access_token": token}
        _, message = check_here({**config_of(sandbox), "credentials": credentials, **config})
    assert occurs(fragment, message)
    assert in_row(fragment)


# Examples.

JSON_BLOCKS = [msgspec.json.decode(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)]
CONFIGS = [block for block in JSON_BLOCKS if isinstance(block, dict)]
STATES = [block for block in JSON_BLOCKS if isinstance(block, list)]
COMMANDS = re.findall(r"\$ (curl .*)\n *(\{.*\})", DOCUMENT)
ADDRESSES = re.findall(r"https://acme\.zendesk\.com/oauth2/\S+/new\?\S+", DOCUMENT)


def test_the_configurations_are_valid() -> None:
    by_token, by_oauth, redacted = [parse_config(config).credentials for config in CONFIGS]
    assert isinstance(by_token, AccessToken)
    assert by_token == redacted
    assert isinstance(by_oauth, OAuth)
    assert by_oauth.renewable


def test_the_states_can_be_read() -> None:
    complete, by_hand = (
        parse_state([{"stream": {"stream_descriptor": e["streamDescriptor"], "stream_state": e["streamState"]}} for e in state])
        for state in STATES
    )
    chats = STREAMS["chats"].load_state(complete["chats"])
    assert isinstance(chats, ExportPosition)
    assert (len(chats.recent), chats.time - chats.complete_until) == (1, 600 * 10**6)
    assert STREAMS["agents"].load_state(complete["agents"]) == ListPosition(361000251243, 0, {360700000001: "58221d8233029116"})
    assert set(by_hand) == {"chats", "chat_events", "agent_timeline"}, "an empty state is none"
    for stream, state in by_hand.items():
        position = STREAMS[stream].load_state(state)
        assert isinstance(position, ExportPosition)
        assert position.complete_until == position.time == 1767225600 * 10**6


def test_the_fields_of_the_state_are_all_explained() -> None:
    explained = DOCUMENT.split("| field | meaning |")[1].split("**To set")[0]
    with Sandbox(chats=50, switches=Switches(rate_limit=0)) as sandbox:
        _, output = read_here(config_of(sandbox), catalog_of(INCREMENTAL))
    for stream in INCREMENTAL:
        for field in output.states[stream][-1].keys() - {"version"}:
            assert f"`{field}`" in explained
    assert "`completed_ranges`" in explained


def test_a_state_set_by_hand_reads_from_there_and_one_with_stale_fields_does_not() -> None:
    with Sandbox(chats=200, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        everything = [str(chat["update_timestamp"]) for chat in map(sandbox.account.chat, sandbox.account.chat_ids())]
        _, first = read_here(config_of(sandbox), catalog_of(["chats"]))
        (message,) = first.last_state
        complete = message["stream"]["stream_state"]
        middle = everything[100]
        counts = []
        for blob in ({"update_timestamp": middle}, {**complete, "update_timestamp": middle}):
            message["stream"]["stream_state"] = blob
            counts.append(len(read_here(config_of(sandbox), catalog_of(["chats"]), [message])[1].records["chats"]))
    assert counts[0] == sum(time >= middle for time in everything)
    assert counts[1] < counts[0]


def test_the_code_is_exchanged_as_shown_and_so_is_the_answer() -> None:
    ((command, shown),) = COMMANDS
    _, url, *options = shlex.split(command)
    assert options[::2] == ["-d"] * (len(options) // 2)
    form = dict(option.split("=", 1) for option in options[1::2])
    values = {"CODE": "sandbox-code", "CLIENT_ID": "sandbox-client", "CLIENT_SECRET": "sandbox-secret"}
    with Sandbox(chats=5) as sandbox:
        address = url.replace("https://acme.zendesk.com", sandbox.url)
        body = urlencode({name: values.get(value, value) for name, value in form.items()}).encode()
        with urlopen(Request(address, data=body)) as answer:
            tokens = json.loads(answer.read())
        assert tokens.keys() == json.loads(shown).keys()
        assert tokens["scope"] == json.loads(shown)["scope"]
        oauth = {"credentials": "oauth2.0", **{name: tokens[name] for name in ("access_token", "refresh_token")}}
        client = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        assert check_here({**config_of(sandbox), "credentials": {**oauth, **client}})[0] == "SUCCEEDED"
        sandbox.tokens.expire(tokens["access_token"])
        assert check_here({**config_of(sandbox), "credentials": {**oauth, **client}})[0] == "SUCCEEDED", "by renewal"
    assert urlsplit(url).path == TOKEN_PATH


def test_the_addresses_to_sign_in_ask_for_what_is_exchanged() -> None:
    ((command, _),) = COMMANDS
    assert len(ADDRESSES) == 2
    queries = [parse_qs(urlsplit(address).query) for address in ADDRESSES]
    assert [query["response_type"] for query in queries] == [["token"], ["code"]]
    for query in queries:
        assert f"redirect_uri={query['redirect_uri'][0]} " in command
        assert query["scope"] == ["read"]


# Tables and figures.


def test_the_stream_table_is_true() -> None:
    table = DOCUMENT.split("## Supported streams")[1].split("\n- ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]
    assert [row[0].strip("`") for row in rows] == list(STREAMS)
    with Sandbox(chats=5, switches=Switches(rate_limit=0)) as sandbox:
        for name, (_, endpoint, modes, key, cursor, requests) in zip(STREAMS, rows, strict=True):
            stream = STREAMS[name]
            ((path, link),) = re.findall(r"\[([\w/]+)\]\((\S+)\)", endpoint)
            assert re.findall(r"\w+", key) == list(stream.primary_key)
            assert re.findall(r"\w+", cursor) == [stream.cursor_field] * (stream.cursor_field is not None)
            assert modes == ("full refresh, incremental" if stream.cursor_field else "full refresh")
            assert link.startswith("https://developer.zendesk.com/api-reference/live-chat/chat-api/")
            sandbox.clear_requests()
            read_here(config_of(sandbox), catalog_of([name]))
            assert {request.path for request in sandbox.requests} == {f"/api/v2/chat/{path}"}
            assert (requests == "1") == (stream.cursor_field is None)
            assert (requests == "none beside `chats`") == (stream.extraction is not None)


def test_the_modes_name_the_incremental_streams() -> None:
    (named,) = re.findall(r"^\| Incremental, .*? \| (.*) \|$", DOCUMENT, re.MULTILINE)
    assert re.findall(r"`(\w+)`", named) == list(INCREMENTAL)


def test_the_types_are_those_of_the_schemas() -> None:
    table = DOCUMENT.split("## Data types")[1].split("Records are")[0]
    named = set(re.findall(r"\| `(\w+)` \|$", table, re.MULTILINE))
    used: set[str] = set()
    for path in (SOURCE / "streams/schemas").glob("*.json"):
        text = path.read_text()
        used |= {name for types in re.findall(r'"type": (\[.*?\]|".*?")', text) for name in re.findall(r"\w+", types)}
        used |= set(re.findall(r'"airbyte_type": "(\w+)"', text))
    assert named == used - {"null"}


def test_the_requests_of_a_backfill_are_counted_right() -> None:
    rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| (.*?) \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) == 4
    for chats, requests, time in rows:
        count = int(chats.replace(",", "")) // PAGE_SIZE + 1
        assert int(requests.replace(",", "")) == count
        assert time == ("at once" if count <= 200 else f"{count // 200} minutes")
    with Sandbox(chats=3000, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        read_here(config_of(sandbox, request_timeout_seconds=60), catalog_of(["chats"]))
        assert len(sandbox.requests) == 3000 // PAGE_SIZE + 1


def test_a_sync_that_finds_nothing_and_a_test_take_the_documented_requests() -> None:
    assert "takes about thirty requests" in DOCUMENT
    assert "The connection test takes sixteen or seventeen." in DOCUMENT
    with Sandbox(chats=300, switches=Switches(rate_limit=0)) as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of())
        sandbox.clear_requests()
        read_here(config_of(sandbox), catalog_of(), first.last_state)
        assert 27 <= len(sandbox.requests) <= 33
        sandbox.clear_requests()
        check_here(config_of(sandbox))
        assert len(sandbox.requests) == 16


def test_the_figures_are_those_of_the_metadata() -> None:
    data = msgspec.yaml.decode((ROOT / "distribution/airbyte/metadata.yaml").read_bytes())["data"]
    jobs = {job["jobType"]: job["resourceRequirements"] for job in data["resourceRequirements"]["jobSpecific"]}
    text = " ".join(DOCUMENT.split())
    sync, check = jobs["sync"], jobs["check_connection"]
    sentence = "needs a request of {} MiB and a limit of {} MiB; containers for other jobs need {} and {} MiB"
    figures = (sync["memory_request"], sync["memory_limit"], check["memory_request"], check["memory_limit"])
    assert sentence.format(*(figure.removesuffix("Mi") for figure in figures)) in text
    assert f"asks for {data['maxSecondsBetweenMessages']} seconds" in text


def test_the_version_is_the_packages() -> None:
    assert f"`{__version__}` |" in DOCUMENT
    assert f"source-zendesk-chat:{__version__} " in DOCUMENT
    assert re.findall(r"^\| (\d+\.\d+\.\d+) \|", DOCUMENT, re.MULTILINE)[0] == __version__


def test_the_options_and_their_defaults_are_those_of_the_spec() -> None:
    fields = json.loads((SOURCE / "airbyte/spec.json").read_bytes())["connectionSpecification"]["properties"]
    optional = {name: field["default"] for name, field in fields.items() if "default" in field}
    settings = DOCUMENT.split("### Optional settings")[1].split("##")[0]
    rows = re.findall(r"^\| `(\w+)` \| .*? \| (\d+) \|$", settings, re.MULTILINE)
    assert {name: int(default) for name, default in rows} == optional
    titled = dict(re.findall(r"^\| `(\w+)` \(\*(.+?)\*\) \|", settings, re.MULTILINE))
    assert titled == {name: fields[name]["title"] for name in ("end_date", "redact")}


def test_the_streams_that_an_account_may_lack_are_named() -> None:
    (named,) = re.findall(r"^- (.*) are \*\*not on every account", DOCUMENT, re.MULTILINE)
    optional = [stream for stream in STREAMS.values() if stream.optional]
    assert re.findall(r"`(\w+)`", named) == [stream.name for stream in optional]
    with Sandbox(chats=5, switches=Switches(rate_limit=0)) as sandbox:
        sandbox.inject(Fault(kind="status", status=403, path="*/incremental/agent_events", times=None))
        code, output = read_here(config_of(sandbox), catalog_of(["agent_events", "goals"]))
    assert code == 0
    assert "agent_events: no records, because this account lacks it." in " ".join(output.logs("WARN"))


def rows_of(stream: str, *runs: Output) -> list[tuple[Any, ...]]:
    """What a destination that upserts by key holds of these columns."""
    names = ("id", "update_timestamp") if stream == "chats" else ("id", "chat_id", "chat_update_timestamp")
    return [tuple(record[name] for name in names) for record in merged(stream, *(run.records[stream] for run in runs))]


def test_children_that_an_edited_chat_has_lost_are_deleted_by_the_statement() -> None:
    (statement,) = re.findall(r"```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    with Sandbox(chats=30, history_until="2026-03-01T12:00:00Z", switches=Switches(rate_limit=0)) as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of(["chats", "chat_events"]))
        long, other = [chat for chat in first.records["chats"] if len(chat.get("history", [])) > 3][:2]
        sandbox.account.edit_chat(long["id"], history=long["history"][1:3])
        sandbox.account.edit_chat(other["id"], history=[])
        _, second = read_here(config_of(sandbox), catalog_of(["chats", "chat_events"]), first.last_state)
        _, afresh = read_here(config_of(sandbox), catalog_of(["chat_events"]))
    complete = {row[:2] for row in rows_of("chat_events", afresh)}
    with duckdb.connect() as database:
        database.execute("CREATE TABLE chats (id TEXT, update_timestamp TIMESTAMPTZ)")
        database.execute("CREATE TABLE chat_events (id TEXT, chat_id TEXT, chat_update_timestamp TIMESTAMPTZ)")
        database.executemany("INSERT INTO chats VALUES (?, ?)", rows_of("chats", first, second))
        database.executemany("INSERT INTO chat_events VALUES (?, ?, ?)", rows_of("chat_events", first, second))
        held = "SELECT id, chat_id FROM chat_events"
        stale = len(long["history"]) - 2 + len(other["history"])
        assert len(database.execute(held).fetchall()) == len(complete) + stale
        database.execute(statement)
        assert set(database.execute(held).fetchall()) == complete


def test_links_lead_somewhere() -> None:
    local = [link for link in re.findall(r"\]\(([^)#]+)\)", DOCUMENT) if "://" not in link]
    assert [link for link in local if not (ROOT / "docs" / link).exists()] == []
