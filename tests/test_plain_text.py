"""The plain form of a string: what it is, where its characters come from, and how deep escapes are decoded."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.redaction.patterns import masker
from zendesk_chat.redaction.plain_text import views
from zendesk_chat.redaction.rules import KINDS


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("jo@x.com 12", ["jo@x.com 12"]),
        ("\u0661\u0662\uff13", ["123"]),
        ("1\u200b2", ["1\u200b2", "12"]),
        ("1\x002", ["1\x002", "12"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301", "ete"]),
        ("12\u00b2", ["12\u00b2", "122"]),
        ("\u00a0\u2009\u3000|\u2011\u2013\u2212|\uff20\ufe6b\uff0e", ["   |---|@@."]),
        ("&#64;&#x40;&commat;", ["&#64;&#x40;&commat;", "@@@"]),
        ("%40%C3%A9%E9%u0040", ["%40%C3%A9%E9%u0040", "@\u00e9\u00e9@"]),
        ("\\u0040\\x40\\n\\/\\u{40}\\U00000040", ["\\u0040\\x40\\n\\/\\u{40}\\U00000040", "@@\n/@@"]),
        ("\\ud835\\udfd2 \\ud835", ["\\ud835\\udfd2 \\ud835", "4 "]),
        ("%26%2364%3B", ["%26%2364%3B", "@"]),
        ("&#99999999; &nonsense; 5% \\w &#x110000;", ["&#99999999; &nonsense; 5% \\w &#x110000;", "9; &nonsense; 5% \\w "]),
    ],
)
def test_plain_forms(text: str, plain: list[str]) -> None:
    assert [view.text for view in views(text)] == plain


def test_a_part_of_the_plain_form_is_found_in_the_original() -> None:
    text = "to: jo&#64;mail\u200b.exa\u0301mple\u0301!"
    view = views(text)[-1]
    begin = view.text.index("jo@mail.example")
    start, end = view.in_original((begin, begin + len("jo@mail.example")))
    assert text[start:end] == "jo&#64;mail\u200b.exa\u0301mple\u0301"


pieces = st.sampled_from(
    ["%", "25", "40", "&", "#", "64", ";", "amp;", "\\", "u", "0040", "\u200b", "\u0301", "\u00e9", "a", "\ufdfa"]
)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(pieces, max_size=15).map("".join) | st.text(max_size=15))
def test_parts_come_in_order_and_from_within_the_original(text: str) -> None:
    for view in views(text):
        assert len(view.text) == len(view.starts) == len(view.ends)
        spans = list(zip(view.starts, view.ends, strict=True))
        assert spans == sorted(spans)
        assert all(0 <= begin < end <= len(text) for begin, end in spans)


def test_no_digit_or_at_sign_is_too_rare_to_be_looked_for() -> None:
    """Masking skips strings without certain characters. None that reads as a digit or an at sign is missing among these."""
    mask = masker(KINDS).mask
    known = [chr(code) for code in range(sys.maxunicode + 1)]
    characters = [each for each in known if each.isnumeric() or unicodedata.normalize("NFKC", each) != each]
    numeric = [each for each in characters if views(each)[-1].text in set("0123456789")]
    at_signs = [each for each in characters if unicodedata.normalize("NFKC", each) == "@"]
    assert len(numeric) > 700
    assert [each for each in numeric if mask(f"+{each * 9}") != "[phone]"] == []
    assert [each for each in at_signs if mask(f"jo{each}mail.example") != "[email]"] == []
