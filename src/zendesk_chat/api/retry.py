"""Whether and when to ask again: a pure decision about one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from zendesk_chat.request import MAX_ATTEMPTS

MAX_RATE_LIMIT_ATTEMPTS: Final = 10
ATTEMPTS_BY_FAILURE: Final = {"shape": 3, "slow": 2, "lasting": 2}  # even "no such host" is at times a fault of the moment
MAX_SECONDS: Final = 300.0  # of attempts and waits, after which no other follows, however long one attempt takes
FEW_ATTEMPTS_SECONDS: Final = 60.0  # the same for a request with fewer attempts than the default
MAX_BACKOFF_SECONDS: Final = 32.0
MAX_RETRY_AFTER_SECONDS: Final = 600.0  # the API's quota renews each minute; a longer wait belongs to the scheduler
TOO_MANY_REQUESTS: Final = 429
REQUEST_TIMEOUT: Final = 408
CONFLICT: Final = 409
SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        status: The HTTP status; 0 when no answer came, 200 with ``failure`` when its body could not be used.
        failure: "" for an answer, else the kind of a ``NoAnswerError``, "body" (unreadable) or "shape" (readable, not what was
            promised).
        headers: The answer's headers, with lower-case names.
    """

    status: int
    failure: str = ""
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """The 429s since any request of the process last passed.

    Attributes:
        news: Whether this request's 429 counts among them; False if it was under way together with one that does.
        refusals: How many count.
        seconds: How long ago the first of them came.
    """

    news: bool
    refusals: int
    seconds: float

    @property
    def hopeless(self) -> bool:
        """Whether it is too long, however few of its refusals were those of one request."""
        return self.refusals >= MAX_RATE_LIMIT_ATTEMPTS and self.seconds >= MAX_RETRY_AFTER_SECONDS


def wait_before_retry(
    outcome: Outcome,
    attempt: int,
    now: float,
    *,
    max_attempts: int = MAX_ATTEMPTS,
    spell: Spell | None = None,
    spent: float = 0.0,
) -> float | None:
    """Seconds to wait before the next attempt, or None to give up.

    Args:
        outcome: The attempt just made.
        attempt: Its number, from 1.
        now: Seconds since 1970, to read a ``Retry-After`` that is a date.
        max_attempts: After how many attempts a server or network error is final.
        spell: Of 429 in the whole process, if it is one: waits grow with it, because they hold every request back.
        spent: Seconds that the attempts of this request took so far, and the waits between them. Those of 429 do not count.
    """
    wait = _wait(outcome, attempt, now, spell)
    limit = _attempts(outcome, max_attempts)
    if wait is None or attempt >= limit or (spell and spell.hopeless):
        return None
    budget = FEW_ATTEMPTS_SECONDS if max_attempts < MAX_ATTEMPTS else MAX_SECONDS
    return wait if is_rate_limit(outcome) or spent < budget else None


def _wait(outcome: Outcome, attempt: int, now: float, spell: Spell | None) -> float | None:
    doublings = min((spell.refusals if spell else attempt) - 1, MAX_RATE_LIMIT_ATTEMPTS)  # a spell may be of thousands
    backoff = min(2.0**doublings, MAX_BACKOFF_SECONDS)
    asked = retry_after(outcome.headers or {}, now)
    if asked is None:
        return backoff
    if asked > MAX_RETRY_AFTER_SECONDS:
        return None
    return max(asked, 0.1)


def is_rate_limit(outcome: Outcome) -> bool:
    """Whether the API said: too many requests."""
    return outcome.status == TOO_MANY_REQUESTS


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds named by ``Retry-After``, as a number or as a date; None when absent or meaningless."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124  "nan" is a float too


def _attempts(outcome: Outcome, max_attempts: int) -> int:
    if is_rate_limit(outcome):
        return MAX_RATE_LIMIT_ATTEMPTS
    if outcome.failure in ATTEMPTS_BY_FAILURE:
        return min(max_attempts, ATTEMPTS_BY_FAILURE[outcome.failure])
    if outcome.failure or outcome.status >= SERVER_ERRORS or outcome.status in {REQUEST_TIMEOUT, CONFLICT}:
        return max_attempts
    return 1
