"""Fits values to the JSON schema of their record: they are decoded into structs if they fit, converted if they do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, Final, TypeAlias

import msgspec

from zendesk_chat.json_schema import JsonType, Schema
from zendesk_chat.json_types import Json

Rejected: TypeAlias = dict[str, Json]
"""Values that do not fit, by their path in the record: ``attachment.size``."""

_SCALARS: Final[Mapping[JsonType, tuple[type, ...]]] = {
    "null": (NoneType,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_INTEGER: Final = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)  # 17, but not 007, which would lose its zeros; fits into 64 bits
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def text_of(value: Json) -> str:
    """Return a string unchanged, any other value as JSON, and null as the empty string."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def scalars(schema: Schema) -> frozenset[type]:
    """Return the Python types of the scalars that a schema allows."""
    return frozenset(kind for name in schema.types for kind in _SCALARS.get(name, ()))


def struct_type(schema: Schema) -> Any:  # noqa: ANN401  a type made from data
    """Return the type that decodes exactly what a schema allows. Formats are ignored."""
    kinds: list[Any] = [None if kind is NoneType else kind for kind in scalars(schema)]
    if schema.allows("array"):
        kinds.append(list[object if schema.items is None else struct_type(schema.items)])  # type: ignore[misc]  # made from data
    if schema.allows("object"):
        fields = [(name, struct_type(field) | msgspec.UnsetType, msgspec.UNSET) for name, field in schema.properties.items()]
        kinds.append(msgspec.defstruct("Fields", fields, forbid_unknown_fields=True, gc=False) if fields else dict[str, object])
    return reduce(or_, kinds)


@dataclass(frozen=True, slots=True)
class Fitter:
    """Fits values to a schema.

    If a string is expected, any value becomes one. If numbers, booleans or an array are expected, strings of digits become
    numbers, 0 and 1 become booleans, and a single value becomes an array of one. If a conversion would lose something, the
    value becomes null and the original is rejected.

    Attributes:
        types: The expected JSON types.
        scalars: The Python types of scalars that stay unchanged.
        fields: How to fit the known fields of an object. The others stay unchanged.
        items: How to fit the items of an array; None if they stay unchanged.
    """

    types: frozenset[JsonType]
    scalars: frozenset[type]
    fields: Mapping[str, Fitter]
    items: Fitter | None

    @classmethod
    def of(cls, schema: Schema) -> Fitter:
        """Return the fitter for a schema."""
        return cls(
            frozenset(schema.types),
            scalars(schema),
            {name: cls.of(field) for name, field in schema.properties.items()},
            None if schema.items is None else cls.of(schema.items),
        )

    def fit(self, value: Json, path: str, rejected: Rejected) -> Json:
        """Return a value as the schema expects it. Adds a value that does not fit to ``rejected`` under its path."""
        if value.__class__ in self.scalars:
            return value
        if isinstance(value, dict) and "object" in self.types:
            return self.fit_fields(value, f"{path}.", rejected)
        if "array" in self.types and (isinstance(value, list) or "string" not in self.types):
            return self._fit_items(value if isinstance(value, list) else [value], path, rejected)
        converted = text_of(value) if "string" in self.types else _number(value, self.types)
        if converted is None:
            rejected[path] = value
        return converted

    def fit_fields(self, fields: Mapping[str, Json], prefix: str, rejected: Rejected) -> dict[str, Json]:
        """Return the fields of an object as its schema expects them. Their paths begin with a prefix."""
        fitted = {}
        for name, value in fields.items():
            fitter = self.fields.get(name)
            if fitter is None or value.__class__ in fitter.scalars:  # the usual case, without a call
                fitted[name] = value
            else:
                fitted[name] = fitter.fit(value, prefix + name, rejected)
        return fitted

    def _fit_items(self, items: list[Json], path: str, rejected: Rejected) -> list[Json]:
        fitter = self.items
        if fitter is None:
            return items
        return [fitter.fit(item, f"{path}.{index}", rejected) for index, item in enumerate(items)]


def _number(value: Json, types: frozenset[JsonType]) -> float | None:
    """Return an equal number or boolean of these types, or None."""
    if isinstance(value, str):
        if "integer" in types and _INTEGER.fullmatch(value):
            return int(value)
        return float(value) if "number" in types and _NUMBER.fullmatch(value) else None
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return int(value)
    return bool(value) if "boolean" in types and type(value) is int and value in (0, 1) else None
