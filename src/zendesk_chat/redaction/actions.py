"""What happens to a value that a rule matches."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final, TypeAlias

import msgspec

from zendesk_chat.redaction.patterns import Masker, masker
from zendesk_chat.redaction.rules import ACTIONS, KINDS, Action, Kind, Rule

HASH_DIGITS: Final = 32
MOST_REMEMBERED: Final = 2048  # with the next line, at most 1 MB per rule
LONGEST_REMEMBERED: Final = 200  # characters
_LARGEST_EXACT: Final = 2**53  # below it, a float without decimals equals an integer
_WORDS: Final = frozenset(f"[{kind}]" for kind in KINDS)

Change: TypeAlias = Callable[[object], object]  # changes a value that is not an object or array


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the rules that match a value do together."""

    action: Action
    kinds: tuple[Kind, ...] = KINDS  # what a mask looks for
    ip_field: bool = False  # whether a mask is for a field with IP addresses

    def change(self, hash_key: bytes) -> Change:
        """Return the function that changes a value. If there is no key to drop, the value becomes null."""
        if self.action == "hash":
            return Remembering(partial(hash_value, hash_key))
        if self.action == "mask":
            return Remembering(partial(mask_value, masker(self.kinds, ip_field=self.ip_field)))
        return to_null


class Remembering:
    """A change that remembers its last few thousand short strings: greetings, names and addresses occur again and again."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._change_string = lru_cache(MOST_REMEMBERED)(change)

    def __call__(self, value: object) -> object:
        """Return the changed value."""
        if isinstance(value, str) and len(value) <= LONGEST_REMEMBERED:
            return self._change_string(value)
        return self._change(value)  # numbers are not remembered: 1, 1.0 and True are equal, but their hashes differ


def hash_value(key: bytes, value: object) -> object:
    """Return the keyed hash of a value's text; null and "" stay."""
    text = text_of(value)
    return hmac.digest(key, text.encode(), "sha256").hex()[:HASH_DIGITS] if text else value


def mask_value(masker: Masker, value: object) -> object:
    """Mask personal data in a string. A number becomes null if all of it is masked."""
    if isinstance(value, str):
        return masker.mask(value)
    return None if masker.mask(text_of(value)) in _WORDS else value


def to_null(_value: object) -> None:
    """Return null."""


def strongest(treatments: Iterable[Treatment]) -> Treatment | None:
    """Return the treatment that applies if several match. Masks are combined."""
    found = list(treatments)
    if not found:
        return None
    action = min((treatment.action for treatment in found), key=ACTIONS.index)
    joined = [treatment for treatment in found if treatment.action == action]
    kinds = {kind for treatment in joined for kind in treatment.kinds}
    ip_field = any(treatment.ip_field for treatment in joined)
    return Treatment(action, tuple(kind for kind in KINDS if kind in kinds), ip_field)


def treatments(rules: Iterable[Rule]) -> list[Treatment]:
    """Return what each of these rules does. Internal rules do nothing."""
    return [
        Treatment(rule.action, rule.patterns, rule.is_for_ip)
        for rule in rules
        if rule.action != "keep" and rule.action != "list"  # noqa: PLR1714  mypy narrows only this form
    ]


def text_of(value: object) -> str:
    """Return the text of a value, which is the same for a number and for its digits as a string; "" for null.

    >>> text_of(123.0), text_of("123"), text_of(True), text_of(None)
    ('123', '123', 'true', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
