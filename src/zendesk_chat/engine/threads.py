"""The threads of a run, as many as the operating system allows, and their unexpected errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from zendesk_chat.clock import Stopped
from zendesk_chat.errors import NO_THREAD, ConfigError, ConnectorError, DataError

SETTLE_SECONDS: Final = 15.0  # for a renewal of tokens; half of the time that Kubernetes gives a pod to end


def start_threads(work: Callable[[], None], count: int, name: str = "reader") -> list[threading.Thread]:
    """Start threads that share work, as many as the operating system allows. Raises ConfigError if it allows none."""
    threads: list[threading.Thread] = []
    for number in range(count):
        thread = threading.Thread(target=work, name=f"{name}-{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            if number == 0:
                raise ConfigError(NO_THREAD) from None
            break
        threads.append(thread)
    return threads


def error_of(name: str, call: Callable[[], object]) -> ConnectorError | None:
    """Call a function for a stream, and return the error that it ends with. Raises Stopped."""
    try:
        call()
    except Stopped:
        raise
    except ConnectorError as expected:
        return expected
    except Exception as unexpected:  # noqa: BLE001   whatever it is, the user gets a message and the other streams continue
        error = DataError(f"{name}: unexpected {type(unexpected).__name__}. Please report this.", stream=name)
        error.__cause__ = unexpected
        return error
    return None
