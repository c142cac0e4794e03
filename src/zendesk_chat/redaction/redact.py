"""Redaction carried out: on the bytes of records, and on the schemas that say what is in them."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from zendesk_chat.errors import RecordShapeError
from zendesk_chat.redaction.patterns import masker
from zendesk_chat.redaction.rules import ACTIONS, KINDS, ORIGINS, SOURCE, Action, Kind, Path, Redaction, Rule, rules_for

HASH_DIGITS: Final = 32
LARGEST_EXACT: Final = 2**53  # below it, a float without decimals is a whole number written otherwise
SCALARS: Final = ("string", "integer", "number", "boolean")
Schema: TypeAlias = Mapping[str, Any]
Treat: TypeAlias = Callable[[Any], Any]
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_HALF_PAIR: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class Treatment(NamedTuple):
    """What is done with a value.

    Attributes:
        action: One of the actions.
        kinds: What a mask looks for.
        ip_field: Whether a mask is for a field that holds IP addresses.
    """

    action: Action
    kinds: tuple[Kind, ...] = KINDS
    ip_field: bool = False


class State(NamedTuple):
    """How far a rule's path has led.

    Attributes:
        rule: The rule.
        reached: How many segments of its path are behind.
        named: Whether a key that the path names led here, so that an object or array is due here.
    """

    rule: Rule
    reached: int
    named: bool


@dataclass(slots=True)
class Place:
    """What the rules do with values that stand at one place in a record.

    Attributes:
        whole: What is done with an object or array, if it is not gone through.
        scalar: What is done with any other value.
        treat: That, as a function; None where nothing is done.
        keys: The places of keys that rules name.
        other: The place of any other key.
        item: The place of the items of an array.
    """

    whole: Literal["drop", "null"] | None
    scalar: Treatment | None
    treat: Treat | None
    keys: dict[str, Place | None]
    other: Place | None = None
    item: Place | None = None


def redactor(redaction: Redaction, stream: str) -> Callable[[bytes], bytes] | None:
    """The function that redacts a record, one JSON object; None where no rule is for the stream.

    Streams that are cut out of chats get None: their rules are carried out in the chats. What no rule is for keeps its value,
    and outside of the fields of the record that hold such a value also its bytes. The function raises RecordShapeError for a
    record that cannot be read, rather than let it pass.
    """
    root = _root(redaction, stream)
    if root is None:
        return None
    named, every, encode = frozenset(root.keys), root.other is not None, msgspec.json.Encoder().encode

    def redact(record: bytes) -> bytes:
        try:
            fields: dict[str, Any] = _fields.decode(record)
            touched = list(fields) if every else named & fields.keys()
            if not touched:
                return record
            for name in touched:
                fields[name] = msgspec.json.decode(fields[name])
        except _UNREADABLE:
            fields = _read_any(record, stream)
        _go_through(fields, root)
        try:
            return encode(fields)
        except RecursionError:
            raise _unreadable(stream) from None

    return redact


def redacted_schema(redaction: Redaction, stream: str, schema: Schema) -> dict[str, Any]:
    """The JSON schema of a stream's records once they are redacted, those cut out of redacted chats included.

    A dropped field is not in it, and what is hashed is text. The other actions leave it as it is.
    """
    root = _root(redaction, SOURCE if stream in ORIGINS else stream)
    origin = ORIGINS.get(stream)
    paths = {name: origin.of(name) if origin else (name,) for name in schema["properties"]}
    places = {name: _find(root, path) if path else None for name, path in paths.items()}
    return {**schema, "properties": _redacted_properties(schema["properties"], places)}


def unknown_fields(redaction: Redaction, schemas: Mapping[str, Schema]) -> list[str]:
    """What to tell the user of rules that are for no field in the schemas of all streams: they may be misspelled."""
    return [
        f"redact.rules[{number}].field: no field that is known has this path. Is it spelled right?"
        for number, rule in enumerate(redaction.rules)
        if rule.action != "keep" and not any(_is_known(rule, stream, schema) for stream, schema in schemas.items())
    ]


def _root(redaction: Redaction, stream: str) -> Place | None:
    rules = [] if stream in ORIGINS else rules_for(redaction, stream)
    if all(rule.action == "keep" for rule in rules):
        return None
    return _places(rules, redaction.hash_key)


def _places(rules: Sequence[Rule], hash_key: str) -> Place | None:
    """The places that rules lead to, from the record on: what regular expressions are to text, made deterministic."""
    made: dict[tuple[frozenset[State], bool, Treatment | None], Place] = {}

    def place_of(states: Iterable[State], within: Treatment | None) -> Place | None:
        known = [state for each in states for state in _skipping_levels(each)]
        done = [state.rule for state in known if state.reached == len(state.rule.path)]
        kept = any(rule.action == "keep" for rule in done)
        here = _strongest([*_treatments(done), *([within] if within else [])])
        deeper = within if here is None or here.action in ("drop", "null") else here
        ahead = frozenset(state for state in known if state.reached < len(state.rule.path) and _adds_to(deeper, state.rule))
        if not ahead and here is None:
            return None
        if (ahead, kept, here) not in made:
            place = made[ahead, kept, here] = _place(None if kept else here, [] if kept else ahead, hash_key)
            names = {state.rule.path[state.reached] for state in ahead} - {"*", "**"}
            place.keys = {name: place_of(_after(ahead, name), deeper) for name in names}
            place.other = place_of(_after(ahead, ""), deeper)
            place.item = place_of(_after(ahead, None), deeper)
        return made[ahead, kept, here]

    return place_of([State(rule, 0, named=False) for rule in rules], None)


def _place(here: Treatment | None, ahead: Iterable[State], hash_key: str) -> Place:
    """A place, as yet without those below it, where paths have ended and others want to go on into an object."""
    whole = here.action if here and here.action in ("drop", "null") else None
    strays = _treatments(state.rule for state in ahead if state.named)
    scalar = _strongest([*([here] if here else []), *strays])
    return Place(whole, scalar, _treat(scalar, hash_key), {})


def _adds_to(within: Treatment | None, rule: Rule) -> bool:
    """Whether a rule makes a difference inside of what is treated so: it is stronger, or masks other things."""
    if within is None or rule.action == "keep":
        return True
    more = not set(rule.patterns) <= set(within.kinds) or rule.is_for_ip > within.ip_field
    return (more and rule.action == within.action) or ACTIONS.index(rule.action) < ACTIONS.index(within.action)


def _skipping_levels(state: State) -> Iterator[State]:
    yield state
    if state.rule.path[state.reached : state.reached + 1] == ("**",):
        yield State(state.rule, state.reached + 1, state.named)


def _after(states: Iterable[State], key: str | None) -> Iterator[State]:
    """How far paths lead that go through this key, or where it is None through an item of an array."""
    for state in states:
        segment, (rule, reached, named) = state.rule.path[state.reached], state
        if segment == "**":
            yield State(rule, reached, named and key is None)
        elif segment == "*":
            follows = key is None or (reached > 0 and rule.path[reached - 1] not in ("*", "**"))
            yield State(rule, reached + 1, named and follows)
        elif key is None:
            yield state
        elif key == segment:
            yield State(rule, reached + 1, named=reached >= rule.implied)


def _treatments(rules: Iterable[Rule]) -> list[Treatment]:
    return [Treatment(rule.action, rule.patterns, rule.is_for_ip) for rule in rules if rule.action != "keep"]


def _strongest(treatments: Sequence[Treatment]) -> Treatment | None:
    """The one that wins where several meet; masks are joined."""
    if not treatments:
        return None
    action = min((treatment.action for treatment in treatments), key=ACTIONS.index)
    joined = [treatment for treatment in treatments if treatment.action == action]
    kinds = {kind for treatment in joined for kind in treatment.kinds}
    ip_field = any(treatment.ip_field for treatment in joined)
    return Treatment(action, tuple(kind for kind in KINDS if kind in kinds), ip_field)


def _treat(treatment: Treatment | None, hash_key: str) -> Treat | None:
    """A treatment of values that are no objects or arrays. Where there is no key that could be dropped, null stands for it."""
    if treatment is None:
        return None
    if treatment.action == "hash":
        return _hasher(hash_key.encode(errors="surrogatepass"))
    return _masker(treatment) if treatment.action == "mask" else lambda _value: None


def _hasher(key: bytes) -> Treat:
    digest = hmac.digest

    def hash_value(value: Any) -> Any:  # noqa: ANN401  any JSON value
        text = _text_of(value)
        return digest(key, text.encode(), "sha256").hex()[:HASH_DIGITS] if text else value

    return hash_value


def _masker(treatment: Treatment) -> Treat:
    mask = masker(treatment.kinds, ip_field=treatment.ip_field)
    words = {f"[{kind}]" for kind in treatment.kinds}

    def mask_value(value: Any) -> Any:  # noqa: ANN401  any JSON value
        if isinstance(value, str):
            return mask(value)
        return None if mask(_text_of(value)) in words else value

    return mask_value


def _text_of(value: Any) -> str:  # noqa: ANN401  any JSON value
    """The text of a value, the same for a number and for its digits as text; "" for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_EXACT:
        return str(int(value))
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)


def _go_through(record: dict[str, Any], root: Place) -> None:
    """Redact a record where it is; without recursion, since it may be nested as deeply as JSON can be read."""
    pending: list[tuple[Any, Place]] = [(record, root)]
    while pending:
        container, place = pending.pop()
        if isinstance(container, list):
            if place.item is not None:
                for index in range(len(container)):
                    _settle(container, index, place.item, pending)
            continue
        for name in place.keys if place.other is None else list(container):
            under = place.keys.get(name, place.other)
            if under is not None and name in container:
                _settle(container, name, under, pending)


def _settle(container: Any, key: Any, place: Place, pending: list[tuple[Any, Place]]) -> None:  # noqa: ANN401  any JSON value
    """Treat one value, or put it off where it is to be gone through."""
    value = container[key]
    if place.whole == "drop" and isinstance(container, dict):
        del container[key]
    elif place.whole is not None:
        container[key] = None
    elif isinstance(value, dict | list):
        pending.append((value, place))
    elif place.treat is not None:
        container[key] = place.treat(value)


def _read_any(record: bytes, stream: str) -> dict[str, Any]:
    """The fields of a record that msgspec does not read: numbers keep their digits, halves of surrogate pairs become U+FFFD."""
    try:
        text = _HALF_PAIR.sub(lambda match: r"\ufffd" if match["half"] else match[0], record.decode(errors="replace"))
        value = json.loads(text, strict=False, parse_int=msgspec.Raw, parse_float=msgspec.Raw, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _unreadable(stream) from None
    return value


def _unreadable(stream: str) -> RecordShapeError:
    return RecordShapeError(f"{stream}: a record cannot be read, so nothing in it could be redacted. Please report this.")


def _find(root: Place | None, path: Path) -> Place | None:
    """The place of a path of known keys and items; None where no rule leads there, or all around it is replaced."""
    place = root
    for segment in path:
        if place is None or place.whole:
            return None
        place = place.item if segment == "*" else place.keys.get(segment, place.other)
    return place


def _redacted_properties(properties: Mapping[str, Schema], places: Mapping[str, Place | None]) -> dict[str, Any]:
    return {
        name: _redacted_field(field, place)
        for name, field in properties.items()
        if (place := places[name]) is None or place.whole != "drop"
    }


def _redacted_field(field: Schema, place: Place | None) -> Schema:
    if place is None or place.whole:
        return field
    changed = dict(field)
    if place.scalar and place.scalar.action == "hash":
        changed = _as_text(changed)
    if "properties" in field:
        below = {name: place.keys.get(name, place.other) for name in field["properties"]}
        changed["properties"] = _redacted_properties(field["properties"], below)
    if "items" in field:
        changed["items"] = _redacted_field(field["items"], place.item)
    return changed


def _as_text(field: dict[str, Any]) -> dict[str, Any]:
    """A field whose texts, numbers and booleans are hashes."""
    types = _types(field)
    if not types & set(SCALARS):
        return field
    ordered = ("null", "string", "object", "array")
    kept = {name: value for name, value in field.items() if name not in ("format", "airbyte_type")}
    return {**kept, "type": [kind for kind in ordered if kind == "string" or kind in types]}


def _types(field: Schema) -> set[str]:
    declared = field.get("type", [])
    return {declared} if isinstance(declared, str) else set(declared)


def _is_known(rule: Rule, stream: str, schema: Schema) -> bool:
    root = _root(Redaction((replace(rule, action="null"),), ""), stream)
    return root is not None and _reaches(root, schema)


def _reaches(place: Place | None, schema: Schema) -> bool:
    """Whether rules that null a field lead to one in a schema, or to where it says nothing of what is below."""
    if place is None:
        return False
    if place.whole:
        return True
    if "properties" not in schema and "items" not in schema:
        return bool(_types(schema) & {"object", "array"})
    below = [(place.keys.get(name, place.other), field) for name, field in schema.get("properties", {}).items()]
    return any(_reaches(*each) for each in [*below, (place.item, schema.get("items", {}))])
