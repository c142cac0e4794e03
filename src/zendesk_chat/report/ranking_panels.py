"""The sections of departments, agents, tags, countries, agents' hours and conversions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zendesk_chat.report import charts
from zendesk_chat.report.availability import missing
from zendesk_chat.report.figures import Agent, Figures, Group, Ranking
from zendesk_chat.report.formats import NONE, distinct_names, hours, number, percent, seconds
from zendesk_chat.report.panels import Cell, Panel, Row, Table
from zendesk_chat.report.rankings import TOP
from zendesk_chat.wording import counted

_LABEL = 24  # characters of a name in a chart
_LONGEST = 500  # rows of a table: more would make the page large
_NONE = "(none)"
_AGENT_TITLES = ("Chats", "Median response", "Rated good", "Online")
_FEW = 10  # ratings: a share of fewer means little
_RATED = f"Rated good: the share of good ratings, and how many ratings there are. Below {_FEW} ratings, the share is “{NONE}”."


def ranking_panels(figures: Figures) -> list[Panel]:
    """Return the sections that rank groups. Without chats, only those of agents' hours and conversions."""
    hours_and_goals = [_agent_hours(figures), _goals(figures)]
    if not figures.now.chats:
        return hours_and_goals
    return [
        _groups(figures.departments, "departments", "Department", "chats.department_id"),
        _agents(figures),
        *hours_and_goals,
        _groups(figures.tags, "tags", "Tag", "chats.tags"),
        _groups(figures.countries, "countries", "Country", "chats.session"),
    ]


def _groups(ranking: Ranking | None, key: str, title: str, column: str) -> Panel:
    heading = key.capitalize()
    note = f"The {TOP} with the most chats. {_RATED}" if ranking and ranking.others else _RATED
    is_wide = key == "departments"
    if ranking is None:
        empty = f"This needs {column}, which the file does not have, for example because redaction drops it."
        return Panel(key, heading, "", is_wide=is_wide, empty=empty)
    groups = ranking.groups
    if all(group.id is None and group.name == _NONE for group in groups):
        return Panel(key, heading, "", is_wide=is_wide, empty=f"No chat of this period has a {title.lower()}.")
    names = distinct_names([(group.id, group.name) for group in groups])
    most = max(group.chats for group in (*groups, *((ranking.others,) if ranking.others else ())))
    rows = [_group_row(label, group, most, is_wide=is_wide) for label, group in zip(names, groups, strict=True)]
    if ranking.others:
        label = f"{number(ranking.others_count)} other{'' if ranking.others_count == 1 else 's'}"
        rows.append(_group_row(label, ranking.others, most, is_wide=is_wide, is_rest=True))
    titles = ("Chats", "Share", "Missed", "Median response", "Rated good") if is_wide else ("Chats", "Missed", "Rated good")
    return Panel(key, heading, note, ranking=Table(title, titles, tuple(rows), optional="Share"), is_wide=is_wide)


def _group_row(label: str, group: Group, most: int, *, is_wide: bool, is_rest: bool = False) -> Row:
    chats = Cell(number(group.chats), group.chats, group.chats / most if most else 0)
    missed, good = Cell(percent(group.missed_share), group.missed_share), _rated(group)
    if not is_wide:
        return Row(label, (chats, missed, good), is_rest)
    share = Cell(percent(group.chats_share), group.chats_share)
    response = Cell(seconds(group.first_response_seconds_p50), group.first_response_seconds_p50)
    return Row(label, (chats, share, missed, response, good), is_rest)


def _rated(rated: Group | Agent) -> Cell:
    ratings = rated.good + rated.bad
    of = f"of {number(ratings)}" if ratings else ""
    return Cell(NONE, of=of) if ratings < _FEW else Cell(percent(rated.good_share), rated.good_share, of=of)


def _agents(figures: Figures) -> Panel:
    heading, note = "Agents", f"Response times and ratings cover each agent's part of a chat. {_RATED}"
    if not figures.agents:
        return Panel("agents", heading, note, is_wide=True, empty=missing(figures, "chats"))
    agents = [agent for agent in figures.agents if agent.chats]
    if not any(agent.id for agent in agents):
        return Panel("agents", heading, note, is_wide=True, empty="No agent took a chat in this period.")
    names = distinct_names([(agent.id, agent.name) for agent in agents])
    most = max(agent.chats for agent in agents)
    rows = [_agent_row(label, agent, most) for label, agent in zip(names, agents, strict=True)]
    panel = _with_the_others(Panel("agents", heading, note, is_wide=True), Table("Agent", _AGENT_TITLES, tuple(rows)))
    return replace(panel, note=f"The {TOP} agents with the most chats. {note}") if panel.table else panel


def _with_the_others(panel: Panel, full: Table) -> Panel:
    """Return a panel that shows the first rows of a table, and the others on demand."""
    if len(full.rows) <= TOP + 1:
        return replace(panel, ranking=full)
    shown = full.shortened(_LONGEST)
    top, others = replace(shown, rows=shown.rows[:TOP]), replace(shown, rows=shown.rows[TOP:])
    return replace(panel, ranking=top, table=others, more=f"Show the other {number(len(full.rows) - TOP)}")


def _agent_row(label: str, agent: Agent, most: int) -> Row:
    cells = (
        Cell(number(agent.chats), agent.chats, agent.chats / most),
        Cell(seconds(agent.first_response_seconds_p50), agent.first_response_seconds_p50),
        _rated(agent),
        Cell(hours(agent.online_hours), agent.online_hours),
    )
    return Row(label, cells)


def _agent_hours(figures: Figures) -> Panel:
    heading, note = "Agents' hours", "Hours online, and hours in at least one chat"
    if not figures.has_agent_hours:
        return Panel("agent-hours", heading, note, empty=missing(figures, "agent_timeline"))
    agents = sorted(
        (agent for agent in figures.agents or () if agent.online_hours), key=lambda agent: agent.online_hours or 0, reverse=True
    )
    if not agents:
        return Panel("agent-hours", heading, note, empty="No agent was online in this period.")
    online, chatting = _sum(agent.online_hours for agent in agents), _sum(agent.chatting_hours for agent in agents)
    count = f"{number(len(agents))} agent{' was' if len(agents) == 1 else 's were'}"
    summary = (
        f"{count} online for {hours(online)} in total and chatting for {hours(chatting)} ({percent(chatting / online)})."
        if online
        else ""
    )
    identified = [(agent.id, agent.name) for agent in agents]
    rows = tuple(
        Row(
            label,
            (
                Cell(hours(agent.online_hours), agent.online_hours),
                Cell(hours(agent.chatting_hours), agent.chatting_hours),
                Cell(hours(agent.away_hours), agent.away_hours),
                Cell(percent(agent.utilisation), agent.utilisation),
            ),
        )
        for label, agent in zip(distinct_names(identified), agents, strict=True)
    )
    chart = charts.agent_hours(agents[:TOP], distinct_names(identified, _LABEL)[:TOP])
    table = Table("Agent", ("Online", "In chats", "Away", "Utilisation"), rows).shortened(_LONGEST)
    return Panel("agent-hours", heading, note, summary, chart, table)


def _goals(figures: Figures) -> Panel:
    heading, note = "Conversions", "How often visitors reached each goal"
    if figures.goals is None:
        return Panel("conversions", heading, note, empty=missing(figures, "conversions"))
    if not figures.goals:
        return Panel("conversions", heading, note, empty="There are no conversions in this period.")
    names = distinct_names([(goal.id, goal.name) for goal in figures.goals])
    most = max(goal.conversions for goal in figures.goals)
    rows = [
        Row(
            label,
            (
                Cell(number(goal.conversions), goal.conversions, goal.conversions / most),
                Cell(number(goal.converted_chats), goal.converted_chats),
            ),
        )
        for label, goal in zip(names, figures.goals, strict=True)
    ]
    summary = counted(figures.now.conversions, "conversion")
    summary += f"; {number(figures.before.conversions)} in the period before." if figures.period.is_comparable else "."
    chart = charts.conversions(figures.trend, figures.period.step) if figures.trend else None
    full = Table("Goal", ("Conversions", "Converted chats"), tuple(rows))
    return _with_the_others(Panel("conversions", heading, note, summary, chart), full)


def _sum(values: Iterable[float | None]) -> float:
    return sum(value or 0 for value in values)
