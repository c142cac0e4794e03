"""The transcript of a seeded chat, written straight as JSON text, which is what makes 40,000 of them quick."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Final

from zendesk_chat_sandbox import texts
from zendesk_chat_sandbox.timestamps import SECOND_US, iso_micros


def quoted(text: str) -> str:
    """Write a text as JSON, in UTF-8."""
    return json.dumps(text, ensure_ascii=False)


VISITOR_LINES: Final = tuple(quoted(line) for line in texts.VISITOR_LINES)
AGENT_LINES: Final = tuple(quoted(line) for line in texts.AGENT_LINES)
COMMENTS: Final = tuple(quoted(line) for line in texts.COMMENTS)
# Half of an emoji, cut in the middle as the API's JavaScript clients do: valid JSON, not valid Unicode.
LONE_SURROGATE_LINE: Final = r'"cut in the middle \ud83d"'
ESCAPED_EMOJI_LINE: Final = r'"thanks \ud83d\ude00"'
LONG_LINE: Final = quoted("Log: " + " ".join(f"line {number} — ошибка;" for number in range(900)))


@dataclass(slots=True)
class Agent:
    """An agent as chats mention one; texts are JSON already."""

    identity: int
    name: str
    full_name: str


@dataclass(slots=True)
class Transcript:
    """The items of one chat so far."""

    channel: str
    visitor: str
    now_us: int
    newer: bool
    """Newer chats number their items and name the sender."""
    items: list[str] = field(default_factory=list)

    def by_visitor(self, kind: str, extra: str = "") -> None:
        """Add an item of the visitor."""
        sender = ',"sender_type":"Visitor","nick":"visitor"' if self.newer else ""
        self._add(kind, self.visitor, extra + sender)

    def by_agent(self, kind: str, agent: Agent, extra: str = "") -> None:
        """Add an item of an agent."""
        if self.newer:
            extra += f',"sender_type":"Agent","nick":"agent:{agent.identity}","agent_id":"{agent.identity}"'
        self._add(kind, agent.name, extra)

    def by_trigger(self, kind: str, extra: str = "") -> None:
        """Add an item of a trigger."""
        self._add(kind, '"Customer Service"', extra + (',"sender_type":"Trigger","nick":"trigger"' if self.newer else ""))

    def _add(self, kind: str, name: str, extra: str) -> None:
        index = f',"index":{len(self.items)}' if self.newer else ""
        self.items.append(
            f'{{"type":"{kind}","timestamp":"{iso_micros(self.now_us)}","name":{name},"channel":"{self.channel}"'
            f"{extra}{index}}}"
        )


@dataclass(frozen=True, slots=True)
class Talk:
    """What happens in a chat; texts are JSON already."""

    department: int | None
    department_name: str
    tags: str
    rating: str
    comment: str
    messages: int
    first_line: str | None


# Departments have been written as numbers, as text and as null over the years.
_DEPARTMENT_FORMS: Final = ("{}", "{}", '"{}"')
_TRANSFER_SHARE: Final = 0.08
_FILE_SHARE: Final = 0.06
_TRIGGER_SHARE: Final = 0.15
_TURN_SHARE: Final = 0.55


def write_transcript(random: Random, transcript: Transcript, agents: list[Agent], talk: Talk, end_us: int) -> str:
    """Write the items of a chat from ``transcript.now_us`` to ``end_us``, joined by commas."""
    step = max(1, (end_us - transcript.now_us) // (talk.messages + 8))
    _open(random, transcript, talk, step)
    speaking = agents[0] if agents else None
    if speaking is not None:
        transcript.by_agent("chat.memberjoin", speaking)
    for number in range(talk.messages):
        transcript.now_us += random.randrange(1, step + 1)
        if speaking is not None and number and random.random() < _TURN_SHARE:
            transcript.by_agent("chat.msg", speaking, f',"msg":{random.choice(AGENT_LINES)},"options":""')
        else:
            _say(random, transcript, talk.first_line if number == 0 and talk.first_line else random.choice(VISITOR_LINES))
    if speaking is not None:
        speaking = _middle(random, transcript, agents, talk, step)
        transcript.by_agent("chat.memberleave", speaking)
    transcript.now_us = end_us
    transcript.by_visitor("chat.memberleave", ',"reason":"disconnect_user"' if transcript.newer else "")
    return ",".join(transcript.items)


def _open(random: Random, transcript: Transcript, talk: Talk, step: int) -> None:
    if talk.department is None:
        joined = ',"department_id":null,"department_name":null'
    else:
        form = random.choice(_DEPARTMENT_FORMS).format(talk.department)
        joined = f',"department_id":{form},"department_name":{talk.department_name}'
    transcript.by_visitor("chat.memberjoin", joined)
    if random.random() < _TRIGGER_SHARE:
        transcript.now_us += step // 2
        transcript.by_trigger("chat.msg", ',"msg":"Can I help you find something?","options":"Yes/No"')


def _say(random: Random, transcript: Transcript, line: str) -> None:
    stamp = transcript.now_us // 1000
    identity = random.choice((f',"msg_id":"{stamp}"', f',"msg_id":"{stamp}"', f',"msg_id":{stamp}', ""))
    transcript.by_visitor("chat.msg", f',"msg":{line}{identity},"options":""')


def _middle(random: Random, transcript: Transcript, agents: list[Agent], talk: Talk, step: int) -> Agent:
    """Add a file, a transfer, tags, the rating and the comment; return the agent who stays to the end."""
    speaking = agents[0]
    chance = random.random()
    transcript.now_us += step
    if chance < _FILE_SHARE:
        size = random.randint(1_000, 9_000_000)
        url = f"https://files.example.com/{transcript.now_us}/scan.pdf"
        attachment = f'"name":"scan ñ.pdf","size":{size},"type":"document","mime_type":"application/pdf","url":"{url}"'
        transcript.by_visitor("chat.file", f',"attachment":{{{attachment},"deleted":{str(size % 7 == 0).lower()}}}')
    elif chance < _FILE_SHARE + _TRANSFER_SHARE:
        new = random.choice(_DEPARTMENT_FORMS).format(talk.department or 7_200_000_000_001)
        old = "null" if talk.department is None else str(talk.department)
        extra = f',"department_id":{new},"department_name":{talk.department_name},"prev_department_id":{old}'
        transcript.by_agent("chat.transfer", speaking, extra)
        speaking = agents[-1]
    if talk.tags != "[]":
        transcript.now_us += step
        transcript.by_agent("chat.tag", speaking, f',"tags":[],"new_tags":{talk.tags}')
    if talk.rating != "null":
        transcript.now_us += step
        transcript.by_agent("chat.request.rating", speaking)
        transcript.by_visitor("chat.rating", f',"rating":null,"new_rating":{talk.rating}')
    if talk.comment != "null":
        transcript.now_us += step
        transcript.by_visitor("chat.comment", f',"comment":null,"new_comment":{talk.comment}')
    return speaking


def seconds_to_us(seconds: int, random: Random) -> int:
    """Return a moment in this second, with milliseconds as transcripts have them."""
    return seconds * SECOND_US + random.randrange(1000) * 1000
