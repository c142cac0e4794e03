"""The model of a JSON schema: what it keeps of one, and that it loses nothing."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from zendesk_chat.json_schema import JSON_TYPES, Schema

SCHEMAS = sorted(path.name for path in files("zendesk_chat.streams.schemas").iterdir() if path.name.endswith(".json"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_parsed_schema_is_the_same_as_json(name: str) -> None:
    schema = json.loads((files("zendesk_chat.streams.schemas") / name).read_bytes())
    parsed = Schema.parse(schema)
    assert parsed.to_json() == schema
    assert list(parsed.properties) == list(schema["properties"])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, Schema()),
        ({"type": "string"}, Schema(("string",))),
        ({"type": ["null", "string"], "format": "date-time"}, Schema(("null", "string"), format="date-time")),
        ({"type": "array", "items": {"type": "integer"}}, Schema(("array",), items=Schema(("integer",)))),
        ({"type": "object", "properties": {"id": {}}}, Schema(("object",), {"id": Schema()})),
        ({"type": "string", "description": "A name."}, Schema(("string",), annotations={"description": "A name."})),
    ],
)
def test_parse(schema: dict[str, Any], expected: Schema) -> None:
    assert Schema.parse(schema) == expected
    assert expected.to_json() == schema


def test_what_a_schema_allows() -> None:
    schema = Schema(("null", "string", "integer"))
    assert schema.present_types == ("string", "integer")
    assert schema.allows("array", "integer")
    assert not schema.allows("array", "object")
    assert all(Schema().allows(kind) for kind in JSON_TYPES)
