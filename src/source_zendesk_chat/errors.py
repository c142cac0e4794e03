"""Every error this package raises on purpose, typed by what recovers from it.

    ConnectorError
    ├── ConfigError            config_error: the user must change something
    │   ├── AuthError          the token is wrong, expired, or lacks scope or role
    │   ├── UnavailableError   this account's plan or this token's role does not give the stream
    │   └── StateError         the state cannot be read, and how to reset it
    ├── TransientError         transient_error: the same run may succeed later
    │   ├── RateLimitedError
    │   ├── ServerError
    │   └── NetworkError
    └── DataError              system_error: the API broke its own contract
        ├── EnvelopeError      a page is not what its endpoint promises
        ├── RecordShapeError   a record lacks its key
        ├── RequestRejectedError  the API refused a request that it documents as valid
        └── PaginationStuckError  a page does not move the position on

A message says what happened and what to do about it. It never holds a token, a record or a traceback.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import ClassVar, Final, Literal

NO_THREAD: Final = "This process may not start another thread. Raise its limit: ulimit -u, or the container's limit of pids."
FailureType = Literal["config_error", "transient_error", "system_error"]


class ConnectorError(Exception):
    """Root of all expected errors. ``str(error)`` is fit to be shown to a user."""

    failure_type: ClassVar[FailureType] = "system_error"


class ConfigError(ConnectorError):
    """The configuration, catalog or account must be changed by the user."""

    failure_type = "config_error"


class AuthError(ConfigError):
    """The API does not accept the credentials."""


class UnavailableError(ConfigError):
    """The API does not offer a resource to this account or role (HTTP 403 or 404).

    Attributes:
        status: The HTTP status, 403 or 404.
        html: Whether the answer was a web page, as Zendesk shows where no account lives at a subdomain.
    """

    def __init__(self, message: str, *, status: int, html: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.html = html


class StateError(ConfigError):
    """The state given cannot be read."""


class TransientError(ConnectorError):
    """Retries are exhausted; the same run may succeed later."""

    failure_type = "transient_error"


class RateLimitedError(TransientError):
    """The API kept answering 429."""


class ServerError(TransientError):
    """The API kept answering 5xx, or an unreadable body."""


class NetworkError(TransientError):
    """No answer came: connection, TLS, name or time-out."""


class DataError(ConnectorError):
    """The API broke its own contract."""


class EnvelopeError(DataError):
    """A page lacks what its endpoint promises."""


class RecordShapeError(DataError):
    """A record lacks its key, so it could not be told from another."""


class RequestRejectedError(DataError):
    """The API refused a request (HTTP 400 and the like)."""


class PaginationStuckError(DataError):
    """The API repeats a page for ever."""


def cannot_start_thread(error: BaseException) -> bool:
    """Return whether the operating system refused a thread. Python has no class for it."""
    return isinstance(error, RuntimeError) and "start new thread" in str(error)


def in_a_line(error: BaseException) -> str:
    """Return an unexpected error in one line for a user: what the operating system says, or the kind of error and its place."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if cannot_start_thread(error):
        return NO_THREAD
    if isinstance(error, MemoryError):
        return "There is not enough memory."
    return f"Unexpected {origin(error)}. Please report this."


def origin(error: BaseException) -> str:
    """The kind of an unexpected error and where it arose. Its text is left out: it may quote a record or a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{place}"
