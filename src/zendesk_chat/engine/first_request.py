"""The first request of a run goes alone, so that a wrong token, address or network is found once and not by every stream."""

from __future__ import annotations

import threading
from typing import Final

from zendesk_chat.clock import POLL_SECONDS, Clock
from zendesk_chat.errors import AddressError, AuthError, ConnectorError, NetworkError, UnavailableError, UnreachableError

OF_THE_RUN: Final = (AddressError, AuthError, NetworkError, UnreachableError)
"""Errors that all streams would end with if nothing was answered before."""


class FirstRequest:
    """Lets one reader begin, and the others once an account has answered it.

    If the reader ends without an answer, another one follows, unless all of them would end with its error. A web page may be
    the answer of one endpoint, or of a proxy that blocks all of them: two readers with the same page decide.

    Args:
        clock: Ends every wait when it is stopped.
        answered: Whether the account has answered before.
    """

    def __init__(self, clock: Clock, *, answered: bool = False) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._answered = answered
        self._under_way = False
        self._error: ConnectorError | None = None
        self._page = ""

    def wait_for_turn(self) -> None:
        """Wait until the reader may begin.

        Raises:
            ConnectorError: All readers end with this error.
            Stopped: The run is to end.
        """
        with self._changed:
            while self._under_way and not (self._answered or self._error):
                self._clock.check()
                self._changed.wait(POLL_SECONDS)
            if self._error:
                raise self._error
            self._under_way = True

    def account_answered(self) -> None:
        """Let all readers begin."""
        if not self._answered:
            with self._changed:
                self._answered = True
                self._changed.notify_all()

    def reader_ended(self, error: ConnectorError | None) -> None:
        """Let the next reader begin after one that has ended, or none if all would end with its error."""
        if not self._answered:
            with self._changed:
                self._under_way = False
                self._error = error if self._is_of_the_run(error) else None
                self._changed.notify_all()

    def _is_of_the_run(self, error: ConnectorError | None) -> bool:
        if isinstance(error, UnavailableError) and not error.by_api:
            before, self._page = self._page, str(error)
            return before == self._page
        return isinstance(error, OF_THE_RUN)
