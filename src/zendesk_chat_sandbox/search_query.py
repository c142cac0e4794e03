"""The language of chat search: fields, ranges, quoted text, AND, OR, NOT and parentheses."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from zendesk_chat_sandbox.chat_store import ChatEntry
from zendesk_chat_sandbox.timestamps import parse_seconds

Test = Callable[[ChatEntry], bool]
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<paren>[()])
      |(?P<field>\w+):(?:\[(?P<low>\S+)\s+TO\s+(?P<high>\S+?)\]|"(?P<exact>[^"]*)"|(?P<value>[^\s()]+))
      |"(?P<phrase>[^"]*)"
      |(?P<word>[^\s()]+))""",
    re.VERBOSE,
)
_OFFSET: Final = re.compile(r"T.*(?:[+-]\d\d:?\d\d|\s\d\d:?\d\d)$")
_SPACED_OFFSET: Final = re.compile(r"T\d\d:\d\d:\d\d(?:\.\d+)?[+ -]\d\d:?\d\d")
_TIMES: Final[Mapping[str, Callable[[ChatEntry], int | None]]] = {
    "timestamp": lambda entry: entry.created,
    "end_timestamp": lambda entry: entry.ended,
}


class QueryError(ValueError):
    """The query cannot be read."""


@dataclass(slots=True)
class _Reader:
    """Reads tokens into tests by recursive descent: OR binds weakest, then AND (written or implied), then NOT."""

    tokens: list[re.Match[str]]
    position: int = 0

    def word(self) -> str | None:
        token = self.tokens[self.position] if self.position < len(self.tokens) else None
        return None if token is None else (token["paren"] or token["word"] or "")

    def either(self) -> Test:
        tests = [self.all_of()]
        while self.word() == "OR":
            self.position += 1
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)

    def all_of(self) -> Test:
        tests = [self.negated()]
        while self.word() not in {None, "OR", ")"}:
            if self.word() == "AND":
                self.position += 1
            tests.append(self.negated())
        return tests[0] if len(tests) == 1 else lambda entry: all(test(entry) for test in tests)

    def negated(self) -> Test:
        if self.word() == "NOT":
            self.position += 1
            inner = self.negated()
            return lambda entry: not inner(entry)
        return self.single()

    def single(self) -> Test:
        if self.word() in {None, "AND", "OR", ")"}:
            raise QueryError("the query has no search term where one is expected")
        token = self.tokens[self.position]
        self.position += 1
        if token["paren"] == "(":
            inner = self.either()
            if self.word() != ")":
                raise QueryError("a parenthesis is not closed")
            self.position += 1
            return inner
        return _of_field(token) if token["field"] else _of_text(token["phrase"] or token["word"] or "")


def parse_query(text: str) -> Test:
    """Read a query into a test of chats.

    Raises:
        QueryError: it is empty or unbalanced, or contains a timestamp with an offset, which the API no longer accepts.
    """
    if _SPACED_OFFSET.search(text):
        raise QueryError("timestamps are written without an offset")
    reader = _Reader(list(_TOKEN.finditer(text)))
    test = reader.either()
    if reader.word() is not None:
        raise QueryError("the query has text after its end")
    return test


def _timestamp(text: str) -> int | None:
    if text == "*":
        return None
    if _OFFSET.search(text):
        raise QueryError("timestamps are written without an offset")
    try:
        return parse_seconds(text)
    except ValueError:
        raise QueryError(f"not a timestamp: {text!r}") from None


def _of_field(token: re.Match[str]) -> Test:
    field, value = token["field"], token["exact"] or token["value"] or ""
    if field in _TIMES:
        low, high = (_timestamp(token["low"]), _timestamp(token["high"])) if token["low"] else (_timestamp(value),) * 2
        return _between(_TIMES[field], low, high)
    if field == "type":
        return lambda entry: entry.kind == value
    if field == "rating":
        return lambda entry: entry.rating == value
    if field == "id":
        return lambda entry: entry.identity == value
    wanted = value.lower()
    return lambda entry: wanted in json.dumps(json.loads(entry.body).get(field), ensure_ascii=False).lower()


def _between(of: Callable[[ChatEntry], int | None], low: int | None, high: int | None) -> Test:
    def test(entry: ChatEntry) -> bool:
        timestamp = of(entry)
        return timestamp is not None and (low is None or timestamp >= low) and (high is None or timestamp <= high)

    return test


def _of_text(text: str) -> Test:
    wanted = text.lower().encode()
    return lambda entry: wanted in entry.body.lower()
