"""Personal data in free text: what is taken out of it, and what is left in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_zendesk_chat.masking import masker
from source_zendesk_chat.redaction import KINDS, Kind

mask = masker(KINDS)

FOUND = [
    ("write to jo@example.com.", "write to [email]."),
    ("name+tag@x.co.uk", "[email]"),
    ("<jo.van-der_berg@mail.example.org>", "<[email]>"),
    ("jo@x.com, ann@y.org;eve@z.net", "[email], [email];[email]"),
    ("mailto:jo@x.com?subject=hi", "mailto:[email]?subject=hi"),
    ("https://a.b/c?e=jo%40x.com&n=1", "https://a.b/c?e=[email]&n=1"),
    ("https://a.b/c?e=name%2Btag%40x.co.uk", "https://a.b/c?e=[email]"),
    ("https://a.b/c?u=jo%2540x.com", "https://a.b/c?u=[email]"),
    ("?to=jo@x.com%2Cann@y.org", "?to=[email]"),
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
    assert masker([kind])("jo@x.com +15550100 4111111111111111 10.0.0.1") == masked


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", HOSTILE)
def test_half_a_megabyte_of_anything_takes_no_more_than_a_moment(piece: str) -> None:
    text = piece * (500_000 // len(piece))
    assert mask(f"jo@x.org {text}").startswith("[email] ")


pieces = st.sampled_from(
    [*"0123456789 .-/()+@:%#,xa\u00e9\uff11", "jo@x.com", "+1555", "4111", "1111", "::", "%40", "192.168", "06"]
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.lists(pieces, max_size=40).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


addresses = st.sampled_from(["canary@leak.example", "+49 30 777 1234", "4242 4242 4242 4242", "203.0.113.77", "2001:db8::77"])


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.text(max_size=10), addresses, st.text(max_size=10))
def test_nothing_beside_it_hides_it_once_it_stands_alone(before: str, address: str, after: str) -> None:
    masked = mask(f"{before} {address} {after}")
    assert address not in masked
