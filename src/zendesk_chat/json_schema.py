"""JSON schemas (draft-07), parsed once. Columns, struct types, drift detection and redaction all derive from this model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast, get_args

JsonType: TypeAlias = Literal["null", "boolean", "integer", "number", "string", "array", "object"]
JSON_TYPES: Final[tuple[JsonType, ...]] = get_args(JsonType)
_PARSED: Final = frozenset({"type", "format", "properties", "items"})


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON schema of a record, or of one field or item in it.

    ``Schema.parse({"type": ["null", "string"], "format": "date-time"})`` is
    ``Schema(types=("null", "string"), format="date-time")``.
    """

    types: tuple[JsonType, ...] = JSON_TYPES  # in the schema's order; all of them if it names none
    properties: Mapping[str, Schema] = field(default_factory=dict)  # of an object's known fields, by name
    items: Schema | None = None  # of an array; None if they may be anything
    format: str | None = None
    annotations: Mapping[str, object] = field(default_factory=dict)  # all other keywords, such as ``description``

    @classmethod
    def parse(cls, schema: Mapping[str, object]) -> Schema:
        """Parse a decoded JSON schema."""
        declared = cast("JsonType | list[JsonType]", schema.get("type", JSON_TYPES))
        properties = cast("Mapping[str, Mapping[str, object]]", schema.get("properties", {}))
        items = cast("Mapping[str, object] | None", schema.get("items"))
        return cls(
            types=(declared,) if isinstance(declared, str) else tuple(declared),
            properties={name: cls.parse(inner) for name, inner in properties.items()},
            items=None if items is None else cls.parse(items),
            format=cast("str | None", schema.get("format")),
            annotations={keyword: value for keyword, value in schema.items() if keyword not in _PARSED},
        )

    def to_json(self) -> dict[str, object]:
        """Return the schema as JSON, in a readable order."""
        result = dict(self.annotations)
        if self.types != JSON_TYPES:
            result["type"] = self.types[0] if len(self.types) == 1 else list(self.types)
        if self.format is not None:
            result["format"] = self.format
        if self.properties:
            result["properties"] = {name: inner.to_json() for name, inner in self.properties.items()}
        if self.items is not None:
            result["items"] = self.items.to_json()
        return result

    @property
    def present_types(self) -> tuple[JsonType, ...]:
        """The types that the schema allows, without null."""
        return tuple(kind for kind in self.types if kind != "null")

    def allows(self, *kinds: JsonType) -> bool:
        """Return whether the schema allows one of these types."""
        return not set(kinds).isdisjoint(self.types)
