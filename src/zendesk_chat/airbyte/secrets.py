"""Which strings of a configuration must never be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

SECRET_KEYS: Final = frozenset({"access_token", "refresh_token", "client_id", "client_secret", "hash_key"})
SHORTEST_SECRET: Final = 4  # masking shorter strings would garble every message


def secrets_of(config: object) -> Iterator[str]:
    """Yield the secret values in a configuration, however malformed it is."""
    if not isinstance(config, Mapping):
        return
    for part in (config, config.get("credentials"), config.get("redact")):
        if isinstance(part, Mapping):
            yield from _secrets(part)


def _secrets(part: Mapping[str, object]) -> Iterator[str]:
    for key in SECRET_KEYS & part.keys():
        value = part[key]
        if isinstance(value, str) and len(value.strip()) >= SHORTEST_SECRET:
            yield value.strip()
