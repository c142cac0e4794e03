"""JSON files that people write by hand. Messages show the line and column of a mistake, and never quote the file.

A byte-order mark is accepted, and so is UTF-16: Windows writes both.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar, cast

import msgspec

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_types import Json

StructT = TypeVar("StructT", bound=msgspec.Struct)
MOST_BYTES: Final = 256 * 2**20  # because a device such as /dev/zero has no end
_OFFSET: Final = re.compile(r"\(byte (\d+)\)")
_CURLY: Final = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb]")
_REASONS: Final = (  # the decoder's words, and what they mean
    ("trailing comma", "a comma after the last entry"),
    ("expected ','", "a missing comma or bracket"),
    ("expected ':'", "a missing colon after the name"),
    ("trailing characters", "extra text after the end of the JSON value"),
    ("escape", "an invalid escape; write two backslashes for one"),
    ("number", "an invalid number"),
)
_CERTAIN: Final = (  # characters at the mistake that explain it better than the decoder does
    (_CURLY, 'a curly quote; use straight ones (")'),
    (re.compile("'"), 'a single quote; use double ones (")'),
    (re.compile(r"//|/\*|#"), "a comment, which JSON does not allow"),
    (re.compile("[\0-\x1f]"), "a line break, a tab or another control character; check for a missing closing quote before it"),
)
_LIKELY: Final = (  # characters that explain it when the decoder gives no reason
    (re.compile(r"(True|False|None)\b"), "True, False or None; write true, false or null"),
    (re.compile(r"-?(NaN|Infinity)\b"), "an invalid number"),
    (re.compile(","), "an extra comma"),
    (re.compile(r"\w"), "text without quotes"),
)
_OTHER_FORMAT: Final = re.compile(r"\s*(---|- |\w[\w .-]*\s*[:=])")


class EmptyFileError(ConfigError):
    """The file is empty."""


def read_struct(path: str, kind: type[StructT], what: str) -> StructT:
    """Read an object that a program wrote into a file. Null counts as an empty object. ``what`` is as for ``read_json``.

    Raises:
        ConfigError: There is no such file, or it has another form. EmptyFileError if it is empty.
    """
    try:
        return msgspec.convert(read_json(path, what) or {}, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"The {what} is malformed: {error}. Pass it as it was written.") from None


def read_json(path: str, what: str) -> Json:
    """Read the JSON value in a file. ``what`` is its purpose, for messages: ``config``.

    Raises:
        ConfigError: There is no such file, or it is not JSON.
    """
    return decode_json(read_bytes(path, what), path, what)


def read_bytes(path: str, what: str) -> bytes:
    """Return the content of a file, or raise ConfigError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"The {what} file does not exist: {path}") from None
    except OSError as error:
        raise ConfigError(f"The {what} file cannot be read: {path}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise ConfigError(f"The {what} file is larger than {MOST_BYTES >> 20} MB: {path}")
    return data


def decode_json(data: bytes, path: str, what: str) -> Json:
    """Decode the content of a file, or raise ConfigError."""
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"The {what} file is not valid JSON: {path}, line {line}: it is not encoded as UTF-8.") from None
    if not text.strip("\0 \t\r\n"):
        raise EmptyFileError(f"The {what} file is empty: {path}")
    try:
        return cast("Json", msgspec.json.decode(text))
    except RecursionError:
        raise ConfigError(f"The {what} file is not valid JSON: {path}: it is nested too deeply.") from None
    except msgspec.ValidationError:  # of a number; the decoder does not say where
        raise ConfigError(f"The {what} file is not valid JSON: {path}: a number in it is too large.") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        at = _index(text, str(error))
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        raise ConfigError(
            f"The {what} file is not valid JSON: {path}, line {line}, column {column}: {_words(text, at, str(error))}"
        ) from None


def repeated_key(data: bytes) -> str | None:
    """Return a key that occurs twice in one object of valid JSON, of which the decoder uses the last; None if there is none."""
    found: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> None:
        keys = [key for key, _ in pairs]
        found.extend(key for key in keys if keys.count(key) > 1)

    with suppress(ValueError, RecursionError):  # the decoder is less strict about numbers and depth
        json.loads(data, object_pairs_hook=note, parse_int=str)
    return next(iter(found), None)


def _index(text: str, reason: str) -> int:
    """Return the index of the wrong character."""
    offset = _OFFSET.search(reason)
    if offset is None:  # the content ends too early, perhaps because of a curly quote instead of a closing one
        curly = _CURLY.search(text)
        return curly.start() if curly else len(text)
    if _OTHER_FORMAT.match(text):
        return 0
    at = len(text.encode()[: int(offset[1])].decode(errors="ignore"))
    if "trailing characters" in reason:  # the decoder is already past the first of them
        return at - 1
    # For `[1, ]` the decoder reports the bracket; the mistake is the comma before it.
    return len(text[:at].rstrip()) - 1 if "trailing comma" in reason else at


def _words(text: str, at: int, reason: str) -> str:
    if at >= len(text):
        return "the file ends too early; a quote or bracket is not closed"
    if at == 0 and _OTHER_FORMAT.match(text):
        return "this looks like YAML or an .env file; a JSON object starts with {"
    found = next((words for sign, words in _CERTAIN if sign.match(text, at)), None)
    known = next((words for sign, words in _REASONS if sign in reason), None)
    other = next((words for sign, words in _LIKELY if sign.match(text, at)), "an unexpected character")
    return found or known or other
