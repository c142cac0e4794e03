"""Personal data inside of free text, found by its form.

The patterns lean towards too much: a phone number has no one form, and what only looks like one is masked too. Each takes time
that grows with the length of the text and no faster, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from ipaddress import AddressValueError, IPv6Address
from typing import Final, TypeAlias

from source_zendesk_chat.redaction import KINDS, Kind

Finder: TypeAlias = Callable[[str], Iterator[tuple[int, int]]]

_ZEROS: Final = "\uff10\u0660\u06f0\u0966\u09e6"  # full-width, Arabic, Persian, Devanagari, Bengali
_PLAIN: Final = {ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)} | str.maketrans(
    "\uff20\uff0e\uff0b\uff0d\uff08\uff09\uff1a\u00a0\u2007\u2009\u202f\u3000\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "@.+-():     -------",
)

_AT: Final = r"(?:@|%(?:25)?40)"
_LOCAL: Final = r"[^\s@<>()\[\]{},;:\"\\/=?&|%\u3001\u3002\uff0c\uff1b\u201c\u201d\u201e]"
_LABEL: Final = r"[\w\u0300-\u036f-]"  # with accents that are characters of their own
_ADDRESS: Final = rf"(?:{_LOCAL}|%(?!(?:25)?40)[0-9A-Fa-f]{{2}})++{_AT}(?:{_LABEL}++\.)+[^\W\d_]{_LABEL}+"
_EMAIL: Final = re.compile(
    rf"(?<!{_LOCAL})(?!(?<=%)[0-9A-Fa-f]{{2}})"  # only where a run begins, so that each run is gone through once
    rf"{_ADDRESS}(?:{_ADDRESS})*+"  # such as jo@example.com%2Cann@example.com
)

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_IPV4: Final = re.compile(rf"(?<![A-Za-z0-9_.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z0-9_]|\.\d)", re.ASCII)
_IPV6: Final = re.compile(r"(?<![0-9A-Fa-f:.])(?=[0-9A-Fa-f.]*+:[0-9A-Fa-f.]*+:)[0-9A-Fa-f:.]++")
_LONGEST_IPV6: Final = 50

_CARD: Final = re.compile(
    r"(?<![\d+])(?=([2-6]\d{3}(?:[._]\d{4}){3}|[2-6]\d\d++(?:[ -]{1,3}\d\d++){0,4}))",  # a dot may be a decimal's as well
    re.ASCII,
)
_GROUP: Final = re.compile(r"\d++", re.ASCII)
_ISSUED: Final = re.compile(  # leading digits of the issuers, and how many there are in all
    r"4(?:\d{12}|\d{15}|\d{18})|[56]\d{15,18}|(?:2[2-7]|35)\d{14,17}|3[47]\d{13}|3[0689]\d{12}", re.ASCII
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

_GAP: Final = r"[ .\-/()\t]"
_ALONE: Final = r"(?<![A-Za-z0-9_#])(?<!\b0[.,])"  # no part of an identifier, no order's number, no decimals
_NO_DATE: Final = r"(?<!\b19\d\d[./-])(?<!\b20\d\d[./-])(?!\d\d[./-](?:\d\d?[./-])?(?:19|20)\d\d(?!\d))"
_PHONE: Final = re.compile(
    rf"(?:\+|%2B)\(?\d(?:{_GAP}{{0,3}}\d){{6,14}}(?!\d)"  # +49 (0)30 1234567
    rf"|{_ALONE}00[1-9](?:{_GAP}{{0,2}}\d){{8,12}}(?!\d)"  # 0049 30 1234567
    rf"|{_ALONE}(?:1{_GAP}?)?\(?[2-9]\d\d\)?{_GAP}{{0,2}}[2-9]\d\d{_GAP}?\d{{4}}(?!\d)"  # (555) 234-5678
    rf"|{_ALONE}{_NO_DATE}0[1-9](?:{_GAP}?\d\d){{4}}(?!\d)"  # 06 12 34 56 78
    rf"|{_ALONE}\(?{_NO_DATE}0[1-9](?:{_GAP}{{0,3}}\d){{7,10}}(?!\d)"  # 020 7946 0958
    rf"|{_ALONE}[2-9]\d\d(?P<sign>[ .-])\d{{3}}(?P=sign)\d{{4}}(?!\d)"  # 555-123-4567
    rf"|{_ALONE}\((?!19\d\d\)|20\d\d\))\d{{2,5}}\)(?:{_GAP}{{0,2}}\d){{7,9}}(?!\d)"  # (11) 98765-4321
    rf"|{_ALONE}[1-9]\d 9\d{{4}}[ -]?\d{{4}}(?!\d)"  # 11 98765-4321
    rf"|{_ALONE}1[3-9]\d[ -]\d{{4}}[ -]\d{{4}}(?!\d)"  # 138 1234 5678
    rf"|{_ALONE}8{_GAP}?\(?9\d\d\)?{_GAP}{{0,2}}\d{{3}}(?:{_GAP}?\d\d){{2}}(?!\d)"  # 8 (912) 345-67-89
    rf"|{_ALONE}[5-9]\d\d(?:[ -](?!000)\d{{3}}){{2}}(?!\d|[.,]\d)"  # 612 345 678
    rf"|{_ALONE}[6-9]\d{{4}}[ -]\d{{5}}(?!\d)",  # 98765 43210
    re.ASCII,
)
_DIGIT: Final = re.compile(r"\d", re.ASCII)
_HINT: Final = re.compile(r"[\d@\uff20%]")  # without one of these there is nothing to find
_HINTS: Final[dict[Kind, re.Pattern[str]]] = {  # what is quickly looked for, and in all that is to be found
    "email": re.compile(_AT),
    "ip": re.compile(r"\d\.\d{1,3}\.\d|::|(?::[0-9A-Fa-f]{1,4}){6}", re.ASCII),
    "card": re.compile(r"\d(?:[ ._-]{0,3}\d){12}", re.ASCII),
    "phone": re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{8}}|(?:\+|%2B)\(?\d", re.ASCII),
}


def masker(kinds: Collection[Kind]) -> Callable[[str], str]:
    """The function that puts a word such as ``[email]`` in the place of each piece of personal data of these kinds."""
    wanted = [(f"[{kind}]", _HINTS[kind], _FINDERS[kind]) for kind in KINDS if kind in kinds]

    def mask_once(text: str) -> str:
        plain = _plain(text)
        for word, hint, find in wanted:
            if hint.search(plain):
                text = _replaced(text, find(plain), word)
                plain = _plain(text)
        return text

    def mask(text: str) -> str:
        if not _HINT.search(text):
            return text
        for _ in KINDS:  # what is masked may have hidden what stands beside it
            before, text = text, mask_once(text)
            if text == before:
                break
        return text

    return mask


def _plain(text: str) -> str:
    """The text, character by character, with the digits, spaces and signs that the patterns are written for."""
    return text if text.isascii() else text.translate(_PLAIN)


def _replaced(text: str, spans: Iterable[tuple[int, int]], word: str) -> str:
    parts: list[str] = []
    reached = 0
    for begin, end in spans:
        parts += text[reached:begin], word
        reached = end
    return "".join((*parts, text[reached:]))


def _emails(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _EMAIL.finditer(text))


def _phones(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _PHONE.finditer(text))


def _ips(text: str) -> Iterator[tuple[int, int]]:
    version_4 = (match.span() for match in _IPV4.finditer(text))
    version_6 = (span for match in _IPV6.finditer(text) if (span := _ipv6_in(match)))
    return _apart(sorted((*version_4, *version_6)))


def _ipv6_in(run: re.Match[str]) -> tuple[int, int] | None:
    """Where in a run of digits and colons an address is: all of it, or without the end of the word or the stop around it."""
    text = run[0].rstrip(".")
    text = text if text.endswith("::") else text.removesuffix(":")
    colon = text.find(":")
    for skipped in (0, colon, colon + 1):
        if _is_ipv6(text[skipped:]):
            return run.start() + skipped, run.start() + len(text)
    return None


def _is_ipv6(text: str) -> bool:
    try:
        return len(text) <= _LONGEST_IPV6 and bool(_DIGIT.search(text)) and bool(IPv6Address(text))
    except AddressValueError:
        return False


def _cards(text: str) -> Iterator[tuple[int, int]]:
    return _apart((run.start(), end) for run in _CARD.finditer(text) if (end := _card_end(run)))


def _card_end(run: re.Match[str]) -> int:
    """Where in a row of groups of digits the card number ends that begins there; 0 where there is none."""
    digits, end = "", 0
    for group in _GROUP.finditer(run[1]):
        digits += group[0]
        if _is_card(digits):
            end = run.start() + group.end()
    return end


def _is_card(digits: str) -> bool:
    """Whether an issuer uses such numbers, and the check digit (ISO/IEC 7812-1, annex B) is right."""
    if not _ISSUED.fullmatch(digits):
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


def _apart(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans, in order, that begin after the one before them has ended."""
    reached = 0
    for begin, end in spans:
        if begin >= reached:
            reached = end
            yield begin, end


_FINDERS: Final[dict[Kind, Finder]] = {"email": _emails, "ip": _ips, "card": _cards, "phone": _phones}
