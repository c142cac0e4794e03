"""A destination's failures, as one line for a user instead of a traceback."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import duckdb
from dlt.common.exceptions import DltException

from zendesk_chat.errors import NO_THREAD, DestinationError, DestinationRefusedError, cannot_start_thread

_HINTS: Final = (
    ("could not set lock", "another program has the database open; close it there and try again"),
    ("no usable temporary directory", "none of the usual ones can be written; set TMPDIR to one that can"),
    ("could not get working directory", "the current directory does not exist any more; change to another"),
    ("no space left", "there is no space left on the disk; what is already committed stays"),
    ("too many open files", "this process may open no more files; raise its limit with ulimit -n"),
    ("out of memory", "DuckDB ran out of memory"),
    ("not a valid duckdb database", "the file is not a DuckDB database"),
    ("corrupt database file", "the file is damaged; restore it from a copy, or load into another file"),
    (
        "could not read enough bytes",
        "the file is damaged: its end is missing; restore it from a copy, or load into another file",
    ),
    ("permission denied", "no permission to write there"),
    ("read-only", "it can only be read"),
    ("no such file or directory", "the directory does not exist"),
    ("is a directory", "it is a directory, not a file"),
)
_NUMBERS: Final = {errno.ENOSPC: "no space left", errno.EMFILE: "too many open files", errno.ENFILE: "too many open files"}
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
_QUOTING_NO_DATA: Final = frozenset(  # of DuckDB and of PostgreSQL's driver: others may quote a row or a key
    {
        "Error",
        "FatalException",
        "InternalException",
        "InterruptException",
        "IOException",
        "OperationalError",
        "PermissionException",
        "TransactionException",
    }
)
_LONGEST: Final = 300
_PREFIX: Final = re.compile(r"^(?:[A-Za-z-]+ )?[Ee]rror: ")  # IO Error: Cannot open file ...
_PASSWORD: Final = re.compile(r"(?<=://)[^\s/@]+@|(?i:password|token)=\S+")


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Raise what goes wrong inside as a DestinationError that says what was being done, and why it failed."""
    try:
        yield
    except (DltException, duckdb.Error, OSError, ModuleNotFoundError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_known(error):
            raise
        kind = DestinationRefusedError if _needs_person(error) else DestinationError
        raise kind(f"Failed at {action}: {reason(error)}.") from error


def _is_known(error: RuntimeError) -> bool:
    """Whether a RuntimeError is of the operating system or of DuckDB's core, which has no classes for some of its errors."""
    return cannot_start_thread(error) or str(error).startswith("std::")


def reason(error: BaseException) -> str:
    """Return why something failed, from the complete chain of its causes. Never quotes data."""
    causes = list(_causes(error))
    return (
        _hint(causes)
        or _mismatch(causes)
        or _first_sentence(causes)
        or ", from ".join(type(cause).__name__ for cause in causes)
    )


def _hint(causes: Sequence[BaseException]) -> str | None:
    if any(map(cannot_start_thread, causes)):
        return NO_THREAD.removesuffix(".")
    numbers = [_NUMBERS.get(cause.errno or 0, "") for cause in causes if isinstance(cause, OSError)]
    text = " ".join([*numbers, *map(str, causes)]).lower()
    for sign, hint in _HINTS:
        if sign in text:
            return hint
    if any(isinstance(cause, ModuleNotFoundError) or "MissingDependency" in type(cause).__name__ for cause in causes):
        extra = _EXTRA.search(" ".join(map(str, causes)))
        return f"the driver is not installed. Run: pip install '{extra[0] if extra else 'dlt[...]'}'"
    return None


def _mismatch(causes: Sequence[BaseException]) -> str | None:
    names = sorted({type(cause).__name__ for cause in causes} & _MISMATCHES)
    if not names:
        return None
    table = next(filter(None, map(_table, causes)), None)
    which = f"the table {table}" if table else "the table"
    return (
        f"{which} has other columns than the stream ({', '.join(names)}); drop or rename that table, or load into another file"
    )


def _table(cause: BaseException) -> str | None:
    """Return the table that one of dlt's errors is about; a load job is named TABLE.ID.TRY.FORMAT."""
    job = getattr(cause, "job_id", None)
    name = getattr(cause, "table_name", None) or (job.partition(".")[0] if isinstance(job, str) else None)
    return name if isinstance(name, str) else None


def _first_sentence(causes: Sequence[BaseException]) -> str | None:
    """Return the words of DuckDB, of the database's driver or of the operating system, where they quote no data."""
    for cause in reversed(causes):  # from the root on
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.filename}: {cause.strerror}" if cause.filename else cause.strerror
        if type(cause).__name__ in _QUOTING_NO_DATA and (text := _cleaned(str(cause))):
            return text
    return None


def _cleaned(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    shown = "".join(character if character.isprintable() else "?" for character in _PREFIX.sub("", line))
    return _PASSWORD.sub("****", shown)[:_LONGEST].rstrip(".! ")


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
    "no usable temporary directory",
    "corrupt database file",
    "could not get working directory",
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
