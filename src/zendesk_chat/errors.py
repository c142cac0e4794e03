"""Every error that this package raises on purpose. Its type determines what recovers from it.

A message describes what happened and what to do. It never contains a token, a record or a traceback, and is safe to print.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from zendesk_chat.printable import LONGEST_REPORT, printable

NO_THREAD: Final = "This process cannot start another thread. Raise its limit: ulimit -u, or the container's limit of pids."


class ConnectorError(Exception):
    """Root of all expected errors. You can show ``str(error)`` to a user: its control characters are escaped.

    Attributes:
        stream: Name of the stream that the error concerns; None if it concerns several or none.
        status: HTTP status of the response that caused the error; None if there was no response.
        code: The server's own name for the error, such as ``invalid_grant``; None if it sent none.
    """

    def __init__(self, message: str, *, stream: str | None = None, status: int | None = None, code: str | None = None) -> None:
        super().__init__(printable(message, LONGEST_REPORT))
        self.stream = stream
        self.status = status
        self.code = code


class ConfigError(ConnectorError):
    """The configuration, the catalog or the account is wrong. The user must change it."""


class AuthError(ConfigError):
    """The API rejected the credentials."""


class AddressError(ConfigError):
    """There is no account at this address: the subdomain is wrong, or it redirects elsewhere. No other request can succeed."""


class UnavailableError(ConfigError):
    """The API does not offer a resource to this account or role (HTTP 403, 404 or 410).

    ``by_api`` is false if a web page arrived instead of the API's response: Zendesk shows one for a subdomain without an
    account, and so does a proxy or firewall that blocks a request.
    """

    def __init__(self, message: str, *, status: int | None = None, by_api: bool = True, stream: str | None = None) -> None:
        super().__init__(message, stream=stream, status=status)
        self.by_api = by_api


class UnreachableError(ConfigError):
    """The account cannot be reached, and waiting does not help: no such host, an untrusted certificate, a proxy refuses."""


class StateError(ConfigError):
    """The state cannot be read."""


class TransientError(ConnectorError):
    """All attempts failed. The same run may succeed later."""


class RateLimitedError(TransientError):
    """The API kept responding with 429."""


class ServerError(TransientError):
    """The API kept responding with 5xx, or with an unreadable body."""


class NetworkError(TransientError):
    """No response arrived, because of the connection, TLS, the host's name or a timeout."""


class DataError(ConnectorError):
    """The API broke its own contract."""


class EnvelopeError(DataError):
    """A page lacks something that its endpoint promises."""


class RecordShapeError(DataError):
    """A record cannot be read or redacted, or no row of a response is a record."""


class RequestRejectedError(DataError):
    """The API refused a request (HTTP 400 and the like)."""


class PaginationStuckError(DataError):
    """The API repeats a page forever."""


class DestinationError(ConnectorError):
    """The destination cannot be opened or written now. A later run may succeed."""


class DestinationRefusedError(DestinationError):
    """The destination cannot be opened or written until somebody changes something."""


class ExitCode(IntEnum):
    """How a command ends, for a scheduler.

    ``COMPLETE``: every stream is complete. ``INCOMPLETE``: a later run may complete the rest. ``USAGE``: the arguments or the
    configuration are wrong, and nothing was read. ``ACTION_NEEDED``: somebody must change something before a run can succeed.
    A run that a signal ended exits with 128 plus the signal's number, as shells report it: 130 after Ctrl-C.
    """

    COMPLETE = 0
    INCOMPLETE = 1
    USAGE = 2
    ACTION_NEEDED = 3


def exit_code(errors: Iterable[ConnectorError]) -> ExitCode:
    """Return the exit code of a run that these errors made incomplete. A single one that needs a person decides."""
    needs_person = any(isinstance(error, ConfigError | DestinationRefusedError) for error in errors)
    return ExitCode.ACTION_NEEDED if needs_person else ExitCode.INCOMPLETE


def cannot_start_thread(error: BaseException) -> bool:
    """Return whether the operating system refused a thread. Python has no class for this error."""
    return isinstance(error, RuntimeError) and "start new thread" in str(error)


def one_line(error: BaseException) -> str:
    """Describe an unexpected error in one line for a user: the operating system's words, or the error's type and origin."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if cannot_start_thread(error):
        return NO_THREAD
    if isinstance(error, MemoryError):
        return "This process is out of memory."
    return f"Unexpected {origin(error)}. Please report this."


def origin(error: BaseException) -> str:
    """Return the type of an unexpected error and where it was raised, without its text, which may quote a record or a secret.

    >>> origin(ValueError("secret"))
    'ValueError'
    """
    trace, where = error.__traceback__, ""
    while trace:  # from the outermost frame to the one that raised
        code = trace.tb_frame.f_code
        where = f" at {code.co_filename.rpartition(os.sep)[2]}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return f"{type(error).__name__}{where}"


def needs_packages(name: str) -> str:
    """Return the message for a command or a function whose packages are not installed."""
    return f"`{name}` needs more packages. Install them, in a clone of the repository: pip install '.[load]'"
