"""The visitors of the simulated account: who they are, where they are, and that they come back.

Addresses are from ranges that nobody uses (198.18.0.0/15 is for benchmarks, 2001:db8::/32 for documentation). Each city
has blocks of its own, so that an address, its city and its country always agree.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final

from zendesk_chat_sandbox import vocabulary
from zendesk_chat_sandbox.chance import below, pick, token
from zendesk_chat_sandbox.json_text import quoted

RETURNING_SHARE: Final = 0.355
"""A little more than a third, as the first visitors cannot return."""
_REGULAR_SHARE: Final = 0.4
_ANONYMOUS_SHARE: Final = 0.3
_ODD_NAME_SHARE: Final = 0.03
_IPV6_SHARE: Final = 0.12
_BLOCKS_PER_CITY: Final = 4
_MAIL_HOSTS: Final = ("example.com", "example.com", "example.org", "mail.example.net")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor as chats show one; strings are JSON already."""

    identity: str
    record: str
    name: str
    session: str
    country_code: str


class Crowd:
    """All visitors so far; hands out a new one or one who returns."""

    def __init__(self, random: Random, returning: float) -> None:
        self._random = random
        self._returning = returning
        self._known: list[Visitor] = []
        self._names = {culture: tuple(_names(*lists)) for culture, lists in vocabulary.NAMES.items()}
        self._odd_names = tuple(quoted(name) for name in vocabulary.VISITOR_NAMES)
        self._locations = tuple(enumerate(vocabulary.LOCATIONS))
        self._weights = [location.weight for location in vocabulary.LOCATIONS]

    def next(self) -> Visitor:
        """Return who writes next. Who has returned often is more likely to return again."""
        random = self._random
        if not self._known or random.random() >= self._returning:
            self._known.append(self._new())
            return self._known[-1]
        visitor = pick(random, self._known)
        if random.random() < _REGULAR_SHARE:
            self._known.append(visitor)
        return visitor

    def _new(self) -> Visitor:
        random = self._random
        number, location = random.choices(self._locations, self._weights)[0]
        identity = token(random, 16)
        chance, digits = random.random(), random.randrange(10_000_000, 100_000_000)
        email = phone = ""
        if chance < _ANONYMOUS_SHARE:
            name = f'"Visitor {digits}"'
        else:
            name, local = pick(random, self._names[location.culture])
            email = f"{local}{digits % 97}@{_MAIL_HOSTS[digits % 4]}" if digits % 5 else ""
            phone = f"+{location.calling_code} 555 {digits % 10_000:04d}" if digits % 4 == 0 else ""
            if chance > 1 - _ODD_NAME_SHARE:
                name = pick(random, self._odd_names)
        record = f'{{"id":"{vocabulary.ACCOUNT_ID}.{identity}","name":{name},"email":"{email}","phone":"{phone}","notes":""}}'
        browser, platform, agent = pick(random, vocabulary.BROWSERS)
        session = (
            f'"browser":"{browser}","platform":"{platform}","user_agent":"{agent}","ip":"{_address(random, number)}",'
            f'"city":"{location.city}","region":"{location.region}","country_code":"{location.code}","country_name":"{location.country}"'
        )
        return Visitor(f"{vocabulary.ACCOUNT_ID}.{identity}", record, name, session, location.code)


def _address(random: Random, location: int) -> str:
    block = location * _BLOCKS_PER_CITY + below(random, _BLOCKS_PER_CITY)
    if random.random() < _IPV6_SHARE:
        return f"2001:db8:{block:x}::{random.randrange(1, 65_536):x}"
    return f"198.18.{block}.{random.randrange(1, 255)}"


def _names(given: tuple[str, ...], family: tuple[str, ...], form: str) -> Iterator[tuple[str, str]]:
    """Return names as JSON, each with the part before the @ of its e-mail address.

    A name may have its Latin form behind a slash: ``花子/hanako``.
    """
    for first, last in product(given, family):
        (first_name, _, first_latin), (last_name, _, last_latin) = first.partition("/"), last.partition("/")
        local = f"{_ascii(first_latin or first_name)}.{_ascii(last_latin or last_name)}"
        yield quoted(form.format(first=first_name, last=last_name)), local


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o").replace("ł", "l").replace("Ł", "L").replace("ß", "ss"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalpha())
