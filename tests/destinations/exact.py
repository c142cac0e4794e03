"""Values that databases like to change, in an account of a few chats."""

from __future__ import annotations

from pathlib import Path

from tests.destinations.scenario import Destination, loads

KEYS = (
    *("2611.a", "2611.A", "2611.\xe1", "2611.a ", "2611.\uff41", "2611.'\"\\`%:x;"),
    "2611." + "k" * 5000,
    "2611." + "k" * 5000 + "2",
)
STRINGS = (
    *("", " ", "null", "\\N", "line\nbreak\r\n\ttab", "NUL \0 inside"),
    "quote ' double \" backslash \\ percent %s %% colon :name semicolon ; brace {table}",
    "\U0001f600 \U00020000 e\u0301 \u200b \ufeff",
    "long " + "\xe4" * 500_000,
)


def exact_values(destination: Destination, folder: Path) -> None:
    """Keys that differ in case, accents, width, or a space at the end are different, and strings stay exact."""
    with loads(destination, folder, "exact", chats=30) as account:
        chats = account.sandbox.account
        first, *others = chats.chat_ids()
        pattern = chats.chat(first)
        for key, text in zip(KEYS, STRINGS, strict=False):
            chats.add_chat({**pattern, "id": key, "comment": text})
        for identity, text in zip(others, STRINGS, strict=False):
            message = {"type": "chat.msg", "timestamp": pattern["timestamp"], "msg": text, "number": 1.5e300}
            chats.edit_chat(identity, comment=text, history=[message])
        account.load()
        for key in KEYS[1::2]:
            chats.edit_chat(key, comment="edited", history=[])
        account.sandbox.clock.advance(700)
        account.load()
