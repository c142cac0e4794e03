"""Finds personal data in free text by its format, and masks it.

The patterns mask too much rather than too little: phone numbers have many formats, and some order numbers look like one. They
match the plain form of a string (``plain_text``). The original span is masked. Their time is linear in the length of a string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from itertools import chain
from typing import Final

from zendesk_chat.redaction.plain_text import Span, View, views
from zendesk_chat.redaction.rules import KINDS, Kind

_AT: Final = r"(?:@|\s{0,3}[\[({<]\s?(?i:@|at|arroba)\s?[\])}>]\s{0,3})"  # jo (at) mail.example
# .  \u3002 before a letter  [.]  (dot)
_DOT: Final = r"(?:\.|\u3002(?=[A-Za-z])|\s{0,3}[\[({<]\s?(?i:\.|dot|punto|punkt)\s?[\])}>]\s{0,3})"
# A character before the at sign. jo'brien+tag is possible. Characters that enclose or separate addresses are excluded.
_LOCAL: Final = r"[^\s@<>()\[\]{},;:\"\\/=?&|%\u3001\u3002\u201c\u201d\u201e]"
# jo@mail.example: the last label begins with a letter, so that 2@3.50 is a price
_ADDRESS: Final = rf"{_LOCAL}++{_AT}(?:[\w-]++{_DOT})+[^\W\d_][\w-]+"
_EMAIL: Final = re.compile(
    rf"(?<!{_LOCAL})(?!(?<=%)[0-9A-Fa-f]{{2}})"  # only at the start of a run, so that each run is searched once
    rf"{_ADDRESS}(?:{_ADDRESS})*+"  # such as jo@x.com!ann@y.org
)

# 203.0.113.7, 203[.]0[.]113[.]7; not the version v1.2.3.4, nor 1.2.3.4.5
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
_IP_DOT: Final = r"(?:\.|\[\.\]|\(\.\))"
_IPV4: Final = re.compile(rf"(?<![A-Za-z0-9_.])(?:{_OCTET}{_IP_DOT}){{3}}{_OCTET}(?![A-Za-z0-9_]|\.\d)", re.ASCII)
_IPV6: Final = re.compile(r"(?<![0-9A-Fa-f:.])(?=[0-9A-Fa-f.]*+:[0-9A-Fa-f.]*+:)[0-9A-Fa-f:.]++")  # 2001:db8::1, 10:30:00
_LONGEST_IPV6: Final = 50
_LIKE_IP: Final = re.compile(  # malformed addresses, in a field for them
    rf"(?<![A-Za-z0-9_.])\d{{1,9}}(?:{_IP_DOT}{{1,2}}(?:\d{{1,9}}|[xX*]{{1,3}})){{2,7}}(?![A-Za-z0-9_])"  # 203.0.299.96
    r"|(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:.]*\d)(?=[0-9A-Fa-f.]*+(?:::|(?::[0-9A-Fa-f.]*+){3}))[0-9A-Fa-f:.]++",
    re.ASCII,
)

_BETWEEN: Final = r"[^A-Za-z0-9]{1,4}"  # between groups of a card number: a space, " - ", a line break
_CARD: Final = re.compile(
    rf"(?<![\d+])(?=([2-6]\d{{3}}(?:{_BETWEEN}\d{{4}}){{3}}(?:{_BETWEEN}\d{{1,3}})?(?!\d)"  # 4111 1111 1111 1111
    rf"|3\d{{3}}{_BETWEEN}\d{{6}}{_BETWEEN}\d{{4,5}}(?!\d)"  # 3782 822463 10005
    r"|[2-6]\d\d++(?:[ -]{1,3}\d\d++){0,4}"  # any groups; other signs may separate numbers
    r"|[2-6](?:[ .-]\d){12,18}(?!\d)))",  # 4 1 1 1 1 ...
    re.ASCII,
)
_GROUP: Final = re.compile(r"\d++", re.ASCII)
_ISSUED: Final = re.compile(  # leading digits of the issuers, and the total number of digits
    r"4(?:\d{12}|\d{15}|\d{18})|[56]\d{15,18}|(?:2[2-7]|35)\d{14,17}|3[47]\d{13}|3[0689]\d{12}", re.ASCII
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice each digit, with the digits of the result added: 7, 14, 1 + 4 = 5

_GAP: Final = r"[ .\-/()\t]"
_GAP_IN_URL: Final = r"[ .\-/()\t+]"  # a form writes a space as a plus sign
_ALONE: Final = r"(?<![A-Za-z0-9_#])(?<!\b0[.,])"  # not part of an identifier, an order number or decimals
# not 06 of 2026-06-12, nor 06-12 of 06-12-2026
_NO_DATE: Final = r"(?<!\b19\d\d[./-])(?<!\b20\d\d[./-])(?!\d\d[./-](?:\d\d?[./-])?(?:19|20)\d\d(?!\d))"
_NO_YEAR: Final = r"(?!(?:19|20)\d\d)"
_NUMBER: Final = rf"{_ALONE}(?<!\d\.)(?<![$\u00a3\u00a5\u20ac])(?<![$\u00a3\u00a5\u20ac] )"  # like _ALONE, and not a price
_END: Final = r"(?!\d|[.,]\d\d?(?!\d)| ?(?:[$\u00a3\u00a5\u20ac]|EUR|USD|GBP))"  # of a number that is not a price
_PHONE: Final = re.compile(
    rf"\+\(?\d(?:{_GAP_IN_URL}{{0,3}}\d){{6,14}}(?!\d)"  # +49 (0)30 1234567
    r"|\+\(?\d(?:[ .\-/()\t\r\n]{0,4}\d){6,14}(?!\d)"  # the same in two lines
    rf"|{_ALONE}00[1-9](?:{_GAP}{{0,2}}\d){{8,12}}(?!\d)"  # 0049 30 1234567
    rf"|{_ALONE}(?:1{_GAP}?)?\(?[2-9]\d\d\)?{_GAP}{{0,2}}[2-9]\d\d{_GAP}?\d{{4}}(?!\d)"  # (555) 234-5678
    rf"|{_ALONE}{_NO_DATE}0[1-9](?:{_GAP}?\d\d){{4}}(?!\d)"  # 06 12 34 56 78
    rf"|{_ALONE}\(?{_NO_DATE}0[1-9](?:{_GAP_IN_URL}{{0,3}}\d){{7,10}}(?!\d)"  # 020 7946 0958
    rf"|{_ALONE}(?:1[ .-])?[2-9]\d\d(?P<sign>[ .-])\d{{3}}(?P=sign)\d{{4}}(?!\d)"  # 555-123-4567
    rf"|{_ALONE}\((?!19\d\d\)|20\d\d\))\d{{2,5}}\)(?:{_GAP}{{0,2}}\d){{7,9}}(?!\d)"  # (11) 98765-4321
    rf"|{_ALONE}[1-9]\d 9\d{{4}}[ -]?\d{{4}}(?!\d)"  # 11 98765-4321
    rf"|{_ALONE}1[3-9]\d[ -]\d{{4}}[ -]\d{{4}}(?!\d)"  # 138 1234 5678
    rf"|{_ALONE}8{_GAP}?\(?9\d\d\)?{_GAP}{{0,2}}\d{{3}}(?:{_GAP}?\d\d){{2}}(?!\d)"  # 8 (912) 345-67-89
    rf"|{_NUMBER}(?:[2-9]\d\d(?:[ /-](?!000)\d{{3}}){{2}}"  # 612 345 678, 612/345/678
    r"|(?!00)\d{9}(?!-?[A-Za-z_])"  # 612345678
    r"|[1-9]\d[ /-]\d{3}(?:[ /-]\d\d){2}"  # 22 123 45 67
    r"|[5-9]\d\d(?:[ -]\d\d){3}"  # 612 34 56 78
    r"|[2-9]\d\d[ -]\d{3}(?:[ -]\d\d){2}"  # 532 123 45 67
    rf"|[1-9]\d[ -](?:\d{{3}}|{_NO_YEAR}\d{{4}})[ -]\d{{4}}"  # 30 123 4567, 11 2345 6789
    rf"|{_NO_YEAR}[1-9]\d{{3}}(?:[ -]\d{{3}}){{2}}){_END}"  # 1800 123 456
    rf"|{_ALONE}[6-9]\d{{4}}[ -]\d{{5}}(?!\d)",  # 98765 43210
    re.ASCII,
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_YEAR: Final = r"(?:19|20)\d\d"
_TIME: Final = r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?"
_DATE_OR_TIME: Final = re.compile(  # removed first, but 01.02.03 may begin the phone number 01.02.03.04.05
    rf"(?<![\w+])(?<!\d[./-])(?:{_YEAR}(?P<a>[-/.]){_MONTH}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[-/.]) ?{_MONTH}(?P=b) ?(?:{_YEAR}|\d\d)"
    rf"|{_MONTH}/{_DAY}/(?:{_YEAR}|\d\d))(?![./-]?\d)"
    rf"|(?<![\w.:+])(?:{_YEAR}-{_MONTH}-{_DAY}[T_])?{_TIME}(?![\d:])",
    re.ASCII,
)
_DIGIT: Final = re.compile(r"\d", re.ASCII)
_HINT: Final = re.compile(  # ASCII that this does not match contains no personal data
    r"[\d@:\[({<%&\\\x00-\x08\x0e-\x1f\x7f](?:(?<=\d)(?:[^A-Za-z0-9]{0,4}\d){6}"  # a phone number has 7 digits or more
    rf"|(?<=\d){_IP_DOT}\d{{1,3}}{_IP_DOT}\d"  # 203.0.113.7
    r"|(?<=:)[0-9A-Fa-f:]"  # ::1
    r"|(?<=[\[({<])\s?(?i:@|at|arroba)"  # jo (at) mail.example
    r"|(?<=%)[0-9A-Fa-fu]|(?<=&)[#A-Za-z]"  # %40, &#64;
    r"|(?<=[@\\\x00-\x08\x0e-\x1f\x7f]))"  # an at sign, an escape such as \u0040, or an invisible character
)
_BROAD_HINT: Final = re.compile(r"[\d@%&\\\[({<\ufe6b\uff20]")  # the same for other text, and for fields with IP addresses
_HAN: Final = r"\u3007\u4e00\u4e03\u4e09\u4e5d\u4e8c\u4e94\u516b\u516d\u56db\u96f6"
_OTHER_DIGITS: Final = (
    r"\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070-\u2089\u2460-\u24ff\u2776-\u2793\u2f00-\u2f0b\u3192-\u3195\u3280-\u3288\uf9b2"
    r"\uf9d1\U00010a40-\U00010a43\U00010e60-\U00010e68\U00011052-\U0001105a\U0001f100-\U0001f10c\U0001f214-\U0001f22a"
)
_RARE_HINT: Final = re.compile(rf"[{_OTHER_DIGITS}{_HAN}](?:(?<=[{_OTHER_DIGITS}])|[{_HAN}])")  # other text also needs these


@dataclass(frozen=True, slots=True)
class Pattern:
    """How to find one kind of personal data."""

    kind: Kind  # in brackets, it replaces the data
    hint: re.Pattern[str]  # a quick test: where it does not match, there is nothing to find
    find: Callable[[str], Iterator[Span]]  # yields the spans of a string to replace; they may overlap

    def find_in(self, view: View) -> Iterator[Span]:
        """Yield the spans of the original to replace."""
        return map(view.in_original, self.find(view.text)) if self.hint.search(view.text) else iter(())


@dataclass(frozen=True, slots=True)
class Masker:
    """Replaces personal data in strings."""

    patterns: tuple[Pattern, ...]  # in the order of the search
    hint: re.Pattern[str]  # a quick test: ASCII that it does not match stays unchanged

    def mask(self, text: str) -> str:
        """Replace each piece of personal data with a word such as ``[email]``."""
        if text.isascii():
            if not self.hint.search(text):
                return text
        elif not (_BROAD_HINT.search(text) or _RARE_HINT.search(text)):
            return text
        for _ in KINDS:  # a masked piece may have hidden its neighbour
            before, text = text, self._mask_once(text)
            if text == before:
                break
        return text

    def _mask_once(self, text: str) -> str:
        seen = views(text)
        for pattern in self.patterns:
            if spans := [span for view in seen for span in pattern.find_in(view)]:
                text = _replaced(text, spans, f"[{pattern.kind}]")
                seen = views(text)
        return text


def masker(kinds: Collection[Kind], *, ip_field: bool = False) -> Masker:
    """Return a masker for personal data of these kinds.

    In a field for IP addresses (``ip_field``), malformed ones such as ``203.0.299.96`` are masked too.
    """
    chosen = [_PATTERNS[kind] for kind in KINDS if kind in kinds]
    patterns = tuple(_IP_FIELD if ip_field and pattern.kind == "ip" else pattern for pattern in chosen)
    return Masker(patterns, _BROAD_HINT if ip_field else _HINT)


def _replaced(text: str, spans: Iterable[Span], word: str) -> str:
    """Replace each span with the word. Spans that overlap become one."""
    parts: list[str] = []
    reached = 0
    for begin, end in sorted(spans):
        if begin >= reached:
            parts += text[reached:begin], word
        reached = max(reached, end)
    return "".join((*parts, text[reached:]))


def _emails(text: str) -> Iterator[Span]:
    return (found.span() for found in _EMAIL.finditer(text))


def _phones(text: str) -> Iterator[Span]:
    without_dates = _DATE_OR_TIME.sub(lambda found: "\0" * len(found[0]), text)  # two dates side by side look like a number
    return (found.span() for found in _PHONE.finditer(without_dates))


def _ips(text: str) -> Iterator[Span]:
    version_4 = (match.span() for match in _IPV4.finditer(text))
    version_6 = (span for match in _IPV6.finditer(text) if (span := _ipv6_in(match)))
    return chain(version_4, version_6)


def _like_ips(text: str) -> Iterator[Span]:
    return chain(_ips(text), (match.span() for match in _LIKE_IP.finditer(text)))


def _ipv6_in(run: re.Match[str]) -> Span | None:
    """Return the address in a run of digits and colons: all of it, or without a leading ``IP:`` or a trailing full stop."""
    text = run[0].rstrip(".")
    text = text if text.endswith("::") else text.removesuffix(":")
    colon = text.find(":")
    for skipped in (0, colon, colon + 1):
        address = text[skipped:]
        with suppress(AddressValueError):
            if len(address) <= _LONGEST_IPV6 and _DIGIT.search(address):
                IPv6Address(address)
                return run.start() + skipped, run.start() + len(text)
    return None


def _cards(text: str) -> Iterator[Span]:
    """Yield the cards. A card that begins before the end of the previous one is part of it."""
    reached = 0
    for run in _CARD.finditer(text):
        if run.start() >= reached and (end := _card_end(run)):
            reached = end
            yield run.start(), end


def _card_end(run: re.Match[str]) -> int:
    """Return the end of the card number that begins with these groups of digits; 0 if there is none."""
    digits, end = "", 0
    for group in _GROUP.finditer(run[1]):
        digits += group[0]
        if _is_card(digits):
            end = run.start() + group.end()
    return end


def _is_card(digits: str) -> bool:
    """Return whether an issuer uses such numbers and the check digit (ISO/IEC 7812-1, annex B) is right."""
    if not _ISSUED.fullmatch(digits):
        return False
    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


_PATTERNS: Final[dict[Kind, Pattern]] = {  # a hint is fastest if it begins with a set of characters
    "email": Pattern("email", re.compile(r"[@\[({<](?:(?<=@)|\s?(?i:@|at|arroba))"), _emails),
    "ip": Pattern(
        "ip",
        re.compile(rf"[\d:](?:(?<=\d){_IP_DOT}\d{{1,3}}{_IP_DOT}\d|(?<=:)(?::|(?:[0-9A-Fa-f]{{1,4}}:){{6}}))", re.ASCII),
        _ips,
    ),
    "card": Pattern("card", re.compile(r"\d(?:[^A-Za-z0-9]{0,4}\d){12}", re.ASCII), _cards),
    "phone": Pattern("phone", re.compile(rf"[\d+](?:(?<=\+)\(?\d|(?:{_GAP_IN_URL}{{0,3}}\d){{8}})", re.ASCII), _phones),
}
_IP_FIELD: Final = Pattern("ip", re.compile(r"[.:]"), _like_ips)
