r"""The plain form of a string, for which patterns are written, with the original position of each of its characters.

People and programs write the same phone number in many ways: in full-width or Thai digits, with zero width spaces copied from a
web page, as ``%2B44`` in a URL. The plain form is the same for all of them:

>>> views("jo&#64;mail\u200b.example")[-1].text
'jo@mail.example'

Unicode's properties define a character: its category, its value as a digit, and its compatibility form (NFKC).
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

Span: TypeAlias = tuple[int, int]
MOST_NESTED: Final = 4  # rounds of decoding: %26%2364%3B is &#64; is @
_MOST_CACHED: Final = 10_000  # characters: caching all of Unicode would take 100 MB

_ESCAPE: Final = re.compile(
    r"&(?:#\d{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)"  # HTML
    r"|%(?:u[0-9A-Fa-f]{4}|[0-7][0-9A-Fa-f]|[CcDd][0-9A-Fa-f]%[89AaBb][0-9A-Fa-f]|[Ee][0-9A-Fa-f](?:%[89AaBb][0-9A-Fa-f]){2}"
    r"|[Ff][0-7](?:%[89AaBb][0-9A-Fa-f]){3}|[0-9A-Fa-f]{2})"  # URLs: one character in UTF-8, else one byte
    r"|\\(?:u[dD][89AaBb][0-9A-Fa-f]{2}\\u[dD][C-Fc-f][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}"
    r"|x[0-9A-Fa-f]{2}|[bfnrtv]|[^\w\s])",  # JSON and its relatives, and Markdown
    re.ASCII,
)
_OTHER: Final = re.compile(r"[^\t\n\v\f\r -~]")  # anything but plain ASCII
_TOKEN: Final = re.compile(f"{_ESCAPE.pattern}|{_OTHER.pattern}", re.ASCII)
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]{1,8}")
_LETTERS: Final = str.maketrans("bfnrtv", "\b\f\n\r\t\v")

_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\ufffc\ufffd")  # blank, or a replacement for something unknown
_SIGNS: Final = str.maketrans(  # similar signs that NFKC does not unify, and Chinese digits
    "\u00b7\u2022\u2027\u2219\u22c5\u30fb\u02d7\u2043\u2212\u2500\u2501\u2796\u30fc\u2044\u2215\u2236\ua789\u2795\u2116\u2800"
    "\u3007\u96f6\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d",
    "......-------//::+# 00123456789",
)


class View(NamedTuple):
    """A string in which patterns are searched for."""

    text: str
    starts: Sequence[int]  # for each character of `text`, the start of its source in the original: a character or an escape
    ends: Sequence[int]  # likewise, the end of its source

    def in_original(self, span: Span) -> Span:
        """Return the part of the original that a part of the text comes from. It must not be empty."""
        begin, end = span
        return self.starts[begin], self.ends[end - 1]


def views(text: str) -> Sequence[View]:
    """Return the plain form of a string as it is written and, if it differs, as people read it.

    The form as people read it has no invisible characters and no accents, and its escapes are decoded. Patterns need both: a
    zero width space inside a number does not end it, but between two numbers it separates them.
    """
    has_escape = ("&" in text or "%" in text or "\\" in text) and bool(_ESCAPE.search(text))
    if text.isascii():
        written, differs = text, has_escape or not (text.isprintable() or not _OTHER.search(text))
    else:
        written = text.translate(_AS_WRITTEN)
        differs = has_escape or text.translate(_AS_READ) != written
    return (_written(written), _read(text)) if differs else (_written(written),)


def _written(text: str) -> View:
    return View(text, range(len(text)), range(1, len(text) + 1))


def _read(text: str) -> View:
    view = _written(text)
    for _ in range(MOST_NESTED):
        view = _decoded(view)
        if not _ESCAPE.search(view.text):
            break
    return view


def _decoded(view: View) -> View:
    """Return the view with each character in its plain form and each escape decoded."""
    text, starts, ends = view
    plain: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    reached = 0
    for token in _TOKEN.finditer(text):
        begin, end = token.span()
        piece = (token[0] if end - begin == 1 else _unescaped(token[0])).translate(_AS_READ)
        plain += text[reached:begin], piece
        new_starts += starts[reached:begin]
        new_ends += ends[reached:begin]
        new_starts += [starts[begin]] * len(piece)
        new_ends += [ends[end - 1]] * len(piece)
        if not piece and new_ends and unicodedata.category(text[begin])[0] == "M":
            new_ends[-1] = ends[end - 1]  # an accent belongs to the character before it
        reached = end
    return View("".join((*plain, text[reached:])), [*new_starts, *starts[reached:]], [*new_ends, *ends[reached:]])


def _unescaped(escape: str) -> str:
    r"""Return the text that an escape represents.

    >>> _unescaped("&commat;"), _unescaped("%C3%A9"), _unescaped(r"\u0040")
    ('@', 'é', '@')
    """
    sign, rest = escape[0], escape[1:]
    if sign == "&":
        return html.unescape(escape)
    if sign == "%" and rest[0] != "u":
        octets = bytes.fromhex(escape.replace("%", ""))
        try:
            return octets.decode()
        except UnicodeDecodeError:
            return octets.decode("latin-1")
    if rest[0] in "uUx" and len(rest) > 1:
        return _from_codes([int(code, 16) for code in _HEXADECIMAL.findall(escape)])
    return rest.translate(_LETTERS)


def _from_codes(codes: Sequence[int]) -> str:
    """Return the characters of these code points. Two of them may be a surrogate pair."""
    text = "".join(chr(code) if code <= sys.maxunicode else "\ufffd" for code in codes)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_read(character: str) -> str:
    """Return the plain form of a character: "" for an invisible one, ASCII for digits, spaces, hyphens and the like."""
    if character in "\t\n\v\f\r":
        return character
    category = unicodedata.category(character)
    if category[0] in "CM" or character in _FILLERS:
        return ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if category[0] == "Z" or category == "Pd":
        return " " if category[0] == "Z" else "-"
    plain = unicodedata.normalize("NFKC", character.translate(_SIGNS)).translate(_SIGNS)
    return character if len(plain) > 1 and any(map(str.isalpha, plain)) else plain


def _as_written(character: str) -> str:
    """Return the plain form if it is one character. A superscript or circled digit is kept, because it may mark a footnote."""
    plain = _as_read(character)
    return plain if len(plain) == 1 and plain.isdecimal() <= character.isdecimal() else character


class _Table(dict[int, str]):
    """A table for ``str.translate`` that is filled as characters occur."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        super().__init__()
        self._translate = translate

    def __missing__(self, code: int) -> str:
        plain = self._translate(chr(code))
        if len(self) < _MOST_CACHED:
            self[code] = plain
        return plain


_AS_READ: Final = _Table(_as_read)
_AS_WRITTEN: Final = _Table(_as_written)
