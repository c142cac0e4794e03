"""What people paste: complete addresses, parts of them, and what terminals, mails and chats make of them."""

from __future__ import annotations

import pytest

from zendesk_chat.load.login.pasted import pasted_answer
from zendesk_chat.load.login.sign_in import SignIn, UnusableAnswerError

CODE = SignIn("https://acme.zendesk.com", "client", 8790, implicit=False, state="st-1")
IMPLICIT = SignIn("https://acme.zendesk.com", "client", 8790, implicit=True, state="st-1")
TOO_MANY = "http://localhost:8790/?" + "&".join(f"a{n}=1" for n in range(60))


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8790/?code=abc123&state=st-1",
        "http://localhost:8790?state=st-1&code=abc123",
        "http://127.0.0.1:8790/?code=abc123&state=st-1\r\n",
        "https://localhost:8790/?code=abc123&state=st-1#",
        "localhost:8790/?code=abc123&state=st-1",
        "LOCALHOST:8790/?code=abc123&state=st-1",
        '  "http://localhost:8790/?code=abc123&state=st-1"  ',
        "'http://localhost:8790/?code=abc123&state=st-1'",
        "<http://localhost:8790/?code=abc123&state=st-1>",
        "\u201chttp://localhost:8790/?code=abc123&state=st-1\u201d",
        "\ufeffhttp://localhost:8790/?code=abc123&state=st-1",
        "http://localhost:8790/?code=abc123&amp;state=st-1",
        "http://localhost:8790/?co\n  de=abc123&state=st-1",
        "http://localhost:8790/?code=abc123",
        "?code=abc123&state=st-1",
        "code=abc123&state=st-1",
        "state=st-1&code=abc123",
        "code=abc123",
        "abc123",
        " `abc123` ",
    ],
)
def test_a_code_is_found(text: str) -> None:
    assert pasted_answer(text, CODE).code == "abc123"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("http://localhost:8790/?code=a%2Bb%3D%3D&state=st-1", "a+b=="),
        ("a%2Bb%3D%3D", "a+b=="),
        ("a/b==", "a/b=="),
        ("a+b", "a+b"),
    ],
)
def test_a_code_keeps_its_signs(text: str, code: str) -> None:
    assert pasted_answer(text, CODE).code == code


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8790/#access_token=tok-1&token_type=Bearer&scope=read&state=st-1&expires_in=36000",
        "http://localhost:8790#state=st-1&access_token=tok-1&expires_in=36000",
        "#access_token=tok-1&state=st-1&expires_in=36000",
        "access_token=tok-1&state=st-1&expires_in=36000",
        "http://localhost:8790/?access_token=tok-1&state=st-1&expires_in=36000",
    ],
)
def test_a_token_is_found_with_its_lifetime(text: str) -> None:
    answer = pasted_answer(text, IMPLICIT)
    assert (answer.token, answer.life, answer.code) == ("tok-1", 36_000, "")


def test_a_bare_token_is_found() -> None:
    assert pasted_answer("tok-1", IMPLICIT).token == "tok-1"


@pytest.mark.parametrize("text", ["http://localhost:8790/?error=access_denied", "error=access_denied&state=st-1"])
def test_a_refusal_is_found(text: str) -> None:
    assert pasted_answer(text, CODE).error == "access_denied"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Nothing was pasted. Paste the address from the browser, or the code in it."),
        (' "" \n', "Nothing was pasted."),
        (CODE.address, "This is the address of the sign-in page. Paste the one that the browser shows after you choose Allow."),
        ("http://localhost:8790/", "There is no code in this address."),
        ("https://acme.zendesk.com/agent", "There is no code in this address."),
        ("http://localhost:8790/?code=abc&state=old", "This response belongs to another sign-in"),
        ("code=abc&state=st-\u00e9", "This response belongs to another sign-in"),
        ("http://localhost:8790/#access_token=tok-1&state=st-1", "The response has no code."),
        ("http://localhost:8790/?code=&state=st-1", "The response has no code."),
        ("http://localhost:8790/?code=%00&state=st-1", "The response is damaged."),
        ("\u00fcber", "The response is damaged."),
        (TOO_MANY, "There is no code in this address."),
    ],
)
def test_a_paste_without_an_answer_is_explained(text: str, message: str) -> None:
    with pytest.raises(UnusableAnswerError) as error:
        pasted_answer(text, CODE)
    assert str(error.value).startswith(message)
    assert "abc" not in str(error.value)
