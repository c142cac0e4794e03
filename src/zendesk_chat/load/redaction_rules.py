"""Redaction rules from several sources. All of them apply: no source can remove a rule of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zendesk_chat.errors import ConfigError
from zendesk_chat.settings import HASH_KEY
from zendesk_chat.sources import Source


def combine_redactions(sources: Sequence[Source]) -> object:
    """Return the setting ``redact`` with the rules of all sources, the strongest first; None if there are none.

    Raises:
        ConfigError: A rule has no action, one hashes and there is no key, or a setting cannot contain rules.
    """
    key = next((key for source in sources if (key := _hash_key(source))), None)
    combined: object = None
    for source in reversed(sources):
        given = source.values.get("redact")
        if isinstance(given, list):
            combined = add_redactions(combined, given, key, source.names["redact"])
        elif given is not None:
            combined = given if combined is None else _joined(combined, given)
    return {**combined, "hash_key": key} if key and isinstance(combined, Mapping) else combined


def add_redactions(
    configured: object, given: Sequence[object], hash_key: str | None, name: str = "--redact"
) -> dict[str, object]:
    """Return the setting ``redact`` with rules such as ``chats.visitor.email=hash`` added. ``name`` is the user's name of them.

    Raises:
        ConfigError: A rule has no action, one hashes and there is no key, or the setting cannot contain rules.
    """
    redact, listed = _object(configured)
    rules = [str(rule).rpartition("=") for rule in given]
    if not all(separator for _, separator, _ in rules):
        raise ConfigError(f"{name}: use a field and an action, such as chats.visitor.email=hash.")
    key = {"hash_key": hash_key} if hash_key else {}
    if any(action == "hash" for _, _, action in rules) and not (key or redact.get("hash_key")):
        raise ConfigError(f"{name}: hashing needs a secret. Set {HASH_KEY} to at least 16 characters, and keep it.")
    return {**redact, **key, "rules": [*listed, *({"field": field, "action": action} for field, _, action in rules)]}


def _hash_key(source: Source) -> str | None:
    redact = source.values.get("redact")
    key = source.values.get("hash_key") or (redact.get("hash_key") if isinstance(redact, Mapping) else None)
    return key if isinstance(key, str) else None


def _joined(weaker: object, stronger: object) -> dict[str, object]:
    (one, first), (other, second) = _object(weaker), _object(stronger)
    return {**one, **other, "rules": [*first, *second]}


def _object(configured: object) -> tuple[Mapping[str, object], list[object]]:
    """Return the setting and its rules."""
    redact = {} if configured in (None, "") else configured
    listed = redact.get("rules") if isinstance(redact, Mapping) else ""
    if not isinstance(redact, Mapping) or not isinstance(listed, list | None):
        raise ConfigError("redact: must be an object with a list of `rules`, so that --redact can be added to it.")
    return redact, list(listed or ())
