"""Seeded chats and offline messages, with the drift of types that real accounts have collected over the years."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from zendesk_chat_sandbox import vocabulary
from zendesk_chat_sandbox.chance import below, pick, token
from zendesk_chat_sandbox.chat_store import ChatEntry
from zendesk_chat_sandbox.conversations import ENGLISH, OTHER_TAGS, PHRASES, TOPICS, Topic
from zendesk_chat_sandbox.json_text import quoted
from zendesk_chat_sandbox.seed_dialogue import (
    ESCAPED_EMOJI_LINE,
    LONE_SURROGATE_LINE,
    LONG_LINE,
    Case,
    Department,
    Dialogue,
    Part,
    Speaker,
    hold,
    wait_in_vain,
)
from zendesk_chat_sandbox.seed_lists import Lists
from zendesk_chat_sandbox.seed_staff import DESKS, FRENCH_DESK, JAPANESE_DESK, TEAM, Desk, Rota, choose_agent, load
from zendesk_chat_sandbox.seed_visitors import Crowd, Visitor
from zendesk_chat_sandbox.timestamps import iso_seconds

_OFFLINE_SHARE_WHEN_CLOSED: Final = 0.9
_OFFLINE_SHARE_WHEN_OPEN: Final = 0.02
_MISSED_SHARE: Final = 0.012
_MISSED_SHARE_WITHOUT_MEMBERS: Final = 0.12
_MISSED_SHARE_OF_LOAD: Final = 0.2
_SLOWER_WITH_LOAD: Final = 1.2
_LANGUAGE_DESK_SHARE: Final = 0.85
_HANDOVER_SHARE: Final = 0.07
_UPLOAD_SHARE: Final = 0.06
_RATED_SHARE: Final = 0.26
_COMMENT_SHARE: Final = 0.38
_TOPIC_TAG_SHARE: Final = 0.6
_OTHER_TAG_SHARE: Final = 0.22
_SLOW_SECONDS: Final = 120
_SLOW_PENALTY: Final = 0.15
_UNSOLVED_PENALTY: Final = 0.3
_WAIT_SPREAD: Final = 0.6
_DELETED_SHARE: Final = 0.004
_WEBPATH_ARRAY_SHARE: Final = 0.02
_RARE_SHARE: Final = 0.06
_TICKET_SHARE: Final = 0.3
_SPECIAL_CHATS: Final = 5
"""The first chats made are chats that an agent answers, and carry the oddities once each."""
_MALFORMED_DATE: Final = "2017-04-24T12:45:32+00:00Z"
_FALSE_LOCATION: Final = (
    '"browser":"","platform":"","user_agent":"","ip":"203.0.299.96","city":"","region":"","country_code":"","country_name":""'
)
_FOREIGN_CHAT: Final = 3
_SPECIAL_LINES: Final = {1: LONE_SURROGATE_LINE, 2: LONG_LINE, 4: ESCAPED_EMOJI_LINE}
_LANGUAGE_DESKS: Final = {"FR": FRENCH_DESK, "JP": JAPANESE_DESK}
_LANGUAGE_SKILLS: Final = {"FR": "french", "JP": "japanese", "DE": "german"}
_STARTED_BY: Final = ("visitor",) * 22 + ("trigger",) * 3
_FIRST_TICKET: Final = 31_000
_TAG_WEIGHTS: Final = tuple(accumulate(1 / rank for rank in range(1, len(OTHER_TAGS) + 1)))
_DESK_WEIGHTS: Final = tuple(accumulate(desk.share for desk in DESKS))


@dataclass(slots=True)
class Draft:
    """A chat or an offline message before its exact time is known."""

    number: int
    visitor: Visitor
    desk: Desk
    department: Department
    case: Case
    dialogue: Dialogue | None
    """None for an offline message."""

    @property
    def duration(self) -> int:
        """How long it takes, in seconds."""
        return 0 if self.dialogue is None else self.dialogue.now

    @property
    def served(self) -> bool:
        """Whether an agent took part."""
        return self.dialogue is not None and bool(self.dialogue.parts)

    @property
    def goals(self) -> Sequence[str]:
        """Names of the goals that such a chat leads to."""
        return self.case.topic.goals if self.served and self.case.solved else ()


@dataclass(frozen=True, slots=True)
class Times:
    """When a chat started and was last changed, and when it led to a goal, in epoch seconds."""

    start: int
    updated: int
    converted: int | None = None


class ChatMaker:
    """Makes one chat after the other from a seeded source of randomness and the account's lists."""

    def __init__(self, random: Random, lists: Lists, seed: int, returning: float) -> None:
        self._random = random
        self.made = 0
        self.rota = Rota(seed)
        self.crowd = Crowd(random, returning)
        self.engagements: list[tuple[int, int, int]] = []
        """The id of an agent, and when one of the agent's parts started and ended, in epoch seconds."""
        self._busy_until: dict[int, int] = {}
        self._agents = [
            Speaker(number, int(str(agent["id"])), quoted(str(agent["display_name"])), quoted(str(agent["first_name"])))
            for number, agent in enumerate(lists["agents"].values())
        ]
        self._departments = {
            str(department["name"]): Department(int(str(department["id"])), quoted(str(department["name"])))
            for department in lists["departments"].values()
        }
        self._goals = {str(goal["name"]): str(goal["id"]) for goal in lists["goals"].values()}
        self._skills = {str(skill["name"]): str(skill["id"]) for skill in lists["skills"].values()}

    def draft(self, timestamp: int) -> Draft:
        """Decide what the next chat is about and how it goes, given about when it starts."""
        number, random = self.made, self._random
        self.made += 1
        visitor = self.crowd.next()
        desk = self._desk(visitor)
        department = self._department(desk.name)
        topic = pick(random, TOPICS[desk.name])
        present = self.rota.at(timestamp)
        special = number < _SPECIAL_CHATS
        away = _OFFLINE_SHARE_WHEN_OPEN if present else _OFFLINE_SHARE_WHEN_CLOSED
        if not special and random.random() < away:
            return Draft(number, visitor, desk, department, self._case(topic, desk, 0), None)
        dialogue = Dialogue(random, visitor.name, timestamp)
        agents = self._agents_for(timestamp, desk, present, special=special)
        if not agents:
            case = self._case(topic, desk, 20 + int(random.expovariate(1 / 150)))
            wait_in_vain(dialogue, case, department)
            return Draft(number, visitor, desk, department, case, dialogue)
        strain = 1 + _SLOWER_WITH_LOAD * load(present, timestamp, self._busy_until)
        case = self._served_case(topic, desk, [self._agents[agent] for agent in agents], strain, _SPECIAL_LINES.get(number))
        own = TEAM[agents[-1]].departments
        last = department if len(agents) == 1 or desk.name in own else self._department(own[0])
        hold(dialogue, case, [self._agents[agent] for agent in agents], (department, last))
        self._busy_until[agents[-1]] = timestamp + dialogue.now
        return Draft(number, visitor, desk, department, case, dialogue)

    def finish(self, draft: Draft, times: Times) -> ChatEntry:
        """Write a chat out, now that its time is known."""
        deleted = draft.number >= _SPECIAL_CHATS and self._random.random() < _DELETED_SHARE
        day = iso_seconds(times.start)
        identity = f"{day[2:4]}{day[5:7]}.{vocabulary.ACCOUNT_ID}.{token(self._random, 13)}"
        body = self._offline if draft.dialogue is None else self._chat
        return ChatEntry(
            identity=identity,
            kind="offline_msg" if draft.dialogue is None else "chat",
            created=times.start,
            ended=None if draft.dialogue is None else times.start + draft.duration,
            updated=times.updated,
            rating=None if draft.case.rating == "null" else draft.case.rating.strip('"'),
            visitor_id=draft.visitor.identity,
            deleted=deleted,
            body=body(draft, times, identity, deleted=deleted).encode(),
        )

    def _desk(self, visitor: Visitor) -> Desk:
        desk = _LANGUAGE_DESKS.get(visitor.country_code)
        if desk is not None and self._random.random() < _LANGUAGE_DESK_SHARE:
            return desk
        return self._random.choices(DESKS, cum_weights=_DESK_WEIGHTS)[0]

    def _department(self, name: str | None) -> Department:
        return self._departments.get(name, Department()) if name else Department()

    def _agents_for(self, timestamp: int, desk: Desk, present: Sequence[int], *, special: bool) -> list[int]:
        """Return who takes the chat: nobody, one agent, or two where the first hands over."""
        random = self._random
        if special:
            return [0]
        if not present:
            return []
        agent = choose_agent(random, present, desk.name, self._busy_until)
        if agent is None:
            missed, agent = _MISSED_SHARE_WITHOUT_MEMBERS, pick(random, present)
        else:
            missed = _MISSED_SHARE
        if random.random() < missed + _MISSED_SHARE_OF_LOAD * load(present, timestamp, self._busy_until):
            return []
        other = pick(random, present)
        return [agent, other] if other != agent and random.random() < _HANDOVER_SHARE else [agent]

    def _case(self, topic: Topic, desk: Desk, wait: int) -> Case:
        random = self._random
        phrases = PHRASES.get(desk.name or "", ENGLISH)
        return Case(
            topic=topic,
            phrases=phrases,
            order=f"R-{random.randrange(100_000, 1_000_000)}",
            item=pick(random, phrases.items),
            wait=wait,
            pace=desk.pace,
            tags=self._tags(topic),
        )

    def _served_case(self, topic: Topic, desk: Desk, agents: Sequence[Speaker], strain: float, first_line: str | None) -> Case:
        random = self._random
        phrases, agent = PHRASES.get(desk.name or "", ENGLISH), agents[-1]
        post = TEAM[agents[0].number]
        wait = max(2, int(random.lognormvariate(0, _WAIT_SPREAD) * desk.first_response * post.slowness * strain))
        solved = random.random() < desk.solved
        rating, comment = "null", "null"
        if random.random() < _RATED_SHARE:
            chance = (
                desk.satisfied
                + post.charm
                - (_SLOW_PENALTY if wait > _SLOW_SECONDS else 0)
                - (0 if solved else _UNSOLVED_PENALTY)
            )
            good = random.random() < chance
            rating = '"good"' if good else '"bad"'
            if random.random() < _COMMENT_SHARE:
                comment = pick(random, phrases.good_comments if good else phrases.bad_comments)
                comment = quoted(comment.replace("{agent}", json.loads(agent.name)))
        return Case(
            topic=topic,
            phrases=phrases,
            order=f"R-{random.randrange(100_000, 1_000_000)}",
            item=pick(random, phrases.items),
            wait=wait,
            pace=desk.pace * post.slowness,
            solved=solved,
            rating=rating,
            comment=comment,
            tags=self._tags(topic),
            started_by=pick(random, _STARTED_BY),
            upload=random.random() < _UPLOAD_SHARE,
            first_line=first_line,
        )

    def _tags(self, topic: Topic) -> str:
        random = self._random
        tags = [topic.tag] if random.random() < _TOPIC_TAG_SHARE else []
        if random.random() < _OTHER_TAG_SHARE:
            other = random.choices(OTHER_TAGS, cum_weights=_TAG_WEIGHTS)[0]
            tags += [other] if other not in tags else []
        return f"[{','.join(map(quoted, tags))}]"

    def _session(self, draft: Draft, times: Times) -> str:
        random = self._random
        day = iso_seconds(times.start)
        foreign = draft.number == _FOREIGN_CHAT
        begun = _MALFORMED_DATE if foreign else iso_seconds(times.start - 50 - below(random, 400))
        seen = draft.visitor.session
        if foreign:
            # A message posted through the API: session and address are whatever was posted.
            seen = _FALSE_LOCATION
        return (
            f'{{"id":"{day[2:4]}{day[5:7]}{day[8:10]}.{vocabulary.ACCOUNT_ID}.{token(random, 14)}",{seen},'
            f'"start_date":"{begun}","end_date":"{iso_seconds(times.start + draft.duration)}"}}'
        )

    def _webpath(self, draft: Draft, start: int) -> str:
        random = self._random
        steps, referrer = [], pick(random, vocabulary.REFERRERS)
        count = below(random, 4)
        for number in range(count):
            page, title = pick(random, vocabulary.PAGES)
            if number == count - 1:
                page, title = vocabulary.SHOP + draft.case.topic.page, vocabulary.TITLES[draft.case.topic.page]
            if random.random() < _WEBPATH_ARRAY_SHARE:
                steps.append(f'[{start - 40 + number},"{page}",null]')
            else:
                timestamp = iso_seconds(start - 40 + 12 * number)
                steps.append(f'{{"timestamp":"{timestamp}","from":"{referrer}","to":"{page}","title":"{title}"}}')
            referrer = page
        return f"[{','.join(steps)}]"

    def _offline(self, draft: Draft, times: Times, identity: str, *, deleted: bool) -> str:
        random, case = self._random, draft.case
        # Old rows have no tags at all, which is not the same as an empty list.
        tags = "" if random.random() < _RARE_SHARE else f'"tags":{case.tags},'
        message = case.fill(pick(random, case.topic.offline))
        return (
            f'{{"id":"{identity}","type":"offline_msg","timestamp":"{iso_seconds(times.start)}",'
            f'"update_timestamp":"{iso_seconds(times.updated)}","message":"{message}",'
            f'"unread":{pick(random, ("false", "false", "true", "0", "1"))},"deleted":{str(deleted).lower()},{tags}'
            f'"webpath":{self._webpath(draft, times.start)},'
            f'"department_id":{draft.department.number},"department_name":{draft.department.name},'
            f'"zendesk_ticket_id":{self._ticket(draft)},'
            f'"visitor":{draft.visitor.record},"session":{self._session(draft, times)}}}'
        )

    def _ticket(self, draft: Draft) -> str:
        return str(_FIRST_TICKET + draft.number) if self._random.random() < _TICKET_SHARE else "null"

    def _chat(self, draft: Draft, times: Times, identity: str, *, deleted: bool) -> str:
        dialogue = draft.dialogue
        assert dialogue is not None  # noqa: S101 -- offline messages are written elsewhere
        account, _, name = draft.visitor.identity.partition(".")
        for part in dialogue.parts:
            self.engagements.append((part.agent.identity, times.start + part.joined, times.start + part.left))
        engagements = ",".join(
            self._engagement(draft, part, identity, times, position) for position, part in enumerate(dialogue.parts)
        )
        return (
            self._outline(draft, dialogue, times, identity, deleted=deleted)
            + f'"conversions":{self._conversions(draft, times, identity)},"engagements":[{engagements}],'
            + f'"history":[{dialogue.history(times.start, f"#supportchat:{account}-{name}")}]}}'
        )

    def _outline(self, draft: Draft, dialogue: Dialogue, times: Times, identity: str, *, deleted: bool) -> str:
        random, case = self._random, draft.case
        engine, terms = pick(random, vocabulary.SEARCHES)
        triggered = case.started_by == "trigger"
        served = bool(dialogue.parts)
        # Keys that are null in most rows are missing in some.
        comment = "" if case.comment == "null" and random.random() < _RARE_SHARE else f'"comment":{case.comment},'
        abandon = "" if served else pick(random, ("", '"abandon_time":null,', *[f'"abandon_time":{case.wait},'] * 6))
        missed = "false" if served else "true"
        skill = self._skills.get(_LANGUAGE_SKILLS.get(draft.visitor.country_code, ""), "")
        return (
            f'{{"id":"{identity}","type":"chat","timestamp":"{iso_seconds(times.start)}",'
            f'"end_timestamp":"{iso_seconds(times.start + dialogue.now)}","update_timestamp":"{iso_seconds(times.updated)}",'
            f'"started_by":"{case.started_by}","visitor":{draft.visitor.record},'
            f'"session":{self._session(draft, times)},"webpath":{self._webpath(draft, times.start)},'
            f'"agent_ids":[{",".join(_distinct(f"{chr(34)}{part.agent.identity}{chr(34)}" for part in dialogue.parts))}],'
            f'"agent_names":[{",".join(_distinct(part.agent.name for part in dialogue.parts))}],'
            f'"department_id":{draft.department.number},"department_name":{draft.department.name},'
            f"{_measures(dialogue.by_visitor, dialogue.by_agent, dialogue.responses())},"
            f'"duration":{dialogue.now},"missed":{missed},"dropped":{missed},'
            f'{abandon}"proactive":false,"triggered":{str(triggered).lower()},'
            f'"triggered_response":{"true" if triggered else "null"},'
            f'"unread":{pick(random, ("false", "false", "false", "false", "0", "1"))},"deleted":{str(deleted).lower()},'
            f'"rating":{case.rating},{comment}"tags":{case.tags},'
            f'"referrer_search_engine":{quoted(engine)},"referrer_search_terms":{quoted(terms)},'
            f'"skills_requested":[{skill}],"skills_fulfilled":{str(served and bool(skill)).lower()},'
            f'"zendesk_ticket_id":{self._ticket(draft)},'
        )

    def _conversions(self, draft: Draft, times: Times, identity: str) -> str:
        if times.converted is None or draft.dialogue is None:
            return "[]"
        name = pick(self._random, draft.goals)
        part = draft.dialogue.parts[-1]
        return (
            f'[{{"id":"{identity}.conv01","timestamp":"{iso_seconds(times.converted)}","goal_id":{self._goals[name]},'
            f'"goal_name":{quoted(name)},'
            f'"attribution":{{"agent_id":{part.agent.identity},"agent_name":{part.agent.name},'
            f'"department_id":{draft.department.number},"department_name":{draft.department.name},'
            f'"chat_timestamp":"{iso_seconds(times.start)}"}}}}]'
        )

    def _engagement(self, draft: Draft, part: Part, identity: str, times: Times, position: int) -> str:
        last = draft.dialogue is not None and part is draft.dialogue.parts[-1]
        rating, comment = (draft.case.rating, draft.case.comment) if last else ("null", "null")
        return (
            f'{{"id":"{identity}.e{position}","started_by":"{part.started_by}","agent_id":"{part.agent.identity}",'
            f'"agent_name":{part.agent.name},"agent_full_name":{part.agent.full_name},'
            f'"department_id":{part.department.number},'
            f'"assigned":true,"accepted":true,"rating":{rating},"comment":{comment},"skills_requested":[],'
            f'"skills_fulfilled":false,"timestamp":"{iso_seconds(times.start + part.joined)}",'
            f'"duration":{part.left - part.joined}.0,{_measures(part.by_visitor, part.by_agent, part.responses)}}}'
        )


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _measures(by_visitor: int, by_agent: int, responses: Sequence[int]) -> str:
    count = f'{{"total":{by_visitor + by_agent},"visitor":{by_visitor},"agent":{by_agent}}}'
    if not responses:
        return f'"count":{count},"response_time":{{"first":null,"avg":null,"max":null}}'
    average = sum(responses) / len(responses)
    return f'"count":{count},"response_time":{{"first":{responses[0]},"avg":{average:.4f},"max":{max(responses)}}}'
