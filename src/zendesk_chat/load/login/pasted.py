"""Parses what a person pastes after signing in on another machine: the redirect address, or a part of it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from zendesk_chat.load.login.sign_in import ANSWER_FIELDS, Answer, SignIn, UnusableAnswerError

AROUND: Final = "\"'`<>()[],;\u201c\u201d\u2018\u2019\u00ab\u00bb\ufeff\u200b"  # from chats and mails
MOST_FIELDS: Final = 50
_FIELDS: Final = re.compile(r"[?#&]|(?:code|state|access_token|error|token_type|scope|expires_in)=")
_ADDRESS: Final = re.compile(r"https?://|localhost|127\.0\.0\.1", re.IGNORECASE)


def pasted_answer(text: str, sign_in: SignIn) -> Answer:
    """Return the response in a pasted string: a complete address, its query or fragment, or only the code or token.

    Raises:
        UnusableAnswerError: It contains no response, or one that belongs to another sign-in.
    """
    what = "token" if sign_in.implicit else "code"
    cleaned = "".join(text.split()).strip(AROUND).replace("&amp;", "&")  # a terminal or a mail may have wrapped it
    if not cleaned:
        raise UnusableAnswerError(f"Nothing was pasted. Paste the address from the browser, or the {what} in it.")
    is_address = bool(_ADDRESS.match(cleaned))
    if not is_address and not _FIELDS.match(cleaned):
        return sign_in.answer_in({"access_token" if sign_in.implicit else "code": unquote(cleaned)}, pasted=True)
    fields = _fields(cleaned, is_address=is_address)
    if "response_type" in fields:
        raise UnusableAnswerError(
            "This is the address of the sign-in page. Paste the one that the browser shows after you choose Allow."
        )
    if ANSWER_FIELDS.isdisjoint(fields):
        raise UnusableAnswerError(
            f"There is no {what} in this address. Copy the complete address that the browser shows after you choose Allow."
        )
    return sign_in.answer_in(fields, pasted=True)


def _fields(text: str, *, is_address: bool) -> dict[str, str]:
    """Return the fields of the query and of the fragment."""
    before, _, fragment = text.partition("#")
    query = before.partition("?")[2] if is_address else before.lstrip("?&")
    try:
        return {
            name: value
            for part in (query, fragment)
            for name, value in parse_qsl(part, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        }
    except ValueError:  # too many
        return {}
