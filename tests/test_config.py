"""The configuration: every malformed thing is one clear error that names its path and never its value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.config import (
    AccessToken,
    Config,
    OAuth,
    parse_api_url,
    parse_config,
    parse_date,
    parse_subdomain,
    require_past_start,
)
from zendesk_chat.errors import ConfigError
from zendesk_chat.redaction.rules import Redaction, Rule

TOKEN = "SECRET-token-1"
VALID: dict[str, Any] = {
    "subdomain": "acme",
    "start_date": "2021-02-01T00:00:00Z",
    "credentials": {"credentials": "access_token", "access_token": TOKEN},
}
SECRETS = {"access_token": TOKEN, "refresh_token": "SECRET-2", "client_id": "SECRET-3", "client_secret": "SECRET-4"}
TOKEN_PATH = "credentials.access_token"
BAD_TOKENS: tuple[object, ...] = (
    *("", " ", None, 7, ["SECRET"], {"SECRET": 1}),
    *("SECRET 1", "SECRET\n1", "SECRET\r\nX: y", "SECRETé", "SECRET\u200b", "SECRET\x00", "\ud800"),
)
BAD_EXPIRIES: tuple[object, ...] = ("SECRET", 7, True, ["SECRET"])
BAD_NUMBERS: tuple[object, ...] = ("7", 7.5, True, -1, 10**30, ["SECRET"], {})
NUMBERS = ("lookback_minutes", "requests_per_minute", "request_timeout_seconds")
exactly = settings(derandomize=True, deadline=None, max_examples=400)


def changed(**values: Any) -> dict[str, Any]:
    return {**VALID, **values}


def oauth(**values: Any) -> dict[str, Any]:
    return changed(credentials={"credentials": "oauth2.0", **values})


def parsed(raw: object) -> Config | str:
    """The configuration, or the message of what is wrong with it."""
    try:
        return parse_config(raw)
    except ConfigError as error:
        return str(error)


def test_a_small_configuration_gets_the_defaults() -> None:
    config = parse_config(VALID)
    assert config == Config(
        subdomain="acme",
        origin="https://acme.zendesk.com",
        api_url="https://acme.zendesk.com/api/v2/chat",
        credentials=AccessToken(TOKEN),
        start=1_612_137_600,
        lookback=600,
        requests_per_minute=200,
        timeout=60,
        raw=VALID,
    )


def test_no_secret_is_shown_by_the_values() -> None:
    for raw in (VALID, oauth(**SECRETS)):
        config = parse_config(raw)
        assert "SECRET" not in repr(config) + str(config) + repr(config.credentials)


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        " acme ",
        "ACME",
        "acme.zendesk.com",
        "https://acme.zendesk.com",
        "https://acme.zendesk.com/",
        "HTTPS://Acme.Zendesk.com/",
        "acme/",
    ],
)
def test_a_subdomain_is_reduced_to_its_name(text: str) -> None:
    assert parse_subdomain(text) == "acme"


@pytest.mark.parametrize("text", ["a", "0", "a-b", "x" * 63, "4ever", "xn--acme-abc"])
def test_a_subdomain_is_a_dns_label(text: str) -> None:
    assert parse_subdomain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-acme", "acme-", "-", "x" * 64, "ac me", "ac_me", "a.b", "acme.", ".acme", "acme.evil.com",
        "acme.zendesk.com.evil.com",
        "acme.zendesk.com.zendesk.com", "acme.zopim.com", "http://acme.zendesk.com", "ftp://acme", "//acme",
        "https://https://acme",
        "acme:443", "acme.zendesk.com:443", "acme:pw@evil", "evil@acme", "evil.com@acme.zendesk.com", "acme@", "acme#",
        "acme?", "acme?x=1",
        "evil.com#acme", "evil.com/acme", "acme/..", "acme/agent", "acme//", "acme\\evil", "acme%2eevil", "%61cme",
        "acme\nevil", "ac\tme",
        "acme\x00", "acme\r\nHost: evil", "àcme", "\uff41\uff43\uff4d\uff45", "acme\u3002evil", "acme\u2024evil", "\u0430cme",
        "ac\u200bme", "\u212aings", "acme\u00ad",
        "[::1]", "127.0.0.1", "localhost.", "${x}", "{{ x }}",
    ],
)  # fmt: skip
def test_every_trick_with_the_subdomain_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^subdomain: "):
        parse_config(changed(subdomain=text))


@exactly
@given(st.text(max_size=20) | st.from_regex(r"(https://)?[a-zA-Z0-9.@:/\\#?%\-]{1,20}(\.zendesk\.com)?/?", fullmatch=True))
def test_a_subdomain_names_a_host_of_zendesk_or_is_refused(text: str) -> None:
    config = parsed(changed(subdomain=text))
    if isinstance(config, str):
        assert config.startswith("subdomain: ")
    else:
        assert re.fullmatch(r"https://[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.zendesk\.com", config.origin)
        assert config.subdomain in text.lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://acme.zendesk.com", "https://acme.zendesk.com/api/v2/chat"),
        ("https://acme.zendesk.com/", "https://acme.zendesk.com/api/v2/chat"),
        ("HTTPS://ACME.zendesk.com/api/v2/chat/", "https://acme.zendesk.com/api/v2/chat"),
        (" http://127.0.0.1:8080 ", "http://127.0.0.1:8080/api/v2/chat"),
        ("http://localhost:8080/x/y", "http://localhost:8080/x/y"),
        ("http://[::1]:8080", "http://[::1]:8080/api/v2/chat"),
        ("https://proxy.acme.example:8443/chat.v2", "https://proxy.acme.example:8443/chat.v2"),
    ],
)
def test_an_api_url_is_https_or_loopback(text: str, expected: str) -> None:
    assert parse_api_url(text) == expected
    config = parse_config(changed(api_url=text))
    assert config.api_url == expected
    assert config.api_url.startswith(f"{config.origin}/")


@pytest.mark.parametrize(
    "value",
    [
        " ", "acme", "acme.zendesk.com", "//acme.zendesk.com", "http://acme.zendesk.com", "http://127.0.0.1.evil.com",
        "http://127.0.0.1@evil.com",
        "http://0.0.0.0:80", "http://127.1", "http://2130706433", "http://localhost.evil.com", "http://localhost.",
        "http://[::2]:80", "ftp://localhost",
        "file:///etc/passwd", "https://", "https:///x", "https://user@acme.zendesk.com", "https://user:pw@acme.zendesk.com",
        "https://@acme.zendesk.com",
        "https://acme.zendesk.com?x=1", "https://acme.zendesk.com/#x", "https://acme.zendesk.com:0",
        "https://acme.zendesk.com:70000",
        "https://acme.zendesk.com:x", "https://acme.zendesk.com:", "https://[::1", "https://evil.com\\.acme.zendesk.com",
        "https://evil.com\\@acme.zendesk.com",
        "https://ac me.zendesk.com", "https://acme.zendesk.com/a b", "https://acme.zendesk.com/../x",
        "https://acme.zendesk.com/%2e%2e", "https://àcme.com",
        "https://\uff41cme.com", "https://acme\u3002com", "https://acme..com", "https://acme.com/\x00",
        "https://acme.com//evil.com", "http://l\u212aocalhost", "https://\u212aings.com",
        "http://localhost:٨٠", "javascript:alert(1)", 7, True, False, 0, [], {}, ["https://acme.zendesk.com"],
    ],
)  # fmt: skip
def test_any_other_api_url_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^api_url: ") as caught:
        parse_config(changed(api_url=value))
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("value", [None, ""])
def test_no_api_url_is_the_accounts_own(value: object) -> None:
    assert parse_config(changed(api_url=value)).origin == "https://acme.zendesk.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2021-02-01T00:00:00Z", 1_612_137_600),
        ("2021-02-01", 1_612_137_600),
        (" 2021-02-01T00:00:00 ", 1_612_137_600),
        ("2021-02-01 00:00:00", 1_612_137_600),
        ("2021-02-01T01:00:00+01:00", 1_612_137_600),
        ("2021-02-01T00:00:00.999999Z", 1_612_137_600),
        ("1969-12-31T23:59:59.5Z", 0),
        ("0001-01-01T00:00:00+23:59", 0),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139),
    ],
)
def test_start_dates(text: str, expected: int) -> None:
    assert parse_date(text, "start_date") == expected


@pytest.mark.parametrize(
    "value",
    [None, "", " ", "yesterday", "2021-13-01", "2021-02-30", "01/02/2021", "{{ x }}", "\ud800", 1_612_137_600, 1.5, True, []],
)
def test_any_other_start_date_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^start_date: "):
        parse_config(changed(start_date=value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("2021-02-01T00:00:01Z", 1_612_137_601),
        ("2021-02-02", 1_612_224_000),
        (" 2021-02-02T01:00:00+01:00 ", 1_612_224_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ],
)
def test_end_dates(value: object, expected: int | None) -> None:
    assert parse_config(changed(end_date=value)).end == expected


@pytest.mark.parametrize("value", [" ", "tomorrow", "2021-13-01", "\ud800", 1_712_137_600, True, [], {}])
def test_any_other_end_date_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^end_date: (\".*\" is not a date\.|must be a string)"):
        parse_config(changed(end_date=value))


@pytest.mark.parametrize("value", ["2021-02-01T00:00:00Z", "2021-02-01T00:00:00.9Z", "2021-01-31T23:59:59Z", "1969-01-01"])
def test_an_end_date_is_later_than_the_start_date(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(changed(end_date=value))
    expected = f'end_date: "{value}" must be later than start_date, which is "2021-02-01T00:00:00Z".'
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-13-01", "2026-13-01"),
        ("yesterday", "yesterday"),
        ("01/02/2026", "01/02/2026"),
        ("2026-01-01\x1b[2J\n", r"2026-01-01\x1b[2J\n"),
        ("a-token-that-was-pasted-into-the-wrong-field", "a-token-that-was-pasted-int..."),
    ],
)
@pytest.mark.parametrize("key", ["start_date", "end_date"])
def test_a_date_that_is_none_is_named_as_the_user_wrote_it(key: str, value: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(changed(**{key: value}), {key: "--the-option"})
    forms = "Use 2026-01-31, or with a time in UTC 2026-01-31T12:00:00Z."
    assert str(caught.value) == f'--the-option: "{shown}" is not a date. {forms}'


def test_a_start_date_in_the_future_is_refused_but_for_a_few_minutes_of_skew() -> None:
    config = parse_config(VALID)
    for now in (config.start, config.start + 1e9, config.start - 120):
        require_past_start(config, now)
    message = r'^--start-date: "2021-02-01T00:00:00Z" is in the future\. Choose'
    with pytest.raises(ConfigError, match=message):
        require_past_start(config, config.start - 3600, {"start_date": "--start-date"})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**VALID, "credentials": None, "acess_token": TOKEN}, r"^credentials: missing\. .* did you mean `access_token`\?$"),
        ({"startdate": "2021", **VALID, "start_date": None}, r"^start_date: missing\. Unknown key `startdate`: did you mean"),
        (oauth(refreshtoken="SECRET"), r"Unknown key `credentials.refreshtoken`: did you mean `credentials.refresh_token`\?$"),
    ],
)
def test_a_misspelt_key_is_named_where_something_is_missing(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_config(raw)
    assert "SECRET" not in str(caught.value)


REDACT: dict[str, Any] = {
    "hash_key": "SECRET-key-of-enough-letters",
    "rules": [{"field": "chats.visitor.email", "action": "hash"}],
}


def test_what_is_redacted() -> None:
    config = parse_config(changed(redact=REDACT))
    assert config.redaction == Redaction((Rule("chats", ("visitor", "email"), "hash"),), "SECRET-key-of-enough-letters")
    assert "SECRET" not in repr(config) + str(config)


@pytest.mark.parametrize("value", [None, "", {}, {"rules": []}])
def test_nothing_is_redacted_unless_asked_for(value: object) -> None:
    assert parse_config(changed(redact=value)).redaction is None


@pytest.mark.parametrize(
    "raw",
    [
        VALID,
        changed(credentials={"access_token": TOKEN}),
        changed(credentials={"credentials": "access_token", "access_token": f" {TOKEN}\n"}),
        {"subdomain": "acme", "start_date": "2021-02-01", "access_token": TOKEN},
        changed(credentials=None, access_token=TOKEN),
        changed(credentials={"credentials": "access_token", "access_token": TOKEN}, access_token="other"),
        changed(credentials={"credentials": "access_token", "access_token": TOKEN, "client_id": 7}),
    ],
)
def test_forms_of_an_access_token(raw: dict[str, Any]) -> None:
    assert parse_config(raw).credentials == AccessToken(TOKEN)


@pytest.mark.parametrize(
    ("given", "renewable"),
    [
        (SECRETS, True),
        ({"access_token": TOKEN}, False),
        ({"access_token": TOKEN, "refresh_token": "r"}, False),
        ({"client_id": "c", "client_secret": "s"}, True),
        ({"client_id": "c", "refresh_token": "r"}, True),
        ({"access_token": "", "client_id": "c", "refresh_token": "r", "client_secret": None}, True),
    ],
)
def test_forms_of_oauth(given: dict[str, Any], renewable: bool) -> None:
    credentials = parse_config(oauth(**given)).credentials
    assert isinstance(credentials, OAuth)
    assert credentials.renewable is renewable
    assert credentials.access_token == (given.get("access_token") or None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("2027-02-01T00:00:00Z", 1_801_440_000.0),
        ("2027-02-01T00:00:00", 1_801_440_000.0),
        ("2027-02-01T01:00:00+01:00", 1_801_440_000.0),
    ],
)
def test_the_expiry_of_a_token(value: object, expected: float | None) -> None:
    credentials = parse_config(oauth(access_token=TOKEN, token_expiry_date=value)).credentials
    assert isinstance(credentials, OAuth)
    assert credentials.expires_at == expected


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (changed(credentials=None), "credentials"),
        (changed(credentials=None, access_token=7), "access_token"),
        (changed(credentials="SECRET"), "credentials"),
        (changed(credentials=["SECRET"]), "credentials"),
        (changed(credentials={}), "credentials.credentials"),
        (changed(credentials={"credentials": "SECRET"}), "credentials.credentials"),
        (changed(credentials={"credentials": ["SECRET"]}), "credentials.credentials"),
        (changed(credentials={"credentials": "access_token"}), "credentials.access_token"),
        *((changed(credentials={"credentials": "access_token", "access_token": token}), TOKEN_PATH) for token in BAD_TOKENS),
        (oauth(), "credentials"),
        (oauth(client_id="SECRET"), "credentials"),
        (oauth(refresh_token="SECRET"), "credentials"),
        (oauth(client_secret="SECRET"), "credentials"),
        *((oauth(**{**SECRETS, name: value}), f"credentials.{name}") for name in SECRETS for value in BAD_TOKENS if value),
        *((oauth(**SECRETS, token_expiry_date=value), "credentials.token_expiry_date") for value in BAD_EXPIRIES),
        (changed(redact="SECRET"), "redact"),
        (changed(redact={"rules": [{"field": "SECRET", "action": "drop"}]}), "redact rule 1, field"),
        (changed(redact={**REDACT, "hash_key": "SECRET"}), "redact.hash_key"),
        (changed(subdomain=None), "subdomain"),
        (changed(subdomain=7), "subdomain"),
        *((changed(**{name: value}), name) for name in NUMBERS for value in BAD_NUMBERS),
        (changed(requests_per_minute=0), "requests_per_minute"),
        (changed(request_timeout_seconds=0), "request_timeout_seconds"),
        (changed(lookback_minutes=7 * 24 * 60 + 1), "lookback_minutes"),
    ],
)  # fmt: skip
def test_an_error_names_the_path_and_never_the_value(raw: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{re.escape(path)}: ") as caught:
        parse_config(raw)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("raw", [None, [], "SECRET", 7, True, [VALID]])
def test_a_configuration_is_an_object(raw: object) -> None:
    with pytest.raises(ConfigError, match="must be a JSON object"):
        parse_config(raw)


@pytest.mark.parametrize("minutes", [0, 1, 7 * 24 * 60])
def test_the_lookback_is_given_in_minutes(minutes: int) -> None:
    assert parse_config(changed(lookback_minutes=minutes)).lookback == 60 * minutes


names = st.sampled_from(
    [
        *VALID,
        "access_token",
        "api_url",
        "lookback_minutes",
        "requests_per_minute",
        "request_timeout_seconds",
        *SECRETS,
        "token_expiry_date",
        *("end_date", "redact", "rules", "field", "action", "patterns", "hash_key"),
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["access_token", "oauth2.0", "2021-02-01", "acme", "chats.visitor.email", "hash", "mask"])
)
jsons = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=4), max_leaves=8
)


@exactly
@given(st.dictionaries(names, jsons), st.booleans())
def test_any_json_is_a_configuration_or_a_config_error(raw: dict[str, Any], valid_else: bool) -> None:
    config = parsed({**VALID, **raw} if valid_else else raw)
    if isinstance(config, str):
        assert re.match(r"[a-z_.]+(\[\d+\](\.[a-z]+)?)?: ", config)
    else:
        assert config.api_url.startswith(f"{config.origin}/")


@exactly
@given(names.filter(lambda name: name not in {"start_date", "end_date"}), st.text(max_size=12).map(lambda text: f"Qx7{text}"))
def test_no_value_but_a_date_is_ever_in_a_message(name: str, text: str) -> None:
    for raw in (changed(**{name: text}), oauth(**{name: text})):
        config = parsed(raw)
        assert not isinstance(config, str) or text not in config
