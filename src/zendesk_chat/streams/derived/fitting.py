"""Records held to their JSON schema: decoded into structs where they are as it says, fitted to it where they are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, Final, TypeAlias

import msgspec

Schema: TypeAlias = Mapping[str, Any]

Aside: TypeAlias = dict[str, Any]
"""Values that fit nowhere, by their path in the record: ``attachment.size``."""

Fit: TypeAlias = Callable[[Any, str, Aside], Any]
"""Returns a value as its schema wants it; null, and the value is set aside under its path, where that would lose something."""

FitFields: TypeAlias = Callable[[Mapping[str, Any], str, Aside], dict[str, Any]]
"""The same for the fields of an object, each with its path after a prefix."""

_SCALARS: Final[Mapping[str, tuple[type, ...]]] = {
    "null": (NoneType,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_INTEGER: Final = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)  # what comes back the same, and has room in 64 bits
_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def text_of(value: object) -> str:
    """A value as text: a text as it is, anything else as JSON, and nothing as the empty text."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def scalars(schema: Schema) -> frozenset[type]:
    """The Python types of the scalars that a schema allows."""
    return frozenset(kind for name in schema["type"] for kind in _SCALARS.get(name, ()))


def struct_type(schema: Schema) -> Any:  # noqa: ANN401  a type
    """The type that decodes exactly what a schema allows. Formats are not looked at."""
    kinds: list[Any] = [None if kind is NoneType else kind for kind in scalars(schema)]
    if "array" in schema["type"]:
        kinds.append(list[struct_type(schema["items"])])  # type: ignore[misc]  # made from data
    if "object" in schema["type"]:
        fields = [(name, struct_type(field) | msgspec.UnsetType, msgspec.UNSET) for name, field in _properties(schema).items()]
        kinds.append(msgspec.defstruct("Fields", fields, forbid_unknown_fields=True, gc=False) if fields else dict[str, Any])
    return reduce(or_, kinds)


def fit_fields(schema: Schema) -> FitFields:
    """How the fields of an object are fitted to its schema; those that it does not name stay as they are."""
    known = {name: (scalars(field), fit_to(field)) for name, field in _properties(schema).items()}
    unknown = (frozenset[type](), _keep)

    def fit(fields: Mapping[str, Any], prefix: str, aside: Aside) -> dict[str, Any]:
        fitted = {}
        for name, value in fields.items():
            plain, fit_value = known.get(name, unknown)
            fitted[name] = value if value.__class__ in plain else fit_value(value, prefix + name, aside)
        return fitted

    return fit


def fit_to(schema: Schema) -> Fit:
    """How values are fitted to a schema.

    Where a text is wanted anything becomes one. Texts of numbers become numbers, 0 and 1 become booleans, and a single value
    becomes an array of one, where those are wanted.
    """
    types = frozenset(schema["type"])
    plain = scalars(schema)
    fit_object = fit_fields(schema)
    fit_item = fit_to(schema["items"]) if "items" in schema else _keep

    def fit(value: Any, path: str, aside: Aside) -> Any:  # noqa: ANN401  any JSON value
        if value.__class__ in plain:
            return value
        if isinstance(value, dict) and "object" in types:
            return fit_object(value, f"{path}.", aside)
        if "array" in types and (isinstance(value, list) or "string" not in types):
            items = value if isinstance(value, list) else [value]
            return [fit_item(item, f"{path}.{index}", aside) for index, item in enumerate(items)]
        converted = text_of(value) if "string" in types else _number(value, types)
        if converted is None:
            aside[path] = value
        return converted

    return fit


def _properties(schema: Schema) -> Mapping[str, Schema]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return properties


def _keep(value: Any, _path: str, _aside: Aside) -> Any:  # noqa: ANN401  any JSON value
    return value


def _number(value: object, types: frozenset[str]) -> float | None:
    """A number or boolean that says the same, or None."""
    if isinstance(value, str):
        if "integer" in types and _INTEGER.fullmatch(value):
            return int(value)
        return float(value) if "number" in types and _NUMBER.fullmatch(value) else None
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return int(value)
    return bool(value) if "boolean" in types and type(value) is int and value in (0, 1) else None
