"""Seeded chats and offline messages, with the drift of types that real accounts have collected over the years."""

from dataclasses import dataclass
from random import Random
from typing import Final

from zendesk_chat_sandbox import texts
from zendesk_chat_sandbox.chat_store import ChatEntry
from zendesk_chat_sandbox.seed_history import (
    COMMENTS,
    ESCAPED_EMOJI_LINE,
    LONE_SURROGATE_LINE,
    LONG_LINE,
    Agent,
    Talk,
    Transcript,
    quoted,
    seconds_to_us,
    write_transcript,
)
from zendesk_chat_sandbox.seed_lists import ACCOUNT_ID, Lists
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, iso_seconds

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OFFLINE_SHARE: Final = 0.15
_MISSED_SHARE: Final = 0.08
_ODD_NAME_SHARE: Final = 0.35
_DELETED_SHARE: Final = 0.004
_WEBPATH_ARRAY_SHARE: Final = 0.02
_RARE_SHARE: Final = 0.06
_SESSION_FORMS: Final = 256
_SPECIAL_CHATS: Final = 5
"""The first chats made are chats, never offline messages, and carry the oddities once each."""
_MALFORMED_DATE: Final = "2017-04-24T12:45:32+00:00Z"
_BAD_DATE_CHAT: Final = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """When a chat took place, in epoch seconds."""

    start: int
    end: int
    updated: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The parts that chats and offline messages share; JSON text."""

    identity: str
    visitor_id: str
    visitor: str
    visitor_name: str
    session: str
    webpath: str
    department: int | None
    department_name: str
    tags: str


class ChatMaker:
    """Makes one chat after the other from a seeded source of randomness and the account's lists."""

    def __init__(self, random: Random, lists: Lists) -> None:
        self._random = random
        self.made = 0
        self._agents = [
            Agent(int(str(agent["id"])), quoted(str(agent["display_name"])), quoted(str(agent["first_name"])))
            for agent in lists["agents"].values()
        ]
        self._departments = [
            (int(str(department["id"])), quoted(str(department["name"]))) for department in lists["departments"].values()
        ]
        self._goals = [(goal["id"], quoted(str(goal["name"]))) for goal in lists["goals"].values()]
        self._skills = [str(skill["id"]) for skill in lists["skills"].values()]
        self._sessions = [self._session_form() for _ in range(_SESSION_FORMS)]

    def make(self, timing: Timing, conversion_time: int | None = None) -> ChatEntry:
        """Make a chat; with ``conversion_time`` one that led to a goal."""
        number = self.made
        self.made += 1
        random = self._random
        deleted = number >= _SPECIAL_CHATS and random.random() < _DELETED_SHARE
        offline = number >= _SPECIAL_CHATS and conversion_time is None and random.random() < _OFFLINE_SHARE
        seen = self._see(timing, number)
        if offline:
            return self._offline(timing, seen, deleted=deleted)
        return self._chat(timing, seen, self._conversion(seen, timing, conversion_time), number, deleted=deleted)

    def _token(self, length: int) -> str:
        return "".join(self._random.choices(_ALPHABET, k=length))

    def _session_form(self) -> tuple[str, str]:
        random = self._random
        browser, platform, agent = random.choice(texts.BROWSERS)
        city, region, code, country = random.choice(texts.PLACES)
        address = f"198.51.100.{random.randrange(256)}"
        form = (
            f'"browser":"{browser}","platform":"{platform}","user_agent":"{agent}","ip":"{address}","city":"{city}",'
            f'"region":"{region}","country_code":"{code}","country_name":"{country}"'
        )
        return form, random.choice(texts.REFERRERS)

    def _see(self, timing: Timing, number: int) -> Seen:
        random = self._random
        day = iso_seconds(timing.start)
        stamp = f"{day[2:4]}{day[5:7]}"
        visitor_id = f"{ACCOUNT_ID}.{self._token(16)}"
        digits = random.randrange(10_000_000, 100_000_000)
        name = quoted(random.choice(texts.VISITOR_NAMES)) if random.random() < _ODD_NAME_SHARE else f'"Visitor {digits}"'
        email = f"visitor{digits}@example.com" if digits % 3 else ""
        phone = f"+1555{digits}" if digits % 4 == 0 else ""
        session, referrer = random.choice(self._sessions)
        begun = _MALFORMED_DATE if number == _BAD_DATE_CHAT else iso_seconds(timing.start - 50)
        department, department_name = random.choice(self._departments) if digits % 4 else (None, "null")
        return Seen(
            identity=f"{stamp}.{ACCOUNT_ID}.{self._token(13)}",
            visitor_id=visitor_id,
            visitor=f'{{"id":"{visitor_id}","name":{name},"email":"{email}","phone":"{phone}","notes":""}}',
            visitor_name=name,
            session=f'{{"id":"{stamp}{day[8:10]}.{ACCOUNT_ID}.{self._token(14)}",{session},"start_date":"{begun}",'
            f'"end_date":"{iso_seconds(timing.end)}"}}',
            webpath=self._webpath(timing.start, referrer),
            department=department,
            department_name=department_name,
            tags="[]" if digits % 2 else f"[{quoted(random.choice(texts.TAGS))}]",
        )

    def _webpath(self, start: int, referrer: str) -> str:
        random = self._random
        steps = []
        for number in range(random.randrange(4)):
            page, title = random.choice(texts.PAGES)
            moment = iso_seconds(start - 40 + 9 * number)
            if random.random() < _WEBPATH_ARRAY_SHARE:
                steps.append(f'[{start + number},"{page}",null]')
            else:
                steps.append(f'{{"timestamp":"{moment}","from":"{referrer}","to":"{page}","title":"{title}"}}')
            referrer = page
        return f"[{','.join(steps)}]"

    def _offline(self, timing: Timing, seen: Seen, *, deleted: bool) -> ChatEntry:
        random = self._random
        # Old rows have no tags at all, which is not the same as an empty list.
        tags = "" if random.random() < _RARE_SHARE else f'"tags":{seen.tags},'
        unread = random.choice(("false", "true", "0", "1"))
        body = (
            f'{{"id":"{seen.identity}","type":"offline_msg","timestamp":"{iso_seconds(timing.end)}",'
            f'"update_timestamp":"{iso_seconds(timing.updated)}","message":{quoted(random.choice(texts.OFFLINE_LINES))},'
            f'"unread":{unread},"deleted":{str(deleted).lower()},{tags}"webpath":{seen.webpath},'
            f'"department_id":{seen.department or "null"},"department_name":{seen.department_name},'
            f'"zendesk_ticket_id":{random.choice(("null", str(random.randrange(1, 90_000))))},'
            f'"visitor":{seen.visitor},"session":{seen.session}}}'
        )
        return ChatEntry(
            identity=seen.identity,
            kind="offline_msg",
            created=timing.end,
            ended=None,
            updated=timing.updated,
            rating=None,
            visitor_id=seen.visitor_id,
            deleted=deleted,
            body=body.encode(),
        )

    def _conversion(self, seen: Seen, timing: Timing, moment: int | None) -> str:
        if moment is None:
            return "[]"
        goal, name = self._random.choice(self._goals)
        agent = self._random.choice(self._agents)
        return (
            f'[{{"id":"{seen.identity}.conv01","timestamp":"{iso_seconds(moment)}","goal_id":{goal},"goal_name":{name},'
            f'"attribution":{{"agent_id":{agent.identity},"agent_name":{agent.name},'
            f'"department_id":{seen.department or "null"},"department_name":{seen.department_name},'
            f'"chat_timestamp":"{iso_seconds(timing.start)}"}}}}]'
        )

    def _first_line(self, number: int) -> str | None:
        special = {1: LONE_SURROGATE_LINE, 2: LONG_LINE, 4: ESCAPED_EMOJI_LINE}
        return special.get(number)

    def _chat(self, timing: Timing, seen: Seen, conversions: str, number: int, *, deleted: bool) -> ChatEntry:
        random = self._random
        missed = number >= _SPECIAL_CHATS and random.random() < _MISSED_SHARE
        agents = [] if missed else random.choices(self._agents, k=2 if random.random() < _RARE_SHARE else 1)
        rating = "null" if missed else random.choice(('"good"', "null", "null", "null", '"bad"'))
        comment = random.choice(COMMENTS) if rating != "null" and random.random() < 1 / 2 else "null"
        messages = 1 if missed else 1 + min(int(random.expovariate(0.28)), 60)
        talk = Talk(
            department=seen.department,
            department_name=seen.department_name,
            tags=seen.tags,
            rating=rating,
            comment=comment,
            messages=messages,
            first_line=self._first_line(number),
        )
        begin_us = seconds_to_us(timing.start, random)
        account, _, token = seen.visitor_id.partition(".")
        transcript = Transcript(f"#supportchat:{account}-{token}", seen.visitor_name, begin_us, newer=random.random() < 1 / 2)
        history = write_transcript(random, transcript, agents, talk, max(timing.end * 1_000_000, begin_us))
        body = (
            self._outline(timing, seen, talk, agents, deleted=deleted)
            + f'"conversions":{conversions},"engagements":{self._engagements(timing, seen, talk, agents)},'
            + f'"history":[{history}]}}'
        )
        return ChatEntry(
            identity=seen.identity,
            kind="chat",
            created=timing.start,
            ended=timing.end,
            updated=timing.updated,
            rating=None if rating == "null" else rating.strip('"'),
            visitor_id=seen.visitor_id,
            deleted=deleted,
            body=body.encode(),
        )

    def _outline(self, timing: Timing, seen: Seen, talk: Talk, agents: list[Agent], *, deleted: bool) -> str:
        random = self._random
        engine, terms = random.choice(texts.SEARCHES)
        triggered = random.random() < _RARE_SHARE
        # Keys that are null in most rows are left out of some.
        comment = "" if talk.comment == "null" and random.random() < _RARE_SHARE else f'"comment":{talk.comment},'
        abandon = random.choice(("", '"abandon_time":null,', f'"abandon_time":{random.randrange(900)},'))
        missed = "false" if agents else "true"
        agent_ids = ",".join(f'"{agent.identity}"' for agent in agents)
        return (
            f'{{"id":"{seen.identity}","type":"chat","timestamp":"{iso_seconds(timing.start)}",'
            f'"end_timestamp":"{iso_seconds(timing.end)}","update_timestamp":"{iso_seconds(timing.updated)}",'
            f'"started_by":"{random.choice(("visitor", "visitor", "agent", "trigger"))}","visitor":{seen.visitor},'
            f'"session":{seen.session},"webpath":{seen.webpath},'
            f'"agent_ids":[{agent_ids}],'
            f'"agent_names":[{",".join(agent.name for agent in agents)}],'
            f'"department_id":{seen.department or "null"},"department_name":{seen.department_name},'
            f"{self._measures(talk, agents)},"
            f'"duration":{timing.end - timing.start},"missed":{missed},"dropped":{missed},'
            f'{abandon if not agents else ""}"proactive":false,"triggered":{str(triggered).lower()},'
            f'"triggered_response":{"true" if triggered else "null"},'
            f'"unread":{random.choice(("false", "false", "false", "true", "0", "1"))},"deleted":{str(deleted).lower()},'
            f'"rating":{talk.rating},{comment}"tags":{talk.tags},'
            f'"referrer_search_engine":{quoted(engine)},"referrer_search_terms":{quoted(terms)},'
            f'"skills_requested":[{random.choice(("", "", *self._skills))}],'
            f'"skills_fulfilled":{str(bool(agents)).lower()},'
            f'"zendesk_ticket_id":{random.choice(("null", str(random.randrange(1, 90_000))))},'
        )

    def _measures(self, talk: Talk, agents: list[Agent]) -> str:
        by_agents = talk.messages // 2 if agents else 0
        count = f'{{"total":{talk.messages},"visitor":{talk.messages - by_agents},"agent":{by_agents}}}'
        if not agents:
            return f'"count":{count},"response_time":{{"first":null,"avg":null,"max":null}}'
        first = self._random.randrange(1, 90)
        return f'"count":{count},"response_time":{{"first":{first},"avg":{first * 1.0173},"max":{first + 4}}}'

    def _engagements(self, timing: Timing, seen: Seen, talk: Talk, agents: list[Agent]) -> str:
        span = max(1, timing.end - timing.start)
        items = [
            f'{{"id":"{seen.identity}.e{number}","started_by":"visitor","agent_id":"{agent.identity}",'
            f'"agent_name":{agent.name},"agent_full_name":{agent.full_name},'
            f'"department_id":{seen.department or "null"},'
            f'"assigned":true,"accepted":true,"rating":{talk.rating},"comment":{talk.comment},"skills_requested":[],'
            f'"skills_fulfilled":false,"timestamp":"{iso_seconds(timing.start + 8)}","duration":{span * 0.93:.2f},'
            f"{self._measures(talk, agents)}}}"
            for number, agent in enumerate(agents)
        ]
        return f"[{','.join(items)}]"


def timing_of(random: Random, end: int, updated: int) -> Timing:
    """Return a chat that ended at ``end`` after a few minutes."""
    return Timing(start=end - random.randint(20, 3_600), end=end, updated=updated)


def late_update(random: Random, end: int, now: int) -> int:
    """Return when a chat was last touched: mostly minutes after it ended, at times weeks; never after ``now``."""
    delay = random.randint(5, 600) if random.random() > _RARE_SHARE else random.randint(3_600, 30 * DAY_SECONDS)
    return max(end, min(end + delay, now - 1))
