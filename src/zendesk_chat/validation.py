"""JSON objects that a user wrote, as typed structs. A message shows the JSON path of the invalid value, and never the value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, TypeVar, cast

import msgspec
from msgspec.inspect import CollectionType, FloatType, IntType, LiteralType, StrType, StructType, Type, UnionType, type_info

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable

StructT = TypeVar("StructT", bound=msgspec.Struct)
AS_GIVEN: Final[Mapping[str, str]] = MappingProxyType({})
# "Object missing required field `subdomain`" and "Expected `int`, got `str` - at `$.lookback_minutes`" end with the field.
_FIELD: Final = re.compile(r"`(?:\$\.)?(\w+)[^`]*`$")


def convert(raw: object, kind: type[StructT], path: str = "", names: Mapping[str, str] = AS_GIVEN) -> StructT:
    """Convert a decoded JSON object into a struct. Null and "" count as absent.

    Args:
        raw: The decoded value.
        kind: The type of the struct.
        path: JSON path of the object, for messages: ``credentials``.
        names: What the user calls a field, if not by its path: ``{"start_date": "--start-date"}``.

    Raises:
        ConfigError: The value is not an object, a field is missing or of the wrong type, or a key is unknown to a struct with
            ``forbid_unknown_fields``.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{path}: must be an object.")
    if kind.__struct_config__.forbid_unknown_fields:
        _refuse_unknown_keys(raw, kind.__struct_fields__, path)
    given = {name: raw[name] for name in kind.__struct_fields__ if not is_absent(raw.get(name))}
    try:
        return msgspec.convert(given, kind)
    except UnicodeEncodeError:  # for a choice, such as "drop"
        raise ConfigError(f"{path}: contains characters that are not valid Unicode.") from None
    except msgspec.ValidationError as error:
        match = _FIELD.search(str(error))
        field = match[1] if match else ""
        name = names.get(field) or f"{path}.{field}".lstrip(".")
        raise ConfigError(f"{name}: {_expected(kind, field) if field in given else 'missing.'}") from None


def is_absent(value: object) -> bool:
    """Return whether a value counts as absent: web forms send "" or null for an empty field."""
    return value is None or value == ""


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is nearest to ``name``, or None if none is near.

    >>> did_you_mean("startdate", ["start_date", "end_date"])
    'start_date'
    """
    plain = printable(name, LONGEST_NAME).strip().lower().replace("-", "_").replace(" ", "_")
    return next(iter(difflib.get_close_matches(plain, known, n=1)), None)


def _refuse_unknown_keys(raw: Mapping[object, object], known: Collection[str], path: str) -> None:
    if unknown := [str(key) for key in raw if key not in known]:
        near = did_you_mean(unknown[0], known)
        hint = f"did you mean `{near}`? The keys are" if near else "the keys are"
        raise ConfigError(f"{path}: unknown key `{printable(unknown[0], LONGEST_NAME)}`: {hint} {', '.join(known)}.")


def _expected(kind: type[msgspec.Struct], field: str) -> str:
    """Return what a field must be, from its declared type. The message of msgspec may quote the value."""
    info = cast("StructType", type_info(kind))
    declared = next(declared.type for declared in info.fields if declared.name == field)
    if isinstance(declared, UnionType):  # with None
        declared = declared.types[0]
    match declared:
        case IntType(ge=low, le=high):
            return f"must be a whole number from {low} to {high}."
        case LiteralType(values=values):
            return f"must be one of {', '.join(map(str, values))}."
        case CollectionType(item_type=item):
            return f"must be a list of {_items(item)}."
        case FloatType(ge=low, le=high):
            return f"must be a number from {low} to {high}."
        case _:
            return "must be a string."


def _items(item: Type) -> str:
    match item:
        case LiteralType(values=values):
            return ", ".join(map(str, values))
        case StrType():
            return 'strings, such as ["chats", "agents"]'
        case _:
            return "objects"
