"""Reads the groups with the most chats: departments, tags, countries, agents and goals."""

from __future__ import annotations

from typing import Final, Literal

from zendesk_chat.analytics.in_memory import VIEWS
from zendesk_chat.load.file.stored import Stored
from zendesk_chat.report.figures import Agent, Goal, Group, Ranking
from zendesk_chat.report.period import Range

TOP: Final = 10
_OTHERS: Final = 1

# The id, the name and the rows of each kind of group, as in chats_by_department, chats_by_tag and chats_by_country.
_GROUPS: Final = {
    "department": ("department_id", "department", "chat"),
    "tag": (
        "nullif(tag, '(none)')",
        "tag",
        "(SELECT *, unnest(CASE WHEN len(tags) > 0 THEN tags ELSE ['(none)'] END) AS tag FROM chat)",
    ),
    "country": ("country_code", "country", "chat"),
}

_OF_AGENTS: Final = {
    "chats_by_agent": f"""
        SELECT agent_id, coalesce(agent, '(none)') AS agent, count(DISTINCT chat.chat_id) AS chats
        FROM {VIEWS}.chat_facts AS chat
        LEFT JOIN {VIEWS}.engagement_facts AS part ON part.chat_id = chat.chat_id AND part.accepted
        WHERE type = 'chat' AND chat.day BETWEEN $1 AND $2
        GROUP BY agent_id, coalesce(agent, '(none)')
    """,
    "response_times_by_agent": f"""
        SELECT
            agent_id,
            agent,
            count(DISTINCT chat_id) AS answered,
            round(quantile_cont(first_response_seconds, 0.5), 1) AS p50
        FROM {VIEWS}.engagement_facts
        WHERE accepted AND first_response_seconds IS NOT NULL AND day BETWEEN $1 AND $2
        GROUP BY agent_id, agent
    """,
    "satisfaction_by_agent": f"""
        SELECT agent_id, agent, sum(good) AS good, sum(bad) AS bad
        FROM {VIEWS}.satisfaction_by_agent
        WHERE day BETWEEN $1 AND $2
        GROUP BY agent_id, agent
    """,
    "agent_hours": f"""
        SELECT agent_id, agent, sum(online_hours) AS online, sum(away_hours) AS away, sum(chatting_hours) AS chatting
        FROM {VIEWS}.agent_hours
        WHERE day BETWEEN $1 AND $2
        GROUP BY agent_id, agent
    """,
}
"""The figures of each agent in the period, by the view that defines them."""

_NO_AGENT: Final = """
    SELECT
        NULL::VARCHAR AS agent_id,
        NULL::VARCHAR AS agent,
        NULL::BIGINT AS chats,
        NULL::BIGINT AS answered,
        NULL::DOUBLE AS p50,
        NULL::BIGINT AS good,
        NULL::BIGINT AS bad,
        NULL::DOUBLE AS online,
        NULL::DOUBLE AS away,
        NULL::DOUBLE AS chatting
    WHERE false
"""
"""The columns of all of them, without a row."""


def read_groups(stored: Stored, kind: Literal["department", "tag", "country"], days: Range) -> Ranking:
    """Read the groups with the most chats, and all others as one."""
    key, name, rows = _GROUPS[kind]
    separate = f"CASE WHEN {key} IS NULL THEN {name} END"  # countries without a code may have names
    sql = f"""
        WITH chat AS (FROM {VIEWS}.chat_facts WHERE type = 'chat' AND day BETWEEN $1 AND $2),
        item AS (SELECT *, {key} AS key, {name} AS name, {separate} AS separate FROM {rows}),
        ranked AS (
            SELECT key, separate, max(name) AS name, row_number() OVER (ORDER BY count(*) DESC, max(name), key) AS rank
            FROM item GROUP BY key, separate
        ),
        positioned AS (
            SELECT item.* EXCLUDE (name, key), rank, ranked.key, ranked.name
            FROM item JOIN ranked ON item.key IS NOT DISTINCT FROM ranked.key
            AND item.separate IS NOT DISTINCT FROM ranked.separate
        ),
        once AS (
            SELECT DISTINCT ON (chat_id, least(rank, $3)) *, least(rank, $3) AS position FROM positioned
        )
        SELECT
            CASE WHEN position < $3 THEN any_value(key) END AS id,
            CASE WHEN position < $3 THEN any_value(name) ELSE '' END AS name,
            count(*) AS chats,
            {VIEWS}._share(count(*), (SELECT count(*) FROM chat)) AS chats_share,
            count(*) FILTER (is_missed) AS missed,
            {VIEWS}._share(missed, count(*)) AS missed_share,
            count(first_response_seconds) AS answered,
            round(quantile_cont(first_response_seconds, 0.5), 1) AS first_response_seconds_p50,
            count(*) FILTER (rating = 'good') AS good,
            count(*) FILTER (rating = 'bad') AS bad,
            {VIEWS}._share(good, good + bad) AS good_share,
            (SELECT count(*) FROM ranked) AS _all
        FROM once GROUP BY position ORDER BY position
    """
    found = stored.dicts(sql, [days.start, days.end, TOP + _OTHERS])
    count = found[0]["_all"] if found else 0
    groups = [Group(**{column: value for column, value in row.items() if column != "_all"}) for row in found]
    return Ranking(tuple(groups[:TOP]), *((groups[TOP], count - TOP) if count > TOP else ()))


def read_agents(stored: Stored, views: frozenset[str], days: Range) -> tuple[Agent, ...]:
    """Read the chats, ratings and hours of agents, those with the most chats first."""
    parts = [sql for view, sql in _OF_AGENTS.items() if view in views]
    sql = f"""
        SELECT
            agent_id AS id,
            agent AS name,
            CAST(coalesce(sum(chats), 0) AS BIGINT) AS chats,
            CAST(coalesce(sum(answered), 0) AS BIGINT) AS answered,
            any_value(p50) AS first_response_seconds_p50,
            CAST(coalesce(sum(good), 0) AS BIGINT) AS good,
            CAST(coalesce(sum(bad), 0) AS BIGINT) AS bad,
            {VIEWS}._share(sum(good), sum(good) + sum(bad)) AS good_share,
            round(sum(online), 6) AS online_hours, -- threads add in any order
            round(sum(away), 6) AS away_hours,
            round(sum(chatting), 6) AS chatting_hours,
            {VIEWS}._share(sum(chatting), sum(online)) AS utilisation
        FROM ({_NO_AGENT} UNION ALL BY NAME {" UNION ALL BY NAME ".join(parts)})
        GROUP BY agent_id, agent
        ORDER BY chats DESC, agent, agent_id
    """
    return tuple(Agent(**row) for row in stored.dicts(sql, [days.start, days.end]))


def read_goals(stored: Stored, days: Range) -> tuple[Goal, ...]:
    """Read how often visitors reached each goal."""
    sql = f"""
        SELECT goal_id AS id, goal AS name, count(*) AS conversions, count(DISTINCT chat_id) AS converted_chats
        FROM {VIEWS}.conversion_facts
        WHERE day BETWEEN $1 AND $2
        GROUP BY goal_id, goal
        ORDER BY conversions DESC, goal, goal_id
    """
    return tuple(Goal(**row) for row in stored.dicts(sql, [days.start, days.end]))
