"""A destination's failures, told to a user in a line instead of a traceback."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

import duckdb
from dlt.common.exceptions import DltException

from source_zendesk_chat.errors import ConnectorError, FailureType

_HINTS: Final = (
    ("could not set lock", "another program has the database open; close it there and try again"),
    ("no space left", "there is no space left on the disk; what is already committed stays"),
    ("out of memory", "DuckDB ran out of memory"),
    ("permission denied", "no permission to write there"),
    ("read-only", "it can only be read"),
    ("no such file or directory", "the directory does not exist"),
    ("not a valid duckdb database", "the file is not a DuckDB database"),
    ("is a directory", "it is a directory, not a file"),
)


class DestinationError(ConnectorError):
    """The destination cannot be opened or written now. Another try may succeed."""

    failure_type: ClassVar[FailureType] = "transient_error"


class DestinationRefusedError(DestinationError):
    """The destination cannot be opened or written before a person has changed something."""

    failure_type: ClassVar[FailureType] = "config_error"


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Raise what goes wrong inside as a DestinationError that says what was being done, and why it failed."""
    try:
        yield
    except (DltException, duckdb.Error, OSError, ModuleNotFoundError) as error:
        kind = DestinationRefusedError if _needs_person(error) else DestinationError
        raise kind(f"Failed at {action}: {reason(error)}.") from error


def reason(error: BaseException) -> str:
    """Return why something failed, from the whole chain of its causes. Never quotes data."""
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes).lower()
    if any(isinstance(cause, OSError) and cause.errno == errno.ENOSPC for cause in causes):
        text = "no space left"
    for sign, hint in _HINTS:
        if sign in text:
            return hint
    if any(isinstance(cause, ModuleNotFoundError) or "MissingDependency" in type(cause).__name__ for cause in causes):
        extra = _EXTRA.search(" ".join(map(str, causes)))
        return f"the driver is not installed. Run: pip install '{extra[0] if extra else 'dlt[...]'}'"
    names = {type(cause).__name__ for cause in causes}
    if names & _MISMATCHES:
        return (
            "a table there has other columns than the stream (" + ", ".join(sorted(names & _MISMATCHES)) + "); "
            "drop or rename that table, or load into another file"
        )
    return ", from ".join(type(cause).__name__ for cause in causes)


_MISMATCHES: Final = frozenset(
    {
        "BinderException",
        "CatalogException",
        "ConstraintException",
        "ConversionException",
        "CannotCoerceColumnException",
        "TypeMismatchException",
    }
)


_EXTRA: Final = re.compile(r"dlt\[\w+\]")
_FOR_A_PERSON: Final = (
    "no space left",
    "disk quota",
    "permission denied",
    "not permitted",
    "read-only",
    "no such file or directory",
    "not a valid duckdb database",
    "is a directory",
    "authentication failed",
    "does not exist",
)
"""What the texts of errors hold that no further try overcomes."""


def _needs_person(error: BaseException) -> bool:
    causes = list(_causes(error))
    text = " ".join(str(cause) for cause in causes).lower()
    if "could not set lock" in text:  # the text names files and programs besides
        return False
    missing = any(isinstance(cause, ModuleNotFoundError) or "MissingDependency" in type(cause).__name__ for cause in causes)
    mismatch = any(type(cause).__name__ in _MISMATCHES for cause in causes)
    return missing or mismatch or any(sign in text for sign in _FOR_A_PERSON)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
