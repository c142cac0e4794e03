"""Personal data in free text: what is taken out of it, and what is left in it."""

from __future__ import annotations

import sys
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.redaction.patterns import masker
from zendesk_chat.redaction.rules import KINDS, Kind

mask = masker(KINDS).mask

CARD_SEPARATORS = ("\n", "\r\n", "\t", "/", ", ", ",", "|", " \u2013 ", "\u00a0", "\u2028", "%20", "&nbsp;", "\\n", "+")
AT_SIGNS = (
    *("&#64;", "&#64", "&#x40;", "&commat;", "&amp;#64;", "%40", "%2540", "%u0040", "\\u0040", "\\\\u0040", "\\x40", "\\@"),
    *("\uff20", "\ufe6b", " (at) ", "[at]", " [@] ", "<AT>", "{at}"),
)
DOTS = ("&#46;", "&period;", "%2E", "\\u002e", "\uff0e", "\u2024", "\u3002", "[.]", " (dot) ", " [DOT] ")
FOUND = [
    ("write to jo@example.com.", "write to [email]."),
    ("name+tag@x.co.uk", "[email]"),
    ("<jo.van-der_berg@mail.example.org>", "<[email]>"),
    ("jo@x.com, ann@y.org;eve@z.net", "[email], [email];[email]"),
    ("mailto:jo@x.com?subject=hi", "mailto:[email]?subject=hi"),
    ("https://a.b/c?e=jo%40x.com&n=1", "https://a.b/c?e=[email]&n=1"),
    ("https://a.b/c?e=name%2Btag%40x.co.uk", "https://a.b/c?e=[email]"),
    ("https://a.b/c?u=jo%2540x.com", "https://a.b/c?u=[email]"),
    ("?to=jo@x.com%2Cann@y.org", "?to=[email]%2C[email]"),
    ("jo@x.com!ann@y.org", "[email]"),
    ("o'brien@x.ie", "[email]"),
    ("用户@例子.公司", "[email]"),
    ("josé@exámple.es", "[email]"),
    ("jose\u0301@exa\u0301mple.es", "[email]"),
    ("jo@xn--exmple-cua.com", "[email]"),
    ("jo\uff20x.com", "[email]"),
    ("JO@X.COM", "[email]"),
    ("https://user:pw@x.com/a", "https://user:[email]/a"),
    ("+15550100", "[phone]"),
    ("+49 (0)30 1234567", "[phone]"),
    ("+351 912 345 678 and +44 20 7946 0958", "[phone] and [phone]"),
    ("tel:+1-555-234-5678", "tel:[phone]"),
    ("wa.me/15552345678", "wa.me/[phone]"),
    ("?phone=%2B15552345678", "?phone=[phone]"),
    ("(555) 234-5678", "[phone]"),
    ("555-234-5678,555-234-5679", "[phone],[phone]"),
    ("555.234.5678", "[phone]"),
    ("5552345678,5552345679", "[phone],[phone]"),
    ("1 (800) 555-0199", "[phone]"),
    ("020 7946 0958", "[phone]"),
    ("07700 900123 07700 900124", "[phone] [phone]"),
    ("06 12 34 56 78 06 98 76 54 32", "[phone] [phone]"),
    ("06.12.34.56.78", "[phone]"),
    ("0171/1234567", "[phone]"),
    ("030 123456", "[phone]"),
    ("0049 30 1234567", "[phone]"),
    ("612 345 678", "[phone]"),
    ("612/345/678", "[phone]"),
    ("501 234 567", "[phone]"),
    ("98765 43210", "[phone]"),
    ("555-123-4567 or 555.123.4567", "[phone] or [phone]"),
    ("(555) 123-4567", "[phone]"),
    ("(11) 98765-4321 11 98765-4321", "[phone] [phone]"),
    ("8 (912) 345-67-89, 89123456789", "[phone], [phone]"),
    ("138 1234 5678", "[phone]"),
    ("\u260e 030\u00a01234\u20115678", "\u260e [phone]"),
    ("\uff10\uff19\uff10\uff0d\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18", "[phone]"),
    ("4111 1111 1111 1111 12/27 123", "[card] 12/27 123"),
    ("4111-1111-1111-1111", "[card]"),
    ("4111 - 1111 - 1111 - 1111", "[card]"),
    ("4111.1111.1111.1111 4111_1111_1111_1111", "[card] [card]"),
    ("card:4111111111111111.", "card:[card]."),
    ("3782 822463 10005", "[card]"),
    ("5555555555554444", "[card]"),
    ("6011 1111 1111 1117", "[card]"),
    ("30569309025904", "[card]"),
    ("4222222222222", "[card]"),
    ("6205500000000000004", "[card]"),
    ("1234 4111 1111 1111 1111", "1234 [card]"),
    ("192.168.0.1", "[ip]"),
    ("http://203.0.113.7:8080/x", "http://[ip]:8080/x"),
    ("from 203.0.113.7.", "from [ip]."),
    ("203.0.113.7, 203.0.113.8", "[ip], [ip]"),
    ("::1", "[ip]"),
    ("2001:db8::1.", "[ip]."),
    ("[2001:db8::1]:443", "[[ip]]:443"),
    ("IP:2001:db8::1", "IP:[ip]"),
    ("2001:0db8:0000:0000:0000:ff00:0042:8329", "[ip]"),
    ("::ffff:192.0.2.1", "[ip]"),
    ("fe80::1%eth0", "[ip]%eth0"),
    ("jo@x.com +15550100 4111111111111111 10.0.0.1", "[email] [phone] [card] [ip]"),
    # without a prefix
    ("612345678 or 212345678", "[phone] or [phone]"),
    ("612345678,612345679; 0 12", "[phone],[phone]; 0 12"),
    ("22 123 45 67 22-123-45-67", "[phone] [phone]"),
    ("(22) 123 45 67", "[phone]"),
    ("1800 123 456 1300-123-456", "[phone] [phone]"),
    ("30 123 4567", "[phone]"),
    ("11 2345 6789", "[phone]"),
    ("532 123 45 67", "[phone]"),
    ("612 34 56 78", "[phone]"),
    ("212 345 678", "[phone]"),
    ("1-800-123-4567", "[phone]"),
    ("+44 20\n7946 0958 or 20", "[phone] or 20"),
    # other separators
    *((f"4111{between}1111{between}1111{between}1111 123", "[card] 123") for between in CARD_SEPARATORS),
    ("3782/822463/10005", "[card]"),
    ("3056,930902,5904", "[card]"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[card]"),
    ("203[.]0[.]113[.]7", "[ip]"),
    # escapes
    *((f"write to jo{at}mail.example!", "write to [email]!") for at in AT_SIGNS),
    *((f"write to jo@mail{dot}example!", "write to [email]!") for dot in DOTS),
    ('{"to": "jo\\u0040mail.example", "url": "https:\\/\\/a.example"}', '{"to": "[email]", "url": "https:\\/\\/a.example"}'),
    ("?q=jo%26%2364%3Bmail.example&n=1", "?q=[email]&n=1"),
    ("4111%201111%201111%201111", "[card]"),
    ("?card=4111+1111+1111+1111", "?card=[card]"),
    ("?tel=%2B44+20+7946+0958&n=1", "?tel=[phone]&n=1"),
    ("+44&nbsp;20&nbsp;7946&nbsp;0958", "[phone]"),
    ("+44%C2%A020%C2%A07946%C2%A00958", "[phone]"),
    ("203&#46;0&#46;113&#46;7", "[ip]"),
    ("\\ud835\\udfd2111 1111 1111 1111", "[card]"),
    ("\\u002b44 20 7946 0958", "[phone]"),
    ("jo%E9%40mail.example", "[email]"),
    # digits and signs of other scripts
    ("\u0e50\u0e58\u0e51-\u0e52\u0e53\u0e54-\u0e55\u0e56\u0e57\u0e58", "[phone]"),
    ("\u1040\u1049-\u1041\u1042\u1043\u1044\u1045\u1046\u1047\u1048\u1049", "[phone]"),
    ("+\uff14\uff14 20 7946 \u0966\u096f\u096b\u096e", "[phone]"),
    ("\U0001d7d2\U0001d7cf\U0001d7cf\U0001d7cf 1111 1111 1111", "[card]"),
    ("\u207a\u2074\u2074 \u00b2\u2070 \u2077\u2079\u2074\u2076 \u2070\u2079\u2075\u2078", "[phone]"),
    ("\u2460\u2462\u2467 \u2460\u2461\u2462\u2463 \u2464\u2465\u2466\u2467", "[phone]"),
    ("".join(f"{digit}\ufe0f\u20e3" for digit in "0612345678"), "[phone]"),
    ("\u4e00\u4e09\u516b \u4e00\u4e8c\u4e09\u56db \u4e94\u516d\u4e03\u516b", "[phone]"),
    ("06\u00b712\u00b734\u00b756\u00b778", "[phone]"),
    ("03\u30fc1234\u30fc5678", "[phone]"),
    ("\uff12\uff10\uff13\uff0e0\uff0e113\uff0e\u096d", "[ip]"),
    ("2001\uff1adb8\uff1a\uff1a1", "[ip]"),
    ("\u8bf7\u5199 jo@mail.example\u3002\u8c22\u8c22", "\u8bf7\u5199 [email]\u3002\u8c22\u8c22"),
    ("\u202a+44 20 7946 0958\u202c", "\u202a[phone]\u202c"),
    ("0612345678\u200b0698765432", "[phone]\u200b[phone]"),
    ("Tel\u200b0612345678", "Tel\u200b[phone]"),
]
LEFT = [
    *("", "hello", "@ana can you help?", "a@b", "2@3.50", "x@y.1", "100%", "50% @ 3.50", "jo at x dot com"),
    *("2026-03-14T09:21:01Z", "2026-03-14 09:21:01.165000", "2026-03-14 - 2026-04-14", "01/03/2026 - 08/03/2026"),
    *("01.02.2026 10 Uhr", "03/14/2026 09:21 PM", "09:41:02", "10:30 - 11:45", "12:30pm", "UTC+01:00", "GMT+0100"),
    *("1612137600", "1773480061165", "1773480061165000", "20260314092101"),
    *("$1,234.56", "1 234 567,89 EUR", "1.234.567,89", "100 000 000", "0.5552345678", "19.33199977874756"),
    *("41.11111111111111", "500 000 000", "(2019) 1234567", "555-123.4567", "(2) 1234567"),
    *("#4839201746", "order 123-4567890-1234567", "INV-2026-000123", "SKU5552345678", "0012345678", "48213"),
    *("v1.2.3", "10.0.19045.3803", "256.1.1.1", "v1.2.3.4", "1.2.3.4.5", "2.10.0-rc.1", "1920x1080"),
    *("550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e", "00:1a:2b:3c:4d:5e"),
    *("2603.10099001.TxChatExm0001", "#supportchat:10099001-hExAmPlEvIsTr1", "260314.10099001.7exAmpleSess0001"),
    *("7200000000001", "360700000001", "ISBN 978-3-16-148410-0", "97201-1234", "std::vector", "a::b", "::"),
    *("4111111111111112", "4111 1111 1111 1112", "411111111111111", "555-1234"),
    *("[email]", "[phone] [card] [ip]"),
    *("2406.10001.SiAtRrVOhtbJB", "2406.100010012.SiAtRrVOhtbJB", "#supportchat:100990012-hExAm", "#123456789"),
    *("$123456789", "\u20ac 234 567 890", "123456789.50", "234 567 890 EUR", "123 456 789", "41.123456789, 2.123456789"),
    *("\u2116612345678", "2019 2020 2021 2022", "10-12-2026 10 30", "5 10 15 20 25", "12 34 56 78", "20 2026 2027"),
    *("C:\\new\\table", "a&b;c &amp; d", "https://a.b/c?x=1&y=20%25&z=a%20b", "\u2764\ufe0f 12", "\u00bd \u2460 m\u00b2"),
    *("call me (at home)", "x [at] y", "\u4e00\u5171 3 \u4ef6", "se\u0301ance 12", "256.1.1.1 and 203.0.299.96"),
]
HOSTILE = (
    "(11) 9",
    "8 (912) ",
    "555-123-",
    "4111.",
    "a",
    "@",
    "a@b.",
    "%2B",
    "%40",
    "1",
    "4444-",
    "+1 ",
    "06 12 ",
    "1:",
    "::1 ",
    "x@a.",
    "0(",
    "\u00e9",
    "\u200b1",
    "e\u0301",
    "\\",
    "\\u0040",
    "&#64;",
    "&amp;",
    "%25",
    "%2540",
    "a (at) ",
    "4111\n",
    "4 ",
    "22 123 ",
)


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_personal_data_is_taken_out(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", LEFT)
def test_other_numbers_and_signs_are_left(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("kind", "masked"),
    [
        ("email", "[email] +15550100 4111111111111111 10.0.0.1"),
        ("phone", "jo@x.com [phone] 4111111111111111 10.0.0.1"),
        ("card", "jo@x.com +15550100 [card] 10.0.0.1"),
        ("ip", "jo@x.com +15550100 4111111111111111 [ip]"),
    ],
)
def test_only_the_kinds_that_are_asked_for(kind: Kind, masked: str) -> None:
    assert masker([kind]).mask("jo@x.com +15550100 4111111111111111 10.0.0.1") == masked


@pytest.mark.long
@pytest.mark.timeout(120)  # a search that takes the square of the length would need minutes
@pytest.mark.unmeasured
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_of_anything_takes_little_time(piece: str) -> None:
    text = piece * (250_000 // len(piece))
    assert mask(f"jo@x.org {text}").startswith("[email] ")


pieces = st.sampled_from(
    [
        *"0123456789 .-/()+@:%#,xa&;\\\n\u00e9\u0301\uff11\u200b",
        "%20",
        "&#64;",
        "\\u0034",
        "jo@x.com",
        "+1555",
        "4111",
        "1111",
        "::",
        "%40",
        "192.168",
        "06",
    ]
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(pieces, max_size=40).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


# Some of each kind: format characters, marks, fillers, variation selectors, tags, controls and unassigned ones.
INVISIBLE = [
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202e\u2060\u2063",
    *"\u2065\u2066\u2069\u206f\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\ufffb\U0001bca0\U0001d173\U000e0001\U000e0034\U000e0100",
    *"\x00\x1b\x7f\u0085",
]
WORDS = {
    "+44 20 7946 0958": "[phone]",
    "06 12 34 56 78": "[phone]",
    "612345678": "[phone]",
    "(555) 234-5678": "[phone]",
    "4111 1111 1111 1111": "[card]",
    "378282246310005": "[card]",
    "jo.smith+tag@mail.example": "[email]",
    "203.0.113.77": "[ip]",
    "2001:db8::77": "[ip]",
}


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(list(WORDS)), st.sampled_from(["", "call ", "\u00e9t\u00e9: "]))
def test_no_invisible_character_hides_anything(data: st.DataObject, address: str, before: str) -> None:
    positions = data.draw(st.lists(st.integers(1, len(address) - 1), min_size=1, max_size=6))
    hidden = address
    for position in sorted(positions, reverse=True):
        hidden = hidden[:position] + data.draw(st.sampled_from(INVISIBLE)) + hidden[position:]
    assert mask(f"{before}{hidden} ok") == f"{before}{WORDS[address]} ok"


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.data(), st.sampled_from([text for text in WORDS if text[-1].isdigit() and ":" not in text]))
def test_digits_of_every_script_count(data: st.DataObject, address: str) -> None:
    digits = {str(value): [zero + value for zero in ZEROS] for value in range(10)}
    foreign = "".join(chr(data.draw(st.sampled_from(digits[each]))) if each in digits else each for each in address)
    assert mask(foreign) == WORDS[address]


ZEROS = [code for code in range(sys.maxunicode + 1) if unicodedata.decimal(chr(code), None) == 0]
unpersonal = st.text(
    st.characters(exclude_characters="@:.([{<\\&%+", exclude_categories=["Nd", "Nl", "No", "Cs"])
) | st.sampled_from(LEFT)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(unpersonal, unpersonal)
def test_text_without_personal_data_keeps_every_character(before: str, after: str) -> None:
    assert mask(f"{before} | {after}") == f"{before} | {after}"


@pytest.mark.parametrize(
    "address",
    ["203.0.299.96", "256.1.1.1", "999.999.999.999", "203.0.113.x", "203.0.113.7", "1:2:3:4:5:6:7:8:9", "2001:db8:::1"],
)
def test_in_a_field_for_addresses_malformed_ones_are_masked(address: str) -> None:
    assert masker(["ip"], ip_field=True).mask(f"from {address} on") == "from [ip] on"
    assert masker(KINDS, ip_field=True).mask(address) == "[ip]"


@pytest.mark.parametrize("text", ["", "unknown", "12:30", "12:30:45", "v1.2.3", "1.5", "std::vector"])
def test_in_a_field_for_addresses_other_text_stays(text: str) -> None:
    assert masker(["ip"], ip_field=True).mask(text) == text


addresses = st.sampled_from(["canary@leak.example", "+49 30 777 1234", "4242 4242 4242 4242", "203.0.113.77", "2001:db8::77"])


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.text(max_size=10), addresses, st.text(max_size=10))
def test_nothing_beside_it_hides_it_once_it_stands_alone(before: str, address: str, after: str) -> None:
    masked = mask(f"{before} {address} {after}")
    assert address not in masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-06 - 2027-01-05",
        "2026-11-01 2026-11-30",
        "from 2026-10-01 (2026-10-02)",
        "2026/06/08 - 2026/07/08",
        "23.03.18 - 24.03.18",
        "04. 08. 2026 - 03. 09. 2026",
        "2026-10-03 09:02 - 2026-10-04 09:02",
        "2026-03-10 11:00:03.000000 - 2026-03-11 11:00:03.000000",
        "05/04/26 9-17",
        "2024-01-05_07-16-02",
    ],
)
def test_dates_side_by_side_are_no_number(text: str) -> None:
    assert masker(["phone", "card"]).mask(text) == text


@given(
    st.dates(min_value=date(1990, 1, 1)),
    st.dates(min_value=date(1990, 1, 1)),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d"]),
)
def test_no_two_dates_are_a_number(one: date, other: date, form: str) -> None:
    text = f"{one.strftime(form)} - {other.strftime(form)} {one.strftime(form)}"
    if one.year < 2100 and other.year < 2100:
        assert masker(["phone", "card"]).mask(text) == text


@pytest.mark.parametrize("text", ["01.02.03.04.05", "06-12-34-56-78", "+45 20-12-11-10", "2026-12-06 020 7946 0958"])
def test_a_number_beside_or_like_a_date_is_masked(text: str) -> None:
    assert masker(["phone"]).mask(text).endswith("[phone]")
    assert masker(["phone"]).mask(text) in {"[phone]", "2026-12-06 [phone]"}


@pytest.mark.parametrize("text", ["203.0.113.1234", "1203.0.113.7", "203.0.113.7.5", "203..113.7", "203.0.113"])
def test_what_is_nearly_an_address_is_masked_in_its_field(text: str) -> None:
    assert masker(["ip"], ip_field=True).mask(text) == "[ip]"
