"""Where in a chat the fields of each derived stream come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zendesk_chat.redaction.fields import Origin
from zendesk_chat.redaction.rules import Path

_OF_CHAT: Final[Mapping[str, Path]] = {"chat_id": ("id",), "chat_update_timestamp": ("update_timestamp",)}
_OF_SESSION: Final = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")
_OF_VISIT: Final[Mapping[str, Path]] = {
    "last_chat_id": ("id",),
    "last_chat_timestamp": ("timestamp",),
    "chat_update_timestamp": ("update_timestamp",),
    **{name: ("session", name) for name in _OF_SESSION},
}
_ENGAGEMENT_ID: Final = ("engagements", "*", "id")
ORIGINS: Final[Mapping[str, Origin]] = {
    "chat_events": Origin("chats", ("history", "*"), {**_OF_CHAT, "id": None, "position": None}),
    "chat_engagements": Origin("chats", ("engagements", "*"), {**_OF_CHAT, "engagement_id": _ENGAGEMENT_ID, "position": None}),
    "chat_webpaths": Origin("chats", ("webpath", "*"), {**_OF_CHAT, "id": None, "position": None}),
    "chat_conversions": Origin("chats", ("conversions", "*"), {**_OF_CHAT, "position": None}),
    "visitors": Origin("chats", ("visitor",), _OF_VISIT),
}
