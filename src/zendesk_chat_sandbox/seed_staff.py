"""The chat team of the simulated account: who answers for which department, how well, and when they are online."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from zendesk_chat_sandbox.chance import pick
from zendesk_chat_sandbox.seed_times import HOUR_SECONDS, weekday_of
from zendesk_chat_sandbox.timestamps import DAY_SECONDS

SATURDAY: Final = 5
SUNDAY: Final = 6
_SHIFT_HOURS: Final = 8
_LUNCH_AFTER: Final = 4
_SATURDAY_SHIFT: Final = (9, 15)
_SATURDAY_EVERY: Final = 3
"""An agent works one Saturday in so many."""
_PRESENT_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Desk:
    """What distinguishes the departments: their share of chats, and how quick and how good they are."""

    name: str | None
    share: float
    first_response: float
    """Seconds until the first answer, in the middle."""
    pace: float
    """How long agents take for the later answers; 1 is usual."""
    satisfied: float
    """Share of good ratings among chats that are answered soon and solved."""
    solved: float
    """Share of chats that end with a solution."""


DESKS: Final = (
    Desk("Orders", 0.31, 24, 0.9, 0.93, 0.9),
    Desk("Returns", 0.16, 41, 1.1, 0.88, 0.78),
    Desk("Billing", 0.12, 58, 1.2, 0.84, 0.74),
    Desk("Technical", 0.17, 85, 1.7, 0.74, 0.66),
    Desk("Sales", 0.13, 15, 0.8, 0.95, 0.92),
    Desk("VIP", 0.04, 8, 0.7, 0.98, 0.95),
    Desk(None, 0.07, 36, 1.0, 0.9, 0.82),
)
FRENCH_DESK: Final = Desk("Français", 0, 47, 1.0, 0.9, 0.84)
JAPANESE_DESK: Final = Desk("日本語サポート", 0, 66, 1.2, 0.93, 0.86)


@dataclass(frozen=True, slots=True)
class Post:
    """A position in the chat team."""

    departments: tuple[str, ...]
    start: int
    """Hour at which the shift starts."""
    slowness: float = 1.0
    charm: float = 0.0
    """What the agent adds to the share of good ratings."""


# By the number of the agent. All other agents of the account do not take chats.
TEAM: Final[Mapping[int, Post]] = {
    0: Post(("VIP", "Orders"), 8, 0.8, 0.04),
    2: Post(("Orders", "Returns"), 9),
    3: Post(("Orders", "Billing"), 10, 1.2, -0.05),
    4: Post(("Returns", "Orders"), 12, 0.9, 0.05),
    5: Post(("Technical",), 8, 0.9, 0.03),
    6: Post(("Technical", "Returns"), 9, 1.4, -0.09),
    7: Post(("日本語サポート", "Orders"), 7),
    8: Post(("Français", "Sales"), 8, 1.0, 0.03),
    9: Post(("Sales", "VIP"), 10, 0.7, 0.02),
    11: Post(("Billing", "Français"), 9, 1.1),
    13: Post(("Sales", "Orders"), 12, 1.0, 0.04),
    14: Post(("Technical", "Billing"), 12, 1.1, -0.03),
}


@dataclass(frozen=True, slots=True)
class Duty:
    """An agent's working day, in epoch seconds."""

    agent: int
    start: int
    end: int
    lunch: int | None
    """Start of the hour of lunch."""


@dataclass(slots=True)
class Rota:
    """Who works when; the same for one seed, whatever is asked first."""

    seed: int
    _days: dict[int, list[Duty]] = field(default_factory=dict)
    _hours: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def of_day(self, day: int) -> list[Duty]:
        """Return the duties of a day since 1970."""
        if day not in self._days:
            self._days[day] = list(self._plan(day))
        return self._days[day]

    def at(self, second: int) -> tuple[int, ...]:
        """Return the numbers of the agents who take chats at a time."""
        hour = second // HOUR_SECONDS
        if hour not in self._hours:
            begin = hour * HOUR_SECONDS
            duties = self.of_day(second // DAY_SECONDS)
            self._hours[hour] = tuple(duty.agent for duty in duties if duty.start <= begin < duty.end and duty.lunch != begin)
        return self._hours[hour]

    def _plan(self, day: int) -> Iterator[Duty]:
        random = Random(self.seed * 1_000_003 + day)  # noqa: S311 -- a seed is wanted, secrets are not
        weekday, midnight = weekday_of(day), day * DAY_SECONDS
        for position, (agent, post) in enumerate(TEAM.items()):
            present = random.random() < _PRESENT_SHARE
            if weekday == SUNDAY or not present:
                continue
            if weekday == SATURDAY:
                if (day // 7 + position) % _SATURDAY_EVERY == 0:
                    start, end = _SATURDAY_SHIFT
                    yield Duty(agent, midnight + start * HOUR_SECONDS, midnight + end * HOUR_SECONDS, None)
                continue
            start = midnight + post.start * HOUR_SECONDS
            yield Duty(agent, start, start + _SHIFT_HOURS * HOUR_SECONDS, start + _LUNCH_AFTER * HOUR_SECONDS)


def choose_agent(random: Random, present: Sequence[int], department: str | None, busy_until: Mapping[int, int]) -> int | None:
    """Return which of the agents present takes a chat: the freer of two members of the department; None without members."""
    members = [agent for agent in present if department is None or department in TEAM[agent].departments]
    if not members:
        return None
    return min(pick(random, members), pick(random, members), key=lambda agent: busy_until.get(agent, 0))


def load(present: Sequence[int], timestamp: int, busy_until: Mapping[int, int]) -> float:
    """Return the share of the agents present who are in a chat."""
    return sum(busy_until.get(agent, 0) > timestamp for agent in present) / max(1, len(present))
