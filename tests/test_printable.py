"""No control character from outside reaches a terminal or a log: every way of output, with hostile strings in every field."""

from __future__ import annotations

import io
import json
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from tests.support.clock import FakeClock
from tests.support.executable import files
from tests.support.http_fakes import answer, serving
from tests.support.in_process import catalog_of, check_here
from tests.support.protocol import Output, parse
from tests.support.syncs import logged
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.read import read
from zendesk_chat.cli import main, make_parser
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError, StateError, UnavailableError
from zendesk_chat.load.command import sync
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.profile import run_profile
from zendesk_chat.printable import LONGEST_MESSAGE, escape, printable

ACTIVE = ("Cc", "Cf", "Cs", "Zl", "Zp")
EVERY = "".join(character for character in map(chr, range(0x110000)) if unicodedata.category(character) in ACTIVE)
HOSTILE = "\x1b[2J\x1b]0;title\x07\r\n\tfake line\x7f\x85\x9b31m\u061c\u200b\u200e\u202e\u2028\u2029\u2066\ufeff"
any_text = st.text(st.characters() | st.sampled_from(HOSTILE), max_size=60)
quickly = settings(deadline=None, max_examples=60)


def active(text: str) -> set[str]:
    """The characters on which a terminal or a viewer acts, but for line breaks."""
    return {character for character in text if unicodedata.category(character) in ACTIVE and character != "\n"}


def strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


@given(any_text)
def test_text_is_escaped_on_one_line_and_once(text: str) -> None:
    shown = printable(text)
    assert not active(shown)
    assert "\n" not in shown
    assert printable(shown) == shown
    assert shown.encode().decode() == shown


def test_every_active_character_is_escaped_and_no_other() -> None:
    assert not active(escape(EVERY))
    plain = "Zoë \u00a0\u3000 اسم 名前 \U0001f600 \\x1b"
    assert escape(plain) == plain
    assert escape("\x1b\n\u202e\ud800\U000e0041") == r"\x1b\n\u202e\ud800\U000e0041"


def test_long_text_is_cut() -> None:
    assert printable("x" * 10_000, 10) == "xxxxxxx..."
    assert len(printable("\u202e" * 10_000)) == LONGEST_MESSAGE


PROTOCOL_WORDS = ("LOG", "WARN", "TRACE", "ERROR", "config_error", "CONNECTION_STATUS", "FAILED")


@given(any_text)
def test_errors_are_printable(text: str) -> None:
    for error in (ConfigError(text), StateError(text), UnavailableError(text, status=403)):
        assert str(error) == printable(text)


@given(any_text, any_text)
def test_output_of_the_airbyte_writer_is_printable(text: str, secret: str) -> None:
    out = io.BytesIO()
    writer = Writer(out, FakeClock(running=True), debug=True)
    writer.keep_secret([secret] if len(secret) > 3 else [])
    writer.log("WARN", text + secret)
    writer.error(text, "config_error", internal=text + secret)
    writer.connection_status(succeeded=False, message=text)
    for line in out.getvalue().splitlines():
        for string in strings(json.loads(line)):
            assert not active(string)
            assert "\n" not in string
            fixed = string in PROTOCOL_WORDS
            assert fixed or len(secret) < 4 or "****" in secret or escape(secret) not in string.replace("****", "")


def drawn(text: str, *, terminal: bool) -> str:
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=terminal, width=200, color_system=None, legacy_windows=False)
    say(console, text, "yellow")
    table = Table("name", box=None)
    table.add_row(Text(text.replace("\n", "")))
    console.print(table)
    console.print(text.replace("\n", ""), markup=False)
    return out.getvalue()


@quickly
@given(any_text, st.booleans())
def test_the_console_prints_no_control_character_but_its_own(text: str, terminal: bool) -> None:
    assert not active(drawn(text, terminal=terminal))


@quickly
@given(any_text)
def test_wrong_arguments_are_printable(text: str) -> None:
    for arguments in ([text], ["sync", f"--{text}"], ["spec", text], ["read", "--config", text], ["sync", "--redact"]):
        err = io.StringIO()
        with redirect_stderr(err), redirect_stdout(err), suppress(SystemExit):
            make_parser().parse_args(arguments)
        assert not active(err.getvalue())


# Complete commands.


def hostile_server(path: str) -> bytes:
    """What a server answers that is hostile in every field."""
    name = HOSTILE.encode()
    body = json.dumps({"error": HOSTILE, "message": HOSTILE, "description": HOSTILE}).encode()
    match path:
        case "goals":
            return answer(json.dumps([{"id": 1, HOSTILE: 1, "name": 5, f"x{HOSTILE}": {HOSTILE: 1}}]).encode())
        case "agents" | "skills":
            host = name.replace(b"\r", b"").replace(b"\n", b"")
            return answer(b"", "302 Found", headers=b"Location: http://a" + host + b"b.example/\r\nX: " + host + b"\r\n")
        case "departments":
            return answer(body, "403 Forbidden")
        case "roles":
            return answer(body, "400 Bad\x1b[2J Request")
        case _:
            return answer(body, "404 Not Found")


def run_sync(*arguments: str, port: int) -> str:
    """All that ``sync`` prints."""
    options = make_parser().parse_args(
        ["sync", "--subdomain", "acme", "--token", "t", "--api-url", f"http://127.0.0.1:{port}", *arguments]
    )
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        sync(options, SystemClock())
    return out.getvalue()


@pytest.fixture
def port() -> Iterator[int]:
    with serving(
        lambda connection, number: connection.sendall(
            hostile_server(server.heads[number - 1].split(b" ")[1].decode().partition("/chat/")[2].partition("?")[0])
        )
    ) as server:
        yield server.port


def test_sync_and_profile_of_a_hostile_server(port: int, tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    printed = run_sync("--streams", "goals,agents,skills,departments,roles", "--to", f"duckdb:///{path}", port=port)
    assert not active(printed)
    for streams in ("agents, skills", "departments", "roles"):
        assert f" ERROR {streams}: " in printed
    assert r"\x1b[2J" in printed, "the field and the host are shown, escaped"
    with duckdb.connect(str(path)) as database:
        database.execute("UPDATE goals SET _unparsed = ?", [json.dumps({HOSTILE: 1})])
    for more in ([], ["--json"], ["--streams", "goals"]):
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            run_profile(make_parser().parse_args(["profile", str(path), *more]))
        assert r"\x1b[2J" in out.getvalue()
        assert not active(out.getvalue().replace("\\\\", "\\"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", f"duckdb:////nowhere/{HOSTILE}.duckdb"],
        ["--to", HOSTILE],
        ["--streams", HOSTILE],
        ["--exclude", HOSTILE],
        ["--start-date", HOSTILE],
        ["--config", f"/nowhere/{HOSTILE}".replace("\n", "")],
        ["--redact", f"{HOSTILE}.x=drop"],
        ["--redact", HOSTILE],
    ],
)
def test_sync_repeats_arguments_escaped(arguments: list[str], port: int) -> None:
    printed = run_sync(*arguments, port=port)
    assert len(logged(printed, "ERROR")) == 1
    assert not active(printed)
    assert printed.count("\n") == 1


def test_profile_of_a_hostile_path(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / HOSTILE.replace("/", "")
    for _ in range(2):
        assert run_profile(make_parser().parse_args(["profile", str(path)])) != 0
        printed = capsys.readouterr().err
        assert not active(printed)
        assert printed.count("\n") == 1
        path.write_bytes(b"no database")


CONFIG = {"subdomain": "acme", "start_date": "2020-01-01", "access_token": "a-token"}


def read_messages(config: Any, catalog: Any) -> Output:
    out, clock = io.BytesIO(), FakeClock(running=True)
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder), config=config, catalog=catalog)[1::2]
        read(Writer(out, clock, debug=True), clock, paths[0], paths[1], None)
    return Output(parse(out.getvalue()))


@pytest.mark.parametrize(
    ("config", "catalog"),
    [
        ({HOSTILE: 1}, catalog_of(["goals", "agents", "departments", "roles"])),
        ({"start_date": HOSTILE}, catalog_of([])),
        ({"credentials": {HOSTILE: 1}}, catalog_of([])),
        ({"redact": {HOSTILE: 1}}, catalog_of([])),
        ({}, {"streams": [{"stream": {"name": HOSTILE}}]}),
        ({}, {"streams": [{"stream": {"name": "goals"}, "sync_mode": HOSTILE}]}),
    ],
)
def test_read_and_check_of_a_hostile_server_and_hostile_files(config: dict[str, Any], catalog: Any, port: int) -> None:
    given = {**CONFIG, "api_url": f"http://127.0.0.1:{port}", **config}
    output = read_messages(given, catalog)
    for kind in ("LOG", "TRACE"):
        for payload in output.payloads(kind):
            for string in strings(payload):
                assert not active(string)
                assert "\n" not in string
    assert output.payloads("TRACE")
    assert not active(check_here(given)[1])


def test_the_sandbox_repeats_arguments_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([HOSTILE], ["--switch", HOSTILE], ["--switch", f"{HOSTILE}=1"], ["--now", HOSTILE], ["--port", HOSTILE]):
        with pytest.raises(SystemExit) as ended:
            main(["sandbox", "--chats", "1", *arguments])
        assert ended.value.code == 2
        assert not active(capsys.readouterr().err)
