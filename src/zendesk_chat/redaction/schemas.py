"""Redaction of schemas, and what schemas say about rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from zendesk_chat.json_schema import JsonType, Schema
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.redaction.fields import fields_of
from zendesk_chat.redaction.matching import Node, find, root_node
from zendesk_chat.redaction.rules import ANY_KEY, ANY_LEVELS, WILDCARDS, Path, Redaction, Rule
from zendesk_chat.validation import did_you_mean

_SCALARS: Final[tuple[JsonType, ...]] = ("string", "integer", "number", "boolean")
_HASHED_TYPES: Final[tuple[JsonType, ...]] = ("null", "string", "object", "array")  # a hash is a string; objects stay objects


def redacted_schema(redaction: Redaction, stream: str, schema: Schema) -> Schema:
    """Return the schema of a stream's redacted records, or of records extracted from redacted ones.

    A dropped field is not in it, and a hashed field is a string. The other actions do not change the schema.
    """
    origin = fields_of(redaction, stream).origin
    root = root_node(redaction, origin.stream if origin else stream)
    paths = {name: origin.of(name) if origin else (name,) for name in schema.properties}
    nodes = {name: find(root, path) if path else None for name, path in paths.items()}
    return replace(schema, properties=_redacted_properties(schema.properties, nodes))


def unknown_fields(redaction: Redaction, schemas: Mapping[str, Schema]) -> list[str]:
    """Return warnings about rules that match no field in the schemas of all streams: they may be misspelled."""
    alone = [replace(redaction, rules=(replace(rule, action="null"),)) for rule in redaction.rules if rule.action != "keep"]
    return [
        f"redact rule {number + 1}, field: no known field has the path {_shown(one.rules[0])}.{_hint(one.rules[0], schemas)}"
        for number, one in enumerate(alone)
        if not any(_reaches(root_node(one, stream), schema) for stream, schema in schemas.items())
    ]


def _shown(rule: Rule) -> str:
    return printable(".".join((rule.stream, *rule.path)), LONGEST_NAME)


def _hint(rule: Rule, schemas: Mapping[str, Schema]) -> str:
    """Return which known field the rule may mean."""
    known = {
        path: f"{rule.stream}.{path}"
        for stream, schema in schemas.items()
        if rule.stream in (stream, ANY_KEY)
        for path in _paths(schema)
    }
    *above, name = rule.path
    near: str | None = None
    if ANY_LEVELS in above or (rule.stream == ANY_KEY and not above):  # then only the name can be misspelt
        if found := did_you_mean(name, {path.rpartition(".")[2] for path in known}):
            near = ".".join((rule.stream, *above, found))
    elif found := did_you_mean(".".join(key for key in rule.path if key not in WILDCARDS), known):
        near = known[found]
    return f" Did you mean {near}?" if near else " Check the spelling."


def _paths(schema: Schema, above: str = "") -> Iterator[str]:
    """Yield the paths of all fields, without the items of arrays: ``history.msg``."""
    for name, field in schema.properties.items():
        yield f"{above}{name}"
        yield from _paths(field, f"{above}{name}.")
    if schema.items is not None:
        yield from _paths(schema.items, above)


def lists_of_objects(schema: Schema, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of fields that contain arrays of objects, such as ``("history",)``."""
    for name, field in schema.properties.items():
        yield from lists_of_objects(field, (*path, name))
    if schema.items is not None:
        if schema.items.allows("object") and not schema.allows("object"):
            yield path
        yield from lists_of_objects(schema.items, (*path, ANY_KEY))


def _redacted_properties(properties: Mapping[str, Schema], nodes: Mapping[str, Node | None]) -> dict[str, Schema]:
    return {
        name: _redacted_field(field, node)
        for name, field in properties.items()
        if (node := nodes[name]) is None or node.kept or node.removal != "drop"
    }


def _redacted_field(field: Schema, node: Node | None) -> Schema:
    if node is None or node.removal:
        return field
    items = None if field.items is None else _redacted_field(field.items, node.item)
    properties = _redacted_properties(field.properties, {name: node.key(name) for name in field.properties})
    changed = replace(field, properties=properties, items=items)
    if node.kept or node.within is None or node.within.action != "hash" or not field.allows(*_SCALARS):
        return changed
    types = tuple(kind for kind in _HASHED_TYPES if kind == "string" or kind in field.types)
    annotations = {name: value for name, value in field.annotations.items() if name != "airbyte_type"}
    return replace(changed, types=types, format=None, annotations=annotations)


def _reaches(node: Node | None, schema: Schema) -> bool:
    """Return whether a rule that nulls a field leads to a field in a schema, or to content that it does not describe."""
    if node is None:
        return False
    if node.removal:
        return True
    if not schema.properties and schema.items is None:
        return schema.allows("object", "array")
    below = [(node.key(name), field) for name, field in schema.properties.items()]
    items = [(node.item, schema.items)] if schema.items is not None else []
    return any(_reaches(*each) for each in [*below, *items])
