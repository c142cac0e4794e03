"""One sign-in: the address that starts it, and the responses that belong to it. Pure.

The addresses and parameters are those that clients of the Chat API use (read 2026-11-22): an authorization code arrives in the
query of the redirect URL, a token of the implicit grant in its fragment. ``state`` proves that a response belongs to this
sign-in. There is no PKCE: it is not documented for Zendesk Chat, and the client's secret protects the code.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from zendesk_chat.api.token_endpoint import is_token, lifetime
from zendesk_chat.errors import AuthError, ConfigError, ConnectorError

AUTHORIZE_PATH: Final = "/oauth2/chat/authorizations/new"
SCOPE: Final = "read"
ANSWER_FIELDS: Final = frozenset({"code", "access_token", "error"})
UNPROVEN: Final = (
    "An error arrived without proof that it belongs to this sign-in, so it was ignored. If you chose Deny, press Ctrl-C here."
)
_ERROR: Final = re.compile("[a-z_]{1,40}")
_UNKNOWN: Final = "an unknown error"
OF_ANOTHER: Final = "This response belongs to another sign-in, so it was ignored. Use the address that was printed last."


class UnusableAnswerError(Exception):
    """A response that this sign-in cannot use. The person may paste another one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a sign-in: a code, a token, or the name of an error. The other fields are empty.

    ``life`` is the number of seconds until the token expires; None if that is not known.
    """

    code: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    error: str = ""
    life: float | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in of one person with one API client.

    Attributes:
        origin: Scheme, host and port of the account.
        port: Of the redirect URL, on this machine.
        implicit: Whether to request a token directly, and not a code that is exchanged for tokens.
        state: Random; the response repeats it.
    """

    origin: str
    client_id: str
    port: int
    implicit: bool
    state: str = field(repr=False)

    @property
    def redirect_url(self) -> str:
        """Where Zendesk sends the browser. The API client must have exactly this URL."""
        return redirect_url(self.port)

    @property
    def address(self) -> str:
        """The page at Zendesk on which the person signs in."""
        query = {
            "response_type": "token" if self.implicit else "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_url,
            "scope": SCOPE,
            "state": self.state,
        }
        return f"{self.origin}{AUTHORIZE_PATH}?{urlencode(query)}"

    def answer_in(self, fields: Mapping[str, str], *, pasted: bool = False) -> Answer:
        """Return the response in the fields of a redirect.

        A web page can send the browser here, but does not know the state. So an error needs it too, and only a name is taken
        from the error. A person may paste a response without the state.

        Raises:
            UnusableAnswerError: They contain no response, or one that belongs to another sign-in.
        """
        state = fields.get("state", "")
        if not state and "error" in fields and not pasted:
            raise UnusableAnswerError(UNPROVEN)
        if (state or not pasted) and not hmac.compare_digest(state.encode(errors="replace"), self.state.encode()):
            raise UnusableAnswerError(OF_ANOTHER)
        if "error" in fields:
            return Answer(error=fields["error"] if _ERROR.fullmatch(fields["error"]) else _UNKNOWN)
        wanted = "access_token" if self.implicit else "code"
        value = fields.get(wanted, "")
        if not value:
            raise UnusableAnswerError(
                f"The response has no {'token' if self.implicit else 'code'}. Start again in the browser."
            )
        if not is_token(value):
            raise UnusableAnswerError("The response is damaged. Start again in the browser.")
        return Answer(token=value, life=lifetime(fields.get("expires_in"))) if self.implicit else Answer(code=value)


def redirect_url(port: int) -> str:
    """Return the redirect URL of a port."""
    return f"http://localhost:{port}"


def refusal(error: str) -> ConnectorError:
    """Return the exception for an ``error`` in a response."""
    if error == "access_denied":
        return AuthError("Access was denied in the browser (access_denied). Run `zendesk-chat login` again and choose Allow.")
    if error == "invalid_scope":
        return AuthError("The API client is not allowed to request the scope `read` (invalid_scope). Allow it in Zendesk Chat.")
    if error in {"unsupported_response_type", "unauthorized_client"}:
        return ConfigError(f"The API client does not support this way of signing in ({error}). Try the other --grant.")
    return AuthError(f"Zendesk refused the sign-in ({error}). Check the client ID and its redirect URL, and try again.")
