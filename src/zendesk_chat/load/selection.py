"""The streams that a user selects with ``--streams`` and ``--exclude``."""

from __future__ import annotations

from collections.abc import Sequence

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.validation import did_you_mean


def choose_streams(
    given: Sequence[str] | None, excluded: Sequence[str] | None = None, names: tuple[str, str] = ("--streams", "--exclude")
) -> list[str]:
    """Return the streams to read, in the order in which they are named, or all if ``given`` is None.

    Args:
        given: The values of ``--streams``, each with one or several names: ``["chats,agents", "goals"]``.
        excluded: The values of ``--exclude``, likewise.
        names: What the user calls the two, for messages.

    Raises:
        ConfigError: There is no stream of a name, or none remains.
    """
    chosen = list(Catalog().streams) if given is None else _names(given, names[0])
    unwanted = set() if excluded is None else set(_names(excluded, names[1]))
    remaining = [name for name in chosen if name not in unwanted]
    if not remaining:
        raise ConfigError(f"{names[1]}: no stream remains.")
    return remaining


def _names(values: Sequence[str], option: str) -> list[str]:
    known = Catalog().streams
    names = list(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))
    if not names:
        raise ConfigError(f"{option}: it names no stream. The streams are {', '.join(known)}.")
    if unknown := [name for name in names if name not in known]:
        shown = ", ".join(printable(name, LONGEST_NAME) for name in unknown)
        near = [nearest for name in unknown if (nearest := did_you_mean(name, known))]
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise ConfigError(f"{option}: no such stream: {shown}.{hint} The streams are {', '.join(known)}.")
    return names
