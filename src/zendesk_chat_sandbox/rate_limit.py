"""The account's limit on requests per minute: a sliding window on the sandbox's clock."""

import threading
from collections import deque
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from math import ceil
from typing import Final

from zendesk_chat_sandbox.http_messages import Response, json_response
from zendesk_chat_sandbox.switches import Switches

WINDOW_SECONDS: Final = 60


class RateLimit:
    """Counts the requests of the last minute."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque()
        self._lock = threading.Lock()

    def refuse(self, now: float, switches: Switches) -> Response | None:
        """Count a request, or respond with 429 if there were too many in the last minute."""
        if not switches.rate_limit:
            return None
        with self._lock:
            sent = self._sent
            while sent and sent[0] <= now - WINDOW_SECONDS:
                sent.popleft()
            if len(sent) < switches.rate_limit:
                sent.append(now)
                return None
            wait = max(1, ceil(sent[0] + WINDOW_SECONDS - now))
        return too_many(now, wait, switches)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._sent.clear()


def too_many(now: float, wait: int, switches: Switches) -> Response:
    """Respond with 429, with ``Retry-After`` if the switches require it."""
    detail = {"error": "Too Many Requests", "description": f"More than {switches.rate_limit} requests in a minute"}
    return json_response(detail, HTTPStatus.TOO_MANY_REQUESTS, retry_after_header(now, wait, switches.retry_after))


def retry_after_header(now: float, wait: float, form: str) -> dict[str, str]:
    """Write ``Retry-After`` as seconds or as a date, or leave it out."""
    if form == "absent":
        return {}
    if form == "date":
        return {"Retry-After": format_datetime(datetime.fromtimestamp(ceil(now + wait), UTC), usegmt=True)}
    return {"Retry-After": str(ceil(wait))}
