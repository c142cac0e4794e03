"""An authorization code, exchanged for tokens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from zendesk_chat.api.auth import TOKEN_PATH
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import no_answer
from zendesk_chat.api.retry import Outcome, wait_before_retry
from zendesk_chat.api.token_endpoint import error_in, is_refusal, refusal, tokens_in
from zendesk_chat.api.transport import Response, Transport
from zendesk_chat.clock import Clock
from zendesk_chat.config import OAuth
from zendesk_chat.errors import AuthError, ConnectorError, ServerError
from zendesk_chat.load.login.sign_in import SCOPE, SignIn
from zendesk_chat.request import FEW_ATTEMPTS

GRANT: Final = "authorization_code"


def exchange_code(sign_in: SignIn, code: str, secret: str, transport: Transport, clock: Clock) -> OAuth:
    """Return the tokens that Zendesk returns for a code. Retries if there is no response.

    Raises:
        ConfigError: Zendesk refuses.
        TransientError: There was no response.
    """
    form = {
        "grant_type": GRANT,
        "code": code,
        "client_id": sign_in.client_id,
        "client_secret": secret,
        "redirect_uri": sign_in.redirect_url,
        "scope": SCOPE,
    }
    attempt = 0
    while True:
        attempt += 1
        found = _attempt(sign_in.origin + TOKEN_PATH, form, transport)
        if isinstance(found, Response):
            answer = tokens_in(found.body) if found.status == HTTPStatus.OK else None
            if answer:
                expires_at = None if answer.life is None else clock.now() + answer.life
                return OAuth(answer.access_token, answer.refresh_token, sign_in.client_id, secret, expires_at)
            if is_refusal(found.status):
                raise _refused(found, sign_in)
            outcome, error = Outcome(found.status, "body", found.headers), _no_tokens(found)
        else:
            outcome, error = Outcome(0, found.kind), no_answer(found)
        wait = wait_before_retry(outcome, attempt, clock.now(), max_attempts=FEW_ATTEMPTS)
        if wait is None:
            raise error
        clock.sleep(wait)


def _attempt(url: str, form: dict[str, str], transport: Transport) -> Response | NoAnswerError:
    """Send one request. The response is complete and decompressed."""
    try:
        response = transport.post_form(url, form)
        response.body  # noqa: B018  which fails if it is damaged
    except NoAnswerError as error:
        return error
    return response


def _no_tokens(response: Response) -> ConnectorError:
    return ServerError(
        f"Zendesk's OAuth service returned no tokens (HTTP {response.status}). Run `zendesk-chat login` again later.",
        status=response.status,
    )


def _refused(response: Response, sign_in: SignIn) -> ConnectorError:
    code = error_in(response)
    if code == "invalid_grant":
        return AuthError(
            f"Zendesk rejected the code (HTTP {response.status}): it has expired, it was used already, or the redirect "
            f"URL of the API client is not {sign_in.redirect_url}. Run `zendesk-chat login` again.",
            status=response.status,
            code=code,
        )
    if code == "invalid_client":
        return AuthError(
            f"Zendesk rejected the API client (HTTP {response.status}): its client ID or its secret is wrong. Copy both "
            "from the Chat dashboard and run `zendesk-chat login` again. If your client has no secret, add --grant implicit.",
            status=response.status,
            code=code,
        )
    return refusal(response, GRANT, "")
