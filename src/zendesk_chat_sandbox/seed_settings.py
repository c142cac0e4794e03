"""The account's own record and its routing settings."""

from collections.abc import Mapping
from typing import Final

from zendesk_chat_sandbox.http_messages import Record

_FEATURES: Final = (
    "analytics", "agent_leaderboard", "agent_reports", "chat_reports", "daily_reports", "email_reports", "file_upload",
    "high_load", "integrations", "ip_restriction", "monitoring", "operating_hours", "rest_api", "sla", "support",
    "unbranding",
)  # fmt: skip


def make_account(created: str) -> Record:
    """Build the account: limits are numbers or the word "unlimited"."""
    plan: Record = {
        "name": "enterprise",
        "price": 70.0,
        "short_desc": "For large teams",
        "long_desc": "The plan of an account that exists only in this sandbox",
        "max_agents": 300,
        "max_departments": "unlimited",
        "max_concurrent_chats": "unlimited",
        "max_history_search_days": "unlimited",
        "max_basic_triggers": "unlimited",
        "max_advanced_triggers": 500,
        "goals": 5,
        "widget_customization": "full",
    }
    plan |= dict.fromkeys(_FEATURES, True)
    return {"account_key": "AAAAsandboxAccountKey0000000000", "status": "active", "create_date": created, "plan": plan}


BILLING: Final[Mapping[str, object]] = {
    "company": "Sandbox Ltd",
    "first_name": "Ana",
    "last_name": "Almeida",
    "email": "billing@example.com",
    "phone": "+15550101",
    "address1": "1 Example St",
    "address2": "",
    "city": "Lisbon",
    "state": "",
    "postal_code": "1000",
    "country_code": "PT",
    "additional_info": "",
    "cycle": 1,
}


def make_routing_settings() -> Record:
    """Build the account's routing settings."""
    return {
        "routing_mode": "assigned",
        "chat_limit": {"enabled": True, "limit": 3, "limit_type": "account", "allow_agent_override": True},
        "skill_routing": {"enabled": True, "max_wait_time": 30},
        "reassignment": {"enabled": True, "timeout": 30},
        "auto_idle": {"enabled": False, "reassignments_before_idle": 3, "new_status": "away"},
        "auto_accept": {"enabled": False},
    }


def routing_of(agent: Record) -> Record:
    """Build an agent's routing settings; the real payload was never seen, so this shape is a guess."""
    identity = agent["id"]
    limit = 1 + (identity if isinstance(identity, int) else 0) % 5
    return {"agent_id": identity, "chat_limit": {"limit": limit}, "skills": agent.get("skills", [])}
