"""Makers of the records that are read as complete lists: agents, bans, departments and the other settings."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from zendesk_chat_sandbox import vocabulary
from zendesk_chat_sandbox.http_messages import Record
from zendesk_chat_sandbox.seed_staff import TEAM
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, iso_seconds

Identity = int | str
Lists = dict[str, dict[Identity, Record]]
Maker = Callable[[Random, int, Lists, int], Record]
"""Builds record ``number`` of a list from (random, number, all lists so far, now in epoch seconds)."""

_NULL_CREATED_SHARE: Final = 0.2


def _ids(lists: Lists, resource: str) -> list[Identity]:
    return sorted(lists[resource], key=str)


def _some(random: Random, values: list[Identity], most: int) -> list[Identity]:
    return sorted(random.sample(values, min(len(values), random.randint(0, most))), key=str)


def make_role(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature for all
    """Build a role with its twelve permissions, words and booleans mixed."""
    name = vocabulary.ROLES[number % len(vocabulary.ROLES)]
    senior = name != "Agent"
    reach = "account" if senior else "self"
    return {
        "id": 360_000_000_076 + 20 * number,
        "name": name if number < len(vocabulary.ROLES) else f"{name} {number}",
        "description": f"{name}s of the shop",
        "enabled": True,
        "members_count": random.randint(1, 60),
        "permissions": {
            "visitors_seen": "account",
            "proactive_chatting": "listen-join",
            "edit_visitor_information": True,
            "edit_visitor_notes": True,
            "view_past_chats": reach,
            "edit_chat_tags": senior,
            "manage_bans": "account",
            "access_analytics": "account" if senior else "none",
            "view_monitor": reach,
            "edit_department_agents": "account" if senior else "none",
            "set_agent_chat_limit": "account" if senior else "none",
            "manage_shortcuts": reach,
        },
    }


def make_department(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature
    """Build a department; its members are agents, its settings may be empty."""
    identity = 7_200_000_000_001 + number
    name = vocabulary.DEPARTMENTS[number % len(vocabulary.DEPARTMENTS)]
    settings: Record = {
        "chat_enabled": True,
        "solved_ticket_reassignment_strategy": "",
        "support_group_id": identity,
    }
    return {
        "id": identity,
        "name": name if number < len(vocabulary.DEPARTMENTS) else f"{name} {number}",
        "description": "" if number == 1 else f"{name} desk",
        "enabled": True,
        "members": [],
        "settings": {} if number == len(vocabulary.DEPARTMENTS) - 1 else settings,
    }


def make_skill(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature for all
    """Build a skill."""
    name = vocabulary.SKILLS[number % len(vocabulary.SKILLS)]
    return {
        "id": 1_300_001 + number,
        "name": name if number < len(vocabulary.SKILLS) else f"{name}_{number}",
        "description": f"Speaks or knows {name}",
        "enabled": random.random() < 1 - _NULL_CREATED_SHARE,
        "members": [],
    }


def _departments_of(random: Random, number: int, lists: Lists) -> list[Identity]:
    """Return the departments of an agent: those of the agent's post in the chat team, or random ones without a post."""
    post = TEAM.get(number)
    if post is None:
        return _some(random, _ids(lists, "departments"), 3)
    return [identity for identity, department in lists["departments"].items() if department["name"] in post.departments]


def make_agent(random: Random, number: int, lists: Lists, now: int) -> Record:
    """Build an agent; number 0 owns the account. Departments and skills learn of their new member."""
    identity = (360_700_000_001 if number % 5 < 3 else 361_000_000_002) + number * 1_009  # noqa: PLR2004 -- two ranges
    first = vocabulary.FIRST_NAMES[number % len(vocabulary.FIRST_NAMES)]
    last = vocabulary.LAST_NAMES[(number + number // len(vocabulary.FIRST_NAMES)) % len(vocabulary.LAST_NAMES)]
    departments = _departments_of(random, number, lists)
    skills = _some(random, _ids(lists, "skills"), 2)
    created = now - random.randint(400, 2_000) * DAY_SECONDS
    seen = 3 if number in TEAM else 90
    logins = 0 if number % 11 == 10 else random.randint(1, 3_000)  # noqa: PLR2004 -- a few never logged in
    for resource, joined in (("departments", departments), ("skills", skills)):
        for group in joined:
            members = lists[resource][group]["members"]
            if isinstance(members, list):
                members.append(identity)
    return {
        "id": identity,
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "first_name": f"{first} {last}",
        "last_name": "",
        "display_name": first if number < len(vocabulary.FIRST_NAMES) else f"{first} {last}",
        "enabled": number % 17 != 16,  # noqa: PLR2004 -- some have left
        "role_id": 360_000_000_076 + 20 * (number if number < len(vocabulary.ROLES) - 1 else 2),
        "roles": {"administrator": number <= 1 or number % 40 == 5, "owner": number == 0},  # noqa: PLR2004 -- a few
        "departments": departments,
        "enabled_departments": departments[:1],
        "skills": skills,
        "create_date": iso_seconds(created),
        "last_login": iso_seconds(now - random.randint(60, seen * DAY_SECONDS)) if logins else None,
        "login_count": logins,
    }


def make_ban(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature for all
    """Build a ban of an address or of a visitor; old ones have no date, and dates do not follow ids."""
    created = iso_seconds(now - random.randint(1, 1_500 * DAY_SECONDS))
    record: Record = {"id": 70_000_001 + number * 3}
    if random.random() < 1 / 2:
        record |= {"type": "ip_address", "ip_address": f"203.0.113.{number % 256}"}
    else:
        name = f"Visitor {10_000_000 + random.randint(0, 9_999_999)}"
        record |= {"type": "visitor", "visitor_id": f"{vocabulary.ACCOUNT_ID}.ban{number:06d}", "visitor_name": name}
    record["reason"] = random.choice(vocabulary.BAN_REASONS)
    record["created_at"] = None if random.random() < _NULL_CREATED_SHARE else created
    return record


def make_goal(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature for all
    """Build a goal."""
    name = vocabulary.GOALS[number % len(vocabulary.GOALS)]
    operator = random.choice(("equals", "contains"))
    value = f"https://shop.example.com/{name.lower().replace(' ', '-')}"
    return {
        "id": 500_001 + number,
        "name": name if number < len(vocabulary.GOALS) else f"{name} {number}",
        "description": f"Visitor reached {name}",
        "enabled": number % 5 < len(vocabulary.GOALS) - 1,
        "attribution_model": random.choice(("first_touch", "last_touch")),
        "attribution_period": random.randint(1, 30),
        "settings": {"conditions": [{"type": "url", "operator": operator, "value": value}]},
    }


def make_shortcut(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature
    """Build a shortcut; its id is its name, and only some scopes carry departments or agents."""
    name = vocabulary.SHORTCUTS[number % len(vocabulary.SHORTCUTS)]
    name = name if number < len(vocabulary.SHORTCUTS) else f"{name}_{number}"
    scope = ("all", "all", "department", "agent")[number % 4]
    record: Record = {
        "id": name,
        "name": name,
        "message": vocabulary.SHORTCUT_MESSAGES[number % len(vocabulary.SHORTCUT_MESSAGES)],
        "options": random.choice(("", "", "Yes/No")),
        "scope": scope,
    }
    if scope == "department":
        record["departments"] = _some(random, _ids(lists, "departments"), 2)
    if scope == "agent":
        record["agents"] = _some(random, _ids(lists, "agents"), 1)
    return record | {"tags": random.sample(vocabulary.TAGS, random.randint(0, 2))}


def make_trigger(random: Random, number: int, lists: Lists, now: int) -> Record:  # noqa: ARG001 -- one signature
    """Build a trigger whose definition nests arrays of mixed types."""
    name = vocabulary.TRIGGERS[number % len(vocabulary.TRIGGERS)]
    definition: Record = {
        "event": ("chat_requested", "page_enter", "chat_message")[number % 3],
        "condition": [
            "and",
            ["not", ["firedBefore"]],
            ["or", ["eq", "@visitor_page_url", vocabulary.PAGES[number % len(vocabulary.PAGES)][0]], ["stillOnPage", 30]],
            ["neq", "@visitor_served", False],
            ["hasTag", vocabulary.TAGS[number % len(vocabulary.TAGS)]],
        ],
        "actions": [
            ["wait", 5 + number],
            ["setTriggered", True],
            ["sendMessageToVisitor", "Ana", "Can I help you find something?"],
            ["setDepartment", 7_200_000_000_001],
        ],
    }
    if number % 2:
        definition |= {"version": 1, "editor": "advanced"}
    return {
        "id": 66_000_001 + number,
        "name": name if number < len(vocabulary.TRIGGERS) else f"{name} {number}",
        "description": f"{name}, on the shop's pages",
        "enabled": number % 4 != 1,
        "definition": definition,
    }


MAKERS: Final[Mapping[str, Maker]] = {
    "roles": make_role,
    "departments": make_department,
    "skills": make_skill,
    "agents": make_agent,
    "bans": make_ban,
    "goals": make_goal,
    "shortcuts": make_shortcut,
    "triggers": make_trigger,
}
SIZES: Final[Mapping[str, int]] = {
    "roles": len(vocabulary.ROLES),
    "departments": len(vocabulary.DEPARTMENTS),
    "skills": len(vocabulary.SKILLS),
    "agents": 250,
    "bans": 230,
    "goals": len(vocabulary.GOALS),
    "shortcuts": 40,
    "triggers": len(vocabulary.TRIGGERS),
}
