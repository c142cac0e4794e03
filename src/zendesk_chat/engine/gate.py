"""The first request of a run goes alone: what fails it for the account or the network is found once, not by every stream."""

from __future__ import annotations

import threading
from typing import Final

from zendesk_chat.clock import Stopped
from zendesk_chat.errors import AddressError, AuthError, ConnectorError, NetworkError, UnavailableError, UnreachableError

POLL_SECONDS: Final = 0.2
OF_THE_RUN: Final = (AddressError, AuthError, NetworkError, UnreachableError)
"""Errors that, before anything was answered, all streams would end with."""


class Gate:
    """Lets one reader through, and the others once an account has answered it.

    If the reader ends without an answer, another one follows, unless the error is one that all would end with. So does a second
    one after a web page, which may be of one endpoint or of a proxy that blocks all of them.

    Args:
        stopped: Ends every wait.
        is_open: Whether the account has answered before.
    """

    def __init__(self, stopped: threading.Event, *, is_open: bool = False) -> None:
        self._stopped = stopped
        self._changed = threading.Condition()
        self._is_open = is_open
        self._taken = False
        self._error: ConnectorError | None = None
        self._page = ""

    def enter(self) -> None:
        """Wait for the turn.

        Raises:
            ConnectorError: The one that ended the first reader, where it is not that reader's alone.
            Stopped: The run is to end.
        """
        with self._changed:
            while self._taken and not (self._is_open or self._error):
                if self._stopped.is_set():
                    raise Stopped
                self._changed.wait(POLL_SECONDS)
            if self._error:
                raise self._error
            self._taken = True

    def open(self) -> None:
        """Let everyone through: an account has answered."""
        if not self._is_open:
            with self._changed:
                self._is_open = True
                self._changed.notify_all()

    def leave(self, error: ConnectorError | None) -> None:
        """Note how a reader ended that went through."""
        if not self._is_open:
            with self._changed:
                self._taken = False
                self._error = error if self._is_of_the_run(error) else None
                self._changed.notify_all()

    def _is_of_the_run(self, error: ConnectorError | None) -> bool:
        if isinstance(error, UnavailableError) and not error.by_api:
            before, self._page = self._page, str(error)
            return before == self._page
        return isinstance(error, OF_THE_RUN)
