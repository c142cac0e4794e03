"""What property tests share: how many examples they try, and strategies for chats and the records derived from them.

``SOAK=50`` in the environment asks for fifty times as many examples as a property names, chosen at random. An ordinary run
tries the same few examples every time, less than half of what the property names, so that all tests together stay quick.
"""

from __future__ import annotations

import json
import os
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.derived.nested_lists import CHAT_CONVERSIONS, CHAT_ENGAGEMENTS, CHAT_EVENTS, CHAT_WEBPATHS
from zendesk_chat.streams.derived.visitors import VISITORS
from zendesk_chat.streams.records import decode_answer
from zendesk_chat.streams.stream import Children, Extractor

SOAK = float(os.environ.get("SOAK") or 0)
ORDINARY = 0.45


def effort(examples: int) -> settings:
    """Settings for a property with so many examples."""
    return settings(derandomize=not SOAK, deadline=None, max_examples=max(1, round(examples * (SOAK or ORDINARY))))


Json = dict[str, Any]
NESTED = {
    "chat_events": CHAT_EVENTS,
    "chat_engagements": CHAT_ENGAGEMENTS,
    "chat_webpaths": CHAT_WEBPATHS,
    "chat_conversions": CHAT_CONVERSIONS,
}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@cache
def schema_of(stream: str) -> Json:
    schema: Json = json.loads((files("zendesk_chat.streams.schemas") / f"{stream}.json").read_bytes())
    return schema


@cache
def extractor(stream: str) -> Extractor:
    extraction = VISITORS if stream == "visitors" else NESTED[stream]
    return extraction.extractor(Schema.parse(schema_of(stream)))


def received(line: bytes) -> bytes:
    """A record as it comes out of an answer of the API, in which what is not quite JSON is repaired."""
    (record,) = decode_answer(b"[" + line + b"]", msgspec.json.Decoder(list[msgspec.Raw]))
    return bytes(record)


def raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def read(stream: str, children: Children) -> list[Json]:
    """The records, each a line of JSON as its stream's schema says."""
    assert not any(line.count(b"\n") + line.count(b"\r") for line in children.records)
    records: list[Json] = [json.loads(line.decode()) for line in children.records]
    validator = Draft7Validator(schema_of(stream))
    for record in records:
        assert [error.message for error in validator.iter_errors(record)] == []
    return records


def derived(stream: str, *chats: Json) -> list[Json]:
    return read(stream, extractor(stream).extract([raw(chat) for chat in chats]))


def drifted(stream: str) -> st.SearchStrategy[Any]:
    """Items with any value in any field that the stream's schema names, beside such that are right, and no objects at all."""
    names = st.sampled_from(["id", *schema_of(stream)["properties"]]) | texts
    return st.dictionaries(names, jsons | st.integers(0, 3).map(str), max_size=6) | jsons
