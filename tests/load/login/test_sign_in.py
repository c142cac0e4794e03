from __future__ import annotations

import pytest

from zendesk_chat.load.login.sign_in import SignIn, UnusableAnswerError, refusal


def test_the_address_is_encoded() -> None:
    sign_in = SignIn("https://acme.zendesk.com", "a b&c", 8790, implicit=True, state="s+/")
    assert sign_in.address == (
        "https://acme.zendesk.com/oauth2/chat/authorizations/new?response_type=token&client_id=a+b%26c"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A8790&scope=read&state=s%2B%2F"
    )


def test_secrets_are_not_in_the_representation() -> None:
    sign_in = SignIn("https://acme.zendesk.com", "client", 8790, implicit=False, state="st-1")
    assert "st-1" not in repr(sign_in)
    assert "abc" not in repr(sign_in.answer_in({"code": "abc", "state": "st-1"}))


def test_a_browser_must_bring_the_state() -> None:
    sign_in = SignIn("https://acme.zendesk.com", "client", 8790, implicit=False, state="st-1")
    for fields in ({"code": "abc"}, {"code": "abc", "state": ""}, {"code": "abc", "state": "x"}, {"error": "e", "state": "x"}):
        with pytest.raises(UnusableAnswerError, match="belongs to another sign-in"):
            sign_in.answer_in(fields)
    with pytest.raises(UnusableAnswerError, match="without proof"):
        sign_in.answer_in({"error": "access_denied"})
    assert sign_in.answer_in({"error": "access_denied"}, pasted=True).error == "access_denied"


@pytest.mark.parametrize("text", ["Call +44 20 7946 0000", "", "a" * 41, "denied\n", "erreur_é", "Access_Denied"])
def test_of_an_error_only_a_name_is_shown(text: str) -> None:
    sign_in = SignIn("https://acme.zendesk.com", "client", 8790, implicit=False, state="st-1")
    fields = {"error": text, "error_description": "Call +44 20 7946 0000", "state": "st-1"}
    assert sign_in.answer_in(fields).error == "an unknown error"


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("access_denied", "choose Allow"),
        ("invalid_scope", "Allow it in Zendesk Chat"),
        ("unsupported_response_type", "Try the other --grant"),
        ("server_error", "Zendesk refused the sign-in (server_error)."),
    ],
)
def test_each_refusal_has_its_advice(error: str, advice: str) -> None:
    assert advice in str(refusal(error))
    assert f"({error})" in str(refusal(error))
