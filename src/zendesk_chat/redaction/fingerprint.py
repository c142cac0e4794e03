"""Whether two configurations redact a stream in the same way."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from zendesk_chat.redaction.fields import Origin, fields_of, rules_for
from zendesk_chat.redaction.rules import ACTIONS, ANY_KEY, ANY_LEVELS, Path, Redaction

DIGITS: Final = 16


def fingerprint(redaction: Redaction, stream: str) -> str:
    """Return a fingerprint of everything that changes the records of a stream; "" if nothing does.

    It is a keyed hash, so that a file that stores it does not reveal the hash key.

    Args:
        redaction: The redaction that ``fields.bind`` returned.
        stream: Name of the stream.
    """
    origin = fields_of(redaction, stream).origin
    rules = [rule for rule in rules_for(redaction, origin.stream if origin else stream) if rule.action in ACTIONS]
    if origin is not None:
        rules = [rule for rule in rules if _changes(rule.path, origin)]
    lines = [" ".join([".".join(rule.path), rule.action, *(rule.patterns if rule.action == "mask" else ())]) for rule in rules]
    key = redaction.hash_key if any(rule.action == "hash" for rule in rules) else ""
    return hmac.digest(key.encode(), "\n".join(lines).encode(), "sha256").hex()[:DIGITS] if lines else ""


def _changes(path: Path, origin: Origin) -> bool:
    """Return whether a rule for a path in the source changes records that are extracted from it."""
    return any(_overlap(path, taken) for taken in (origin.path, *filter(None, origin.others.values())))


def _overlap(left: Sequence[str], right: Sequence[str]) -> bool:
    """Return whether two paths may lead to the same value, or one of them to a part of the other's value."""
    for first, second in zip(left, right, strict=False):
        if ANY_LEVELS in (first, second):
            return True
        if first != second and ANY_KEY not in (first, second):
            return False
    return True
