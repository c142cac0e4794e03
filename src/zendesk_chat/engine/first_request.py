"""The first request of a run is sent alone, so that a wrong token, address or network is found once and not by every stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from zendesk_chat.clock import POLL_SECONDS, Clock
from zendesk_chat.errors import AddressError, AuthError, ConnectorError, NetworkError, UnavailableError, UnreachableError

# All streams would fail with these errors if there was no response before.
OF_THE_RUN: Final = (AddressError, AuthError, NetworkError, UnreachableError)


class FirstRequest:
    """Lets one reader start, and the others once the account has responded to it.

    If the reader ends without a response, another one follows, unless all of them would fail with its error. A web page may
    come from one endpoint, or from a proxy that blocks all of them: if two readers get the same page, it blocks all.
    """

    def __init__(self, clock: Clock, *, answered: bool) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._answered = answered
        self._under_way = False
        self._error: ConnectorError | None = None
        self._page = ""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a reader may start. The next one may start when it ends, unless all would fail with its error.

        Raises:
            ConnectorError: All readers fail with this error.
            Stopped: The run should stop.
        """
        with self._changed:
            while self._under_way and not (self._answered or self._error):
                self._clock.check()
                self._changed.wait(POLL_SECONDS)
            if self._error:
                raise self._error
            self._under_way = True
        error = None
        try:
            yield
        except ConnectorError as failed:
            error = failed
            raise
        finally:
            if not self._answered:
                with self._changed:
                    self._under_way = False
                    self._error = error if self._is_of_the_run(error) else None
                    self._changed.notify_all()

    def account_answered(self) -> None:
        """Let all readers start."""
        if not self._answered:
            with self._changed:
                self._answered = True
                self._changed.notify_all()

    def _is_of_the_run(self, error: ConnectorError | None) -> bool:
        if isinstance(error, UnavailableError) and not error.by_api:
            before, self._page = self._page, str(error)
            return before == self._page
        return isinstance(error, OF_THE_RUN)
