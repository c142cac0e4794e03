"""The streams as a configuration wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from zendesk_chat.errors import ConfigError
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Stream

if TYPE_CHECKING:
    from zendesk_chat.redaction.rules import Redaction


class Catalog:
    """The streams that can be read.

    Args:
        redaction: What is redacted in them; None for nothing.

    Raises:
        ConfigError: The redaction names a stream that does not exist, or a field that identifies or orders records.
    """

    def __init__(self, redaction: Redaction | None = None) -> None:
        self._redaction = redaction
        if redaction is not None:
            from zendesk_chat.redaction.rules import check_keys  # late: whoever redacts nothing does not load it

            self._redaction = check_keys(redaction, {name: stream.needed_fields for name, stream in STREAMS.items()})

    @cached_property
    def streams(self) -> Mapping[str, Stream]:
        """The streams by name, in the order of all lists that users see."""
        redaction = self._redaction
        if redaction is None:
            return STREAMS
        sources = {source: source.redacted(redaction) for source in dict.fromkeys(s.source for s in STREAMS.values())}
        return {name: stream.redacted(redaction, sources[stream.source]) for name, stream in STREAMS.items()}

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the redaction."""
        if self._redaction is None:
            return ()
        from zendesk_chat.redaction.redact import unknown_fields

        schemas = {name: stream.schema.to_json() for name, stream in STREAMS.items()}
        return (*unknown_fields(self._redaction, schemas), *_without_visitors(self._redaction))

    def select(self, names: Iterable[str] | None) -> list[Stream]:
        """Return the named streams, each once; all where None is given.

        Raises:
            ConfigError: There is no stream of that name.
        """
        chosen = list(self.streams if names is None else dict.fromkeys(names))
        if unknown := [name for name in chosen if name not in self.streams]:
            raise ConfigError(f"There is no stream {unknown[0]!r}. There are: {', '.join(self.streams)}.")
        return [self.streams[name] for name in chosen]


def _without_visitors(redaction: Redaction) -> tuple[str, ...]:
    """Return the warning for a redaction that leaves no visitor an id."""
    from zendesk_chat.redaction.redact import redactor

    redact = redactor(redaction, "chats")
    left = msgspec.json.decode(redact(b'{"id":"c","visitor":{"id":"v"}}')) if redact else {"visitor": {"id": "v"}}
    if (left.get("visitor") or {}).get("id"):
        return ()
    return ("redact: without chats.visitor.id the stream visitors has no records. Hash it to keep them.",)
