"""The list of streams, which needs no account."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.pages import ROOT
from zendesk_chat.cli import main
from zendesk_chat.load import streams_command
from zendesk_chat.load.streams_command import CONTENTS
from zendesk_chat.streams.registry import STREAMS


def test_the_table_has_every_stream_and_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["stream", "contents", "key", "loads", "requests"]
    rows = lines[1 : lines.index("")]
    assert [row.split()[0].rstrip("*") for row in rows] == list(STREAMS)
    assert {row.split()[0].rstrip("*") for row in rows if "*" in row} == {name for name, s in STREAMS.items() if s.optional}
    assert all(
        f" {'changes' if STREAMS[name].cursor_field else 'all'} " in row for name, row in zip(STREAMS, rows, strict=True)
    )


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (80, ["stream", "contents", "key", "loads", "requests"]),
        (72, ["stream", "contents", "key", "loads"]),
        (60, ["stream", "contents", "loads"]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns(
    width: int, titles: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(streams_command, "is_terminal", lambda _: True)
    assert main(["streams"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].split() == titles
    assert any(line.startswith("requests:") for line in lines) == ("requests" in titles)


def test_the_json_has_the_same_and_agrees_with_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streams", "--json"]) == 0
    streams = json.loads(capsys.readouterr().out)
    assert [(s["name"], s["primary_key"], s["cursor_field"]) for s in streams] == [
        (name, list(stream.primary_key), stream.cursor_field) for name, stream in STREAMS.items()
    ]
    assert CONTENTS.keys() == STREAMS.keys()
    page = (ROOT / "docs/streams.md").read_text()
    requests = dict(re.findall(r"^\| `(\w+)`.*\| ([^|]+) \|$", page, re.MULTILINE))
    for stream in streams:
        count = {None: "1", 0: "0"}.get(stream["records_per_request"], f"1 per {stream['records_per_request'] or 0:,},")
        assert f"{requests[stream['name']]},".startswith(f"{count}" if count.endswith(",") else f"{count},")
        assert stream["description"].startswith(("A", "How", "The", "One"))
