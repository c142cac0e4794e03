"""Every error this package raises on purpose, typed by what recovers from it.

    ConnectorError
    ├── ConfigError            config_error: the user must change something
    │   ├── AuthError          the token is wrong, expired, or lacks scope or role
    │   ├── AddressError       no Zendesk Chat account answers at this address
    │   ├── UnavailableError   this account's plan or this token's role does not give the stream
    │   ├── UnreachableError   the account cannot be reached from here, and waiting does not help
    │   └── StateError         the state cannot be read, and how to reset it
    ├── TransientError         transient_error: the same run may succeed later
    │   ├── RateLimitedError
    │   ├── ServerError
    │   └── NetworkError
    └── DataError              system_error: the API broke its own contract
        ├── EnvelopeError      a page is not what its endpoint promises
        ├── RecordShapeError   a record cannot be read
        ├── RequestRejectedError  the API refused a request that it documents as valid
        └── PaginationStuckError  a page does not move the position on

A message says what happened and what to do about it. It never holds a token, a record or a traceback, and is safe to print.

``sync`` ends with one of these codes, which tell a scheduler what to do:

    0  every stream is complete
    1  some stream is incomplete, and another run may complete it (transient_error, system_error, interrupted streams)
    2  the arguments or the configuration are wrong; nothing was read
    3  a person must act before another run can succeed (config_error): token, role, account, destination
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from enum import IntEnum
from pathlib import PurePath
from typing import ClassVar, Final, Literal

from zendesk_chat.printable import LONGEST_REPORT, printable

NO_THREAD: Final = "This process may not start another thread. Raise its limit: ulimit -u, or the container's limit of pids."
FailureType = Literal["config_error", "transient_error", "system_error"]


class ConnectorError(Exception):
    """Root of all expected errors. ``str(error)`` can be shown to a user; control characters in the message are escaped."""

    failure_type: ClassVar[FailureType] = "system_error"

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, LONGEST_REPORT))


class ConfigError(ConnectorError):
    """The configuration, catalog or account must be changed by the user."""

    failure_type = "config_error"


class AuthError(ConfigError):
    """The API does not accept the credentials."""


class AddressError(ConfigError):
    """No account answers at this address: the subdomain is wrong, or it redirects elsewhere. No other request can succeed."""


class UnavailableError(ConfigError):
    """The API does not offer a resource to this account or role (HTTP 403, 404 or 410).

    Attributes:
        status: The HTTP status.
        by_api: Whether the answer is the API's own. A web page is not: Zendesk shows one where a subdomain has no account, and
            so does a proxy or firewall that blocks a request.
    """

    def __init__(self, message: str, *, status: int, by_api: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.by_api = by_api


class UnreachableError(ConfigError):
    """The account cannot be reached, and a wait does not help: no such host, an untrusted certificate, a proxy that refuses."""


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
    """A record cannot be read or redacted, or no row of an answer is a record."""


class RequestRejectedError(DataError):
    """The API refused a request (HTTP 400 and the like)."""


class PaginationStuckError(DataError):
    """The API repeats a page for ever."""


class ExitCode(IntEnum):
    """How ``sync`` ends, as described above."""

    COMPLETE = 0
    INCOMPLETE = 1
    USAGE = 2
    ACTION_NEEDED = 3


def exit_code(errors: Iterable[ConnectorError]) -> ExitCode:
    """The exit code of a run that these errors kept from being complete.

    A retry alone cannot complete a run of which one part needs a person, so that part decides.
    """
    needs_person = any(error.failure_type == ConfigError.failure_type for error in errors)
    return ExitCode.ACTION_NEEDED if needs_person else ExitCode.INCOMPLETE


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


def needs_packages(name: str) -> str:
    """The message for a command or a function whose packages are not installed."""
    return (
        f"`{name}` needs more packages. Install them: pip install 'zendesk-chat[load]', or in a clone of the repository: "
        "pip install '.[load]'"
    )
