"""The streams, as a configuration requires them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from zendesk_chat.errors import ConfigError
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Stream

if TYPE_CHECKING:
    from zendesk_chat.redaction.fields import StreamFields
    from zendesk_chat.redaction.rules import Redaction

_HASHABLE: Final[Mapping[str, Collection[str]]] = {"agent_timeline": ("agent_id",), "visitors": ("id",)}
_PERSONAL: Final[Mapping[str, Collection[str]]] = {"visitors": ("id",)}  # wildcards match these too


class Catalog:
    """The streams that can be read.

    Args:
        redaction: The redaction of their records; None for none.

    Raises:
        ConfigError: The redaction names a stream that does not exist, or a field that identifies or orders records.
    """

    def __init__(self, redaction: Redaction | None = None) -> None:
        self._redaction = redaction
        if redaction is not None:
            from zendesk_chat.redaction.fields import bind  # late, because users without redaction do not need it

            self._redaction = bind(redaction, {name: _stream_fields(stream) for name, stream in STREAMS.items()})

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
        from zendesk_chat.redaction.schemas import unknown_fields

        schemas = {name: stream.schema for name, stream in STREAMS.items()}
        return (*unknown_fields(self._redaction, schemas), *_without_visitors(self._redaction))

    def redaction_of(self, stream: str) -> str:
        """Return a fingerprint of all rules that change a stream, to compare with another run's; "" if there are none."""
        if self._redaction is None:
            return ""
        from zendesk_chat.redaction.fingerprint import fingerprint

        return fingerprint(self._redaction, stream)

    def select(self, names: Iterable[str] | None) -> list[Stream]:
        """Return the named streams, each once, or all if ``names`` is None.

        Raises:
            ConfigError: There is no stream of a name.
        """
        chosen = list(self.streams if names is None else dict.fromkeys(names))
        if unknown := [name for name in chosen if name not in self.streams]:
            raise ConfigError(f"There is no stream {unknown[0]!r}. The streams are {', '.join(self.streams)}.")
        return [self.streams[name] for name in chosen]


def _stream_fields(stream: Stream) -> StreamFields:
    """Return what redaction needs to know about a stream."""
    from zendesk_chat.redaction.fields import Origin, StreamFields
    from zendesk_chat.redaction.schemas import lists_of_objects

    nested = stream.extraction
    origin = Origin("chats", nested.path, nested.other_paths) if nested else None
    return StreamFields(
        needed=sorted({*stream.primary_key, *stream.key_origins, *filter(None, [stream.cursor_field])}),
        hashable=_HASHABLE.get(stream.name, ()),
        personal=_PERSONAL.get(stream.name, ()),
        origin=origin,
        lists=() if origin else tuple(lists_of_objects(stream.schema)),
    )


def _without_visitors(redaction: Redaction) -> tuple[str, ...]:
    """Return the warning about a redaction that leaves visitors without an id."""
    from zendesk_chat.redaction.redactor import redactor

    redact = redactor(redaction, "chats")
    left = msgspec.json.decode(redact(b'{"id":"c","visitor":{"id":"v"}}')) if redact else {"visitor": {"id": "v"}}
    if (left.get("visitor") or {}).get("id"):
        return ()
    return ("redact: without chats.visitor.id, the stream visitors has no records. To keep them, hash this field instead.",)
