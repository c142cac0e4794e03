"""The conversation of a seeded chat: who writes what and when, in seconds after its start."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Final

from zendesk_chat_sandbox.chance import below, pick
from zendesk_chat_sandbox.conversations import Phrases, Topic
from zendesk_chat_sandbox.json_text import quoted
from zendesk_chat_sandbox.timestamps import iso_seconds

# Half of an emoji, cut in the middle as the API's JavaScript clients do: valid JSON, not valid Unicode.
LONE_SURROGATE_LINE: Final = r"cut in the middle \ud83d"
ESCAPED_EMOJI_LINE: Final = r"thanks \ud83d\ude00"
LONG_LINE: Final = "Log: " + " ".join(f"line {number} — ошибка;" for number in range(900))
# Message ids have been strings, numbers and absent over the years.
_MESSAGE_IDS: Final = (',"msg_id":"{}"', ',"msg_id":"{}"', ',"msg_id":"{}"', ',"msg_id":"{}"', ',"msg_id":{}', "")
# Departments have been written as numbers and as strings.
_DEPARTMENT_FORMS: Final = ("{}", "{}", '"{}"')
_MOST_GAP_SECONDS: Final = 300
_SECOND_MESSAGE_SHARE: Final = 0.3
_FILLER_SHARE: Final = 0.25
_EXCHANGES: Final = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
"""How many of its topic's exchanges a conversation has."""
_MAILBOXES: Final = ("ana.costa", "jo.martin", "k.tanaka", "lena.weber", "p.dubois", "sam.hill", "t.okafor")
_FAREWELL_SHARE: Final = 0.5
_TRIGGER: Final = ',"sender_type":"Trigger","nick":"trigger"'
_TRIGGER_LINE: Final = ',"msg":"Can I help you find something?","options":"Yes/No"'


@dataclass(frozen=True, slots=True)
class Speaker:
    """An agent as chats mention one; strings are JSON already."""

    number: int
    identity: int
    name: str
    full_name: str


@dataclass(frozen=True, slots=True)
class Department:
    """A department as chats mention one, or none; strings are JSON already."""

    identity: int | None = None
    name: str = "null"

    @property
    def number(self) -> str:
        """Return the id as JSON."""
        return "null" if self.identity is None else str(self.identity)


@dataclass(frozen=True, slots=True)
class Case:
    """What a chat is about, and how it goes."""

    topic: Topic
    phrases: Phrases
    order: str
    item: str
    wait: int
    """Seconds until an agent answers, or until the visitor gives up."""
    pace: float
    solved: bool = True
    rating: str = "null"
    comment: str = "null"
    tags: str = "[]"
    started_by: str = "visitor"
    upload: bool = False
    first_line: str | None = None

    @property
    def email(self) -> str:
        """Return the visitor's address, which follows from the order."""
        return f"{_MAILBOXES[int(self.order[2:]) % len(_MAILBOXES)]}@example.com"

    @property
    def phone(self) -> str:
        """Return the visitor's number in a range for fiction."""
        return f"+44 20 7946 0{int(self.order[2:]) % 1000:03d}"

    def fill(self, line: str, agent: Speaker | None = None) -> str:
        """Put this case's order, product, visitor and agent into a line; return JSON without its quotes."""
        text = _escaped(line)
        if "{" not in text:
            return text
        text = text.replace("{order}", self.order).replace("{item}", _escaped(self.item))
        text = text.replace("{email}", self.email).replace("{phone}", self.phone)
        return text.replace("{agent}", agent.name[1:-1]) if agent else text


@cache
def _escaped(line: str) -> str:
    return quoted(line)[1:-1]


@dataclass(slots=True)
class Part:
    """The part that one agent takes in a chat, which the API calls an engagement."""

    agent: Speaker
    department: Department
    started_by: str
    joined: int
    left: int = 0
    responses: list[int] = field(default_factory=list)
    by_visitor: int = 0
    by_agent: int = 0


@dataclass(slots=True)
class Dialogue:
    """The history items of one chat so far, each with its time in seconds after the start of the chat."""

    random: Random
    visitor: str
    begun: int
    """About when the chat starts, in epoch seconds; message ids are made of it."""
    now: int = 0
    items: list[tuple[int, str, str, str]] = field(default_factory=list)
    """Time, type, name and the rest of an item's JSON."""
    parts: list[Part] = field(default_factory=list)
    by_visitor: int = 0
    by_agent: int = 0
    _unanswered_since: int | None = None

    def gap(self, seconds: float) -> None:
        """Let about so many seconds pass."""
        self.now += 1 + min(_MOST_GAP_SECONDS, int(self.random.expovariate(1 / seconds)))

    def from_visitor(self, kind: str, extra: str = "") -> None:
        """Add an item of the visitor."""
        self.items.append((self.now, kind, self.visitor, f'{extra},"sender_type":"Visitor"'))

    def from_agent(self, kind: str, agent: Speaker, extra: str = "") -> None:
        """Add an item of an agent."""
        self.items.append((self.now, kind, agent.name, f'{extra},"sender_type":"Agent","agent_id":"{agent.identity}"'))

    def visitor_says(self, text: str) -> None:
        """Add a message of the visitor."""
        self.by_visitor += 1
        if self.parts:
            self.parts[-1].by_visitor += 1
        if self._unanswered_since is None:
            self._unanswered_since = self.now
        stamp = f"{self.begun + self.now}{below(self.random, 1000):03d}"
        identity = pick(self.random, _MESSAGE_IDS).format(stamp)
        self.from_visitor("chat.msg", f',"msg":"{text}"{identity},"options":""')

    def agent_says(self, text: str) -> None:
        """Add a message of the agent who speaks at present."""
        part = self.parts[-1]
        self.by_agent += 1
        part.by_agent += 1
        if self._unanswered_since is not None:
            part.responses.append(self.now - self._unanswered_since)
            self._unanswered_since = None
        self.from_agent("chat.msg", part.agent, f',"msg":"{text}","options":""')

    def agent_joins(self, part: Part) -> None:
        """Start the part of an agent."""
        self.parts.append(part)
        self.from_agent("chat.memberjoin", part.agent)

    def agent_leaves(self) -> None:
        """End the part of the agent who speaks at present."""
        self.parts[-1].left = self.now
        self.from_agent("chat.memberleave", self.parts[-1].agent, ',"reason":"disconnect_user"')

    def responses(self) -> list[int]:
        """Return how long the visitor waited each time, in seconds."""
        return [seconds for part in self.parts for seconds in part.responses]

    def history(self, start: int, channel: str) -> str:
        """Write the items as JSON, for a chat that starts at ``start``."""
        return ",".join(
            f'{{"index":{index},"type":"{kind}","timestamp":"{iso_seconds(start + after)}","name":{name},'
            f'"channel":"{channel}"{rest}}}'
            for index, (after, kind, name, rest) in enumerate(self.items)
        )


def hold(dialogue: Dialogue, case: Case, agents: Sequence[Speaker], departments: Sequence[Department]) -> None:
    """Let a conversation take place with one agent, or with two where the first hands over to the second."""
    _open(dialogue, case, departments[0])
    _answer(dialogue, case, agents[0], departments[0])
    _discuss(dialogue, case, agents, departments)
    _finish(dialogue, case, agents[-1])


def wait_in_vain(dialogue: Dialogue, case: Case, department: Department) -> None:
    """Let the visitor write, and leave after ``case.wait`` seconds without an answer."""
    _open(dialogue, case, department)
    if case.wait > _MOST_GAP_SECONDS // 2:
        dialogue.now = dialogue.random.randrange(case.wait // 2, case.wait)
        dialogue.visitor_says(case.fill(pick(dialogue.random, case.phrases.impatient)))
    dialogue.now = max(dialogue.now + 1, case.wait)
    dialogue.from_visitor("chat.memberleave", ',"reason":"disconnect_user"')


def _open(dialogue: Dialogue, case: Case, department: Department) -> None:
    random = dialogue.random
    dialogue.from_visitor("chat.memberjoin", _joined_department(random, department))
    if case.started_by == "trigger":
        dialogue.items.append((0, "chat.msg", '"Customer Service"', _TRIGGER_LINE + _TRIGGER))
        dialogue.gap(25)
    dialogue.visitor_says(case.first_line or case.fill(pick(random, case.topic.openings)))
    if random.random() < _SECOND_MESSAGE_SHARE:
        # Sent in the same second: whoever reads histories must not take the time for a key.
        dialogue.visitor_says(case.fill(pick(random, case.phrases.follow_ups)))


def _joined_department(random: Random, department: Department) -> str:
    """Write the department that a visitor joins; its id has been a number, a string and null."""
    form = "{}" if department.identity is None else pick(random, _DEPARTMENT_FORMS)
    return f',"department_id":{form.format(department.number)},"department_name":{department.name}'


def _answer(dialogue: Dialogue, case: Case, agent: Speaker, department: Department) -> None:
    random, asked = dialogue.random, dialogue.now
    dialogue.now = asked + below(random, case.wait)
    dialogue.agent_joins(Part(agent, department, case.started_by, dialogue.now))
    dialogue.now = asked + case.wait
    dialogue.agent_says(case.fill(pick(random, case.phrases.greetings), agent))
    if random.random() < _SECOND_MESSAGE_SHARE / 2:
        dialogue.agent_says(case.fill(pick(random, case.phrases.second_greetings), agent))


def _discuss(dialogue: Dialogue, case: Case, agents: Sequence[Speaker], departments: Sequence[Department]) -> None:
    random = dialogue.random
    skipped = below(random, len(case.topic.exchanges))
    exchanges = [exchange for position, exchange in enumerate(case.topic.exchanges) if position != skipped][
        : pick(random, _EXCHANGES)
    ]
    if random.random() < _FILLER_SHARE:
        exchanges.insert(random.randint(0, len(exchanges)), pick(random, case.phrases.fillers))
    for question, answer in exchanges:
        _exchange(dialogue, case, question, answer)
    if case.upload:
        _upload(dialogue)
    if len(agents) > 1:
        _hand_over(dialogue, case, agents[1], departments[0], departments[-1])


def _exchange(dialogue: Dialogue, case: Case, question: str, answer: str) -> None:
    dialogue.gap(58 * case.pace)
    dialogue.agent_says(case.fill(question, dialogue.parts[-1].agent))
    dialogue.gap(62)
    dialogue.visitor_says(case.fill(answer))


def _upload(dialogue: Dialogue) -> None:
    size = dialogue.random.randint(20_000, 9_000_000)
    url = f"https://files.example.com/{dialogue.begun + dialogue.now}/photo.jpg"
    attachment = f'"name":"photo ñ.jpg","size":{size},"type":"image","mime_type":"image/jpeg","url":"{url}"'
    dialogue.gap(20)
    dialogue.from_visitor("chat.file", f',"attachment":{{{attachment},"deleted":{str(size % 7 == 0).lower()}}}')


def _hand_over(dialogue: Dialogue, case: Case, agent: Speaker, old: Department, new: Department) -> None:
    random, speaking = dialogue.random, dialogue.parts[-1].agent
    dialogue.gap(20 * case.pace)
    dialogue.agent_says(case.fill(pick(random, case.phrases.handovers), speaking))
    form = pick(random, _DEPARTMENT_FORMS).format(new.number) if new.identity else "null"
    extra = f',"department_id":{form},"department_name":{new.name},"prev_department_id":{old.number}'
    dialogue.from_agent("chat.transfer.department" if new != old else "chat.transfer", speaking, extra)
    dialogue.agent_leaves()
    dialogue.gap(15)
    dialogue.agent_joins(Part(agent, new, "transfer", dialogue.now))
    dialogue.gap(12 * case.pace)
    dialogue.agent_says(case.fill(pick(random, case.phrases.takeovers), agent))


def _finish(dialogue: Dialogue, case: Case, agent: Speaker) -> None:
    random, phrases = dialogue.random, case.phrases
    dialogue.gap(80 * case.pace)
    dialogue.agent_says(case.fill(pick(random, case.topic.solved if case.solved else case.topic.unsolved), agent))
    dialogue.gap(20)
    dialogue.visitor_says(case.fill(pick(random, phrases.thanks if case.solved else phrases.complaints)))
    if case.solved and random.random() < _FILLER_SHARE:
        _exchange(dialogue, case, *pick(random, phrases.anything_else))
    if random.random() < _FAREWELL_SHARE:
        dialogue.gap(10)
        dialogue.agent_says(case.fill(pick(random, phrases.farewells), agent))
    if case.tags != "[]":
        dialogue.from_agent("chat.tag", agent, f',"tags":[],"new_tags":{case.tags}')
    if case.rating != "null":
        _rate(dialogue, case, agent)
    dialogue.gap(15)
    dialogue.from_visitor("chat.memberleave", ',"reason":"disconnect_user"')
    dialogue.agent_leaves()


def _rate(dialogue: Dialogue, case: Case, agent: Speaker) -> None:
    dialogue.from_agent("chat.request.rating", agent)
    dialogue.gap(12)
    dialogue.from_visitor("chat.rating", f',"rating":null,"new_rating":{case.rating}')
    if case.comment != "null":
        dialogue.gap(15)
        dialogue.from_visitor("chat.comment", f',"comment":null,"new_comment":{case.comment}')
