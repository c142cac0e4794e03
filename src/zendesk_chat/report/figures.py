"""The figures of a report, as values. ``--json`` prints them as they are here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zendesk_chat.load.status import FileStatus
from zendesk_chat.report.period import Period


@dataclass(frozen=True, slots=True)
class Totals:
    """What happened in a range of days. Shares are from 0 to 1 with four decimals, as in the views.

    Attributes:
        missed_share: None without chats.
        first_response_seconds_p50: The median of answered chats; None if there are none.
        good_share: Good ratings as a share of good and bad ones; None without ratings.
    """

    chats: int = 0
    offline_messages: int = 0
    missed: int = 0
    missed_share: float | None = None
    answered: int = 0
    first_response_seconds_p50: float | None = None
    first_response_seconds_p90: float | None = None
    good: int = 0
    bad: int = 0
    good_share: float | None = None
    conversions: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """One step of the charts over time: a day, or a longer step in a long period, from its first day on."""

    start: date
    chats: int
    missed: int
    missed_share: float | None
    offline_messages: int
    answered: int
    first_response_seconds_p50: float | None
    first_response_seconds_p90: float | None
    conversions: int


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """How many chats of the period started in an hour of the week.

    Attributes:
        weekday: Counted from Monday, which is 0.
        days: How many such weekdays the period has.
        chats_a_day: The average, which makes weekdays comparable: a period has some of them once more than others.
    """

    weekday: int
    hour: int
    chats: int
    missed: int
    days: int
    chats_a_day: float


@dataclass(frozen=True, slots=True)
class Ratings:
    """The ratings of a month.

    Attributes:
        is_partial: Whether the data cover only a part of it: they begin or the period ends in this month.
    """

    month: date
    good: int
    bad: int
    good_share: float | None
    is_partial: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The chats of a department, a tag or a country in the period.

    Attributes:
        id: None for chats without one, and for the others.
        name: As the views write it: ``(none)`` without one. Empty for the others.
    """

    id: str | None
    name: str
    chats: int
    chats_share: float | None
    missed: int
    missed_share: float | None
    answered: int
    first_response_seconds_p50: float | None
    good: int
    bad: int
    good_share: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The groups with the most chats.

    Attributes:
        others: All other groups as one; a chat with several tags counts once. None if there are none.
        others_count: The number of these groups.
    """

    groups: tuple[Group, ...]
    others: Group | None = None
    others_count: int = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent's chats and hours in the period.

    Attributes:
        id: None for the chats that nobody took.
        first_response_seconds_p50: Of the agent's engagements.
        online_hours: None without an agent, or if the file has no agents' timeline.
        utilisation: Hours in chats, divided by hours online; None if never online.
    """

    id: str | None
    name: str
    chats: int
    answered: int
    first_response_seconds_p50: float | None
    good: int
    bad: int
    good_share: float | None
    online_hours: float | None
    away_hours: float | None
    chatting_hours: float | None
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """The conversions of a goal in the period."""

    id: str | None
    name: str
    conversions: int
    converted_chats: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a report shows.

    Attributes:
        now: The totals of the period.
        before: Those of the period before.
        satisfaction: The last twelve months with ratings.
        departments: None if the file lacks the data. So are the others that may be None.
        unreadable: Chats whose start is unreadable, so that they belong to no day.
    """

    period: Period
    now: Totals
    before: Totals
    trend: tuple[Point, ...]
    hours: tuple[HourOfWeek, ...]
    satisfaction: tuple[Ratings, ...]
    departments: Ranking | None
    agents: tuple[Agent, ...] | None
    tags: Ranking | None
    countries: Ranking | None
    goals: tuple[Goal, ...] | None
    has_chats: bool
    has_agent_hours: bool
    unreadable: int
    status: FileStatus
