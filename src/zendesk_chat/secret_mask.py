"""Secrets of a configuration, masked in everything that people read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from zendesk_chat.printable import escape

MASK: Final = "****"
SECRET_KEYS: Final = frozenset({"access_token", "refresh_token", "client_id", "client_secret", "hash_key"})
SHORTEST_SECRET: Final = 4  # masking shorter strings would garble every message


def secrets_of(config: object) -> Iterator[str]:
    """Yield the secret values in a configuration, even if it is malformed."""
    if isinstance(config, Mapping):
        for part in (config, config.get("credentials"), config.get("redact")):
            given = [part[key] for key in SECRET_KEYS & part.keys()] if isinstance(part, Mapping) else []
            yield from (text for value in given if isinstance(value, str) and len(text := value.strip()) >= SHORTEST_SECRET)


class SecretMask:
    """Masks the secrets that it knows."""

    def __init__(self) -> None:
        self._secrets: list[str] = []

    def keep(self, secrets: Iterable[str]) -> None:
        """Mask these strings and their escaped forms from now on. Longer ones go first: one may contain another."""
        given = list(secrets)
        self._secrets = sorted({*self._secrets, *given, *map(escape, given)}, key=len, reverse=True)

    def masked(self, text: str) -> str:
        """Return a string without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text
