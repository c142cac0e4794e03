"""JSON files written by hand: a message names the line and column of a mistake, and never quotes the file."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_files import read_json

SECRET = "SECRET-Zx81"


def message(path: Path, content: bytes | str) -> str:
    """The error for a file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError) as caught:
        read_json(str(path), "config")
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("content", "position", "words"),
    [
        ('{"a": 1,\n "b": "SECRET-Zx81",\n}', (2, 20), "a comma after the last entry"),
        ('{"a": ["SECRET-Zx81" ,\n]}', (1, 22), "a comma after the last entry"),
        ("{\n  \u201ca\u201d: 1}", (2, 3), "a curly quote"),
        ('{"a": \u201cSECRET-Zx81\u201d}', (1, 7), "a curly quote"),
        ('{"a": "SECRET-Zx81\u201d}', (1, 19), "a curly quote"),
        ("{'a': 1}", (1, 2), "a single quote"),
        ('{"a": 1, // SECRET-Zx81\n "b": 2}', (1, 10), "a comment"),
        ('# SECRET-Zx81\n{"a": 1}', (1, 1), "a comment"),
        ('{"a": /* SECRET-Zx81 */ 1}', (1, 7), "a comment"),
        ("subdomain: acme\ntoken: SECRET-Zx81\n", (1, 1), "YAML or an .env file"),
        ("---\nsubdomain: acme\n", (1, 1), "YAML or an .env file"),
        ("export ZENDESK_CHAT_TOKEN=SECRET-Zx81", (1, 1), "YAML or an .env file"),
        ("{token: 1}", (1, 2), "text without quotes"),
        ('{"a": SECRET-Zx81}', (1, 7), "text without quotes"),
        ('{"a": True}', (1, 7), "True, False or None; write true"),
        ('{"a": NaN}', (1, 7), "an invalid number"),
        ('{"a": "C:\\q"}', (1, 12), "an invalid escape"),
        ('{"a": "x\ny"}', (1, 9), "a line break"),
        ('{"a" 1}', (1, 6), "a missing colon"),
        ('{"a": 1\n "b": 2}', (2, 2), "a missing comma"),
        ('{"a": 1,, "b": 2}', (1, 9), "an extra comma"),
        ('{"a": 1} SECRET-Zx81', (1, 10), "extra text after the end"),
        ('{"a": "SECRET-Zx81', (1, 19), "the file ends too early"),
        ('{"ä": "ß",\n"ü": SECRET-Zx81}', (2, 6), "text without quotes"),
        (codecs.BOM_UTF8 + b'{"a": 1,}', (1, 8), "a comma after the last entry"),
        ('{"a": 1,}'.encode("utf-16"), (1, 8), "a comma after the last entry"),
    ],
)
def test_a_mistake_has_its_position(content: bytes | str, position: tuple[int, int], words: str, tmp_path: Path) -> None:
    shown = message(tmp_path / "c.json", content)
    assert shown.startswith(f"The config file is not valid JSON: FILE, line {position[0]}, column {position[1]}: ")
    assert words in shown
    assert SECRET not in shown


def test_a_file_without_text_is_reported_too(tmp_path: Path) -> None:
    for empty in (b"", b" \n", codecs.BOM_UTF8, b"\0\0"):
        assert message(tmp_path / "c.json", empty) == "The config file is empty: FILE"
    latin = message(tmp_path / "c.json", b'{"a": 1,\n "b": "\xe9"}')
    assert latin == "The config file is not valid JSON: FILE, line 2: it is not encoded as UTF-8."
    assert "nested too deeply" in message(tmp_path / "c.json", "[" * 100_000)
    with pytest.raises(ConfigError, match=r"^The state file does not exist: .*nowhere$"):
        read_json(str(tmp_path / "nowhere"), "state")
    with pytest.raises(ConfigError, match=r"^The state file cannot be read: .*: Is a directory$"):
        read_json(str(tmp_path), "state")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_marks_and_encodings_of_windows_are_accepted(encoding: str, tmp_path: Path) -> None:
    value = {"subdomain": "acme", "note": "ä 名 😀", "n": [1, 2.5, None, True]}
    (tmp_path / "c.json").write_bytes(json.dumps(value, ensure_ascii=False, indent=2).encode(encoding))
    assert read_json(str(tmp_path / "c.json"), "config") == value


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_spoilt_file_is_one_error_that_quotes_nothing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = json.dumps({"subdomain": "acme", "access_token": SECRET, "list": [1, {"x": "y"}]}, indent=1)
    at = data.draw(st.integers(0, len(good)))
    spoilt = good[:at] + data.draw(st.text(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    path = tmp_path_factory.mktemp("spoilt") / "c.json"
    path.write_bytes(spoilt.encode(errors="surrogatepass"))
    shown = ""
    try:
        read_json(str(path), "config")
    except ConfigError as error:
        shown = str(error)
    assert "Zx81" not in shown
    assert shown.isprintable()
