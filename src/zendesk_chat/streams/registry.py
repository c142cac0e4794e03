"""The streams, one row each. All lists that users see have this order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zendesk_chat.streams.derived.nested_lists import CHAT_CONVERSIONS, CHAT_ENGAGEMENTS, CHAT_EVENTS, CHAT_WEBPATHS
from zendesk_chat.streams.derived.visitors import VISITORS
from zendesk_chat.streams.exports.agent_timeline import AGENT_TIMELINE
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.exports.events import AGENT_EVENTS, CONVERSIONS, DEPARTMENT_EVENTS
from zendesk_chat.streams.lists.answers import account, agent_settings, array, ban_groups, data, single_group
from zendesk_chat.streams.lists.id_list import IdList
from zendesk_chat.streams.lists.whole_list import WholeList
from zendesk_chat.streams.stream import Stream

_ACCOUNTS: Final = WholeList("accounts", "account", account, key="account_key", text_keys=True)
_AGENTS: Final = IdList("agents", "agents", single_group)
_AGENT_ROUTING: Final = IdList(
    "agent_routing_settings", "routing_settings/agents", agent_settings, key="agent_id", unpaged=True
)
_BANS: Final = IdList("bans", "bans", ban_groups)
_DEPARTMENTS: Final = WholeList("departments", "departments", array)
_GOALS: Final = WholeList("goals", "goals", array)
_ROLES: Final = WholeList("roles", "roles", array)
_ROUTING: Final = WholeList("routing_settings", "routing_settings/account", data, key="")
_SHORTCUTS: Final = WholeList("shortcuts", "shortcuts", array, fallback="name", text_keys=True)
_SKILLS: Final = WholeList("skills", "skills", array)
_TRIGGERS: Final = WholeList("triggers", "triggers", array)
_UPDATE: Final = "chat_update_timestamp"
_LAST: Final = "last_chat_timestamp"

# fmt: off
_ROWS: Final = (
    Stream("accounts", ("account_key",), None, _ACCOUNTS),
    Stream("agents", ("id",), "id", _AGENTS),
    Stream("agent_events", ("id",), "timestamp", AGENT_EVENTS, optional=True),
    Stream("agent_routing_settings", ("agent_id",), "agent_id", _AGENT_ROUTING, optional=True),
    Stream("agent_timeline", ("id",), "start_time", AGENT_TIMELINE, key_origins=("agent_id",)),
    Stream("bans", ("id",), "id", _BANS),
    Stream("chats", ("id",), "update_timestamp", CHATS, key_origins=("updated_timestamp",)),
    Stream("chat_conversions", ("id",), _UPDATE, CHATS, CHAT_CONVERSIONS, parent_field="chat_id"),
    Stream("chat_engagements", ("id",), _UPDATE, CHATS, CHAT_ENGAGEMENTS, parent_field="chat_id"),
    Stream("chat_events", ("id",), _UPDATE, CHATS, CHAT_EVENTS, parent_field="chat_id"),
    Stream("chat_webpaths", ("id",), _UPDATE, CHATS, CHAT_WEBPATHS, parent_field="chat_id"),
    Stream("conversions", ("id",), "timestamp", CONVERSIONS, optional=True),
    Stream("departments", ("id",), None, _DEPARTMENTS),
    Stream("department_events", ("id",), "timestamp", DEPARTMENT_EVENTS, optional=True),
    Stream("goals", ("id",), None, _GOALS),
    Stream("roles", ("id",), None, _ROLES),
    Stream("routing_settings", (), None, _ROUTING),
    Stream("shortcuts", ("id",), None, _SHORTCUTS),
    Stream("skills", ("id",), None, _SKILLS),
    Stream("triggers", ("id",), None, _TRIGGERS),
    Stream("visitors", ("id",), _LAST, CHATS, VISITORS, latest_by=_LAST, state_field=_UPDATE),
)
# fmt: on
STREAMS: Final[Mapping[str, Stream]] = {stream.name: stream for stream in _ROWS}
