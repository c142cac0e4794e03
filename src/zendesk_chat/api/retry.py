"""Whether and when to retry a request: a pure decision about one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import isnan
from typing import Final

from zendesk_chat.api.server_clock import parse_http_date
from zendesk_chat.request import MAX_ATTEMPTS

MAX_RATE_LIMIT_ATTEMPTS: Final = 10
ATTEMPTS_BY_FAILURE: Final = {"shape": 3, "slow": 2, "lasting": 2}  # even "no such host" may be temporary
MAX_SECONDS: Final = 300.0  # of attempts and waits; no attempt starts later, however long one takes
FEW_ATTEMPTS_SECONDS: Final = 60.0  # the same, for a request with fewer attempts than the default
MAX_BACKOFF_SECONDS: Final = 32.0
MAX_RETRY_AFTER_SECONDS: Final = 600.0  # the API's quota renews each minute; a longer wait is up to the scheduler
SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt.

    Attributes:
        status: The HTTP status; 0 if no response arrived, 200 with a ``failure`` if the body could not be used.
        failure: "" for a response, otherwise the kind of a ``NoAnswerError``, "body" (unreadable) or "shape" (unexpected).
        headers: By lower-case name.
    """

    status: int
    failure: str = ""
    headers: Mapping[str, str] | None = None

    @property
    def is_rate_limit(self) -> bool:
        """Whether the API responded with 429."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, slots=True)
class ThrottlingEpisode:
    """The 429s since any request of the process last passed.

    Attributes:
        counts: Whether ``refusals`` includes this request's 429; False if it was in flight at the same time as one of them.
        refusals: The number of 429s.
        seconds: Time since the first of them.
    """

    counts: bool
    refusals: int
    seconds: float

    @property
    def should_give_up(self) -> bool:
        """Whether it has lasted too long, even if only a few of its refusals concerned one request."""
        return self.refusals >= MAX_RATE_LIMIT_ATTEMPTS and self.seconds >= MAX_RETRY_AFTER_SECONDS


def wait_before_retry(
    outcome: Outcome,
    attempt: int,
    now: float,
    *,
    max_attempts: int = MAX_ATTEMPTS,
    episode: ThrottlingEpisode | None = None,
    spent: float = 0.0,
) -> float | None:
    """Return the seconds to wait before the next attempt, or None to give up.

    Args:
        outcome: The attempt just made.
        attempt: Its number, from 1.
        now: Seconds since 1970, to read a ``Retry-After`` that is a date.
        max_attempts: The number of attempts after which a server or network error is final.
        episode: The 429s of the process, if the outcome is one of them. Waits grow with it, because they delay every request.
        spent: Seconds of this request's attempts and waits so far, except those for 429.
    """
    budget = FEW_ATTEMPTS_SECONDS if max_attempts < MAX_ATTEMPTS else MAX_SECONDS
    if attempt >= _attempts(outcome, max_attempts) or (episode and episode.should_give_up):
        return None
    if not outcome.is_rate_limit and spent >= budget:
        return None
    asked = retry_after(outcome.headers or {}, now)
    if asked is not None:
        return max(asked, 0.1) if asked <= MAX_RETRY_AFTER_SECONDS else None
    doublings = min((episode.refusals if episode else attempt) - 1, MAX_RATE_LIMIT_ATTEMPTS)  # an episode may have thousands
    return min(2.0**doublings, MAX_BACKOFF_SECONDS)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Parse ``Retry-After``, a number or a date, to seconds; None if it is absent or meaningless."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        date = parse_http_date(text)
        if date is None:
            return None
        seconds = date - now
    return None if isnan(seconds) else max(0.0, seconds)


def _attempts(outcome: Outcome, max_attempts: int) -> int:
    if outcome.is_rate_limit:
        return MAX_RATE_LIMIT_ATTEMPTS
    if outcome.failure in ATTEMPTS_BY_FAILURE:
        return min(max_attempts, ATTEMPTS_BY_FAILURE[outcome.failure])
    may_pass = outcome.status >= SERVER_ERRORS or outcome.status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT}
    return max_attempts if outcome.failure or may_pass else 1
