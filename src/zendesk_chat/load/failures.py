"""A destination's failures as one line for a user instead of a traceback."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import duckdb

from zendesk_chat.errors import NO_THREAD, DestinationError, DestinationRefusedError, cannot_start_thread
from zendesk_chat.load.driver_errors import meaning_of_driver, table_of
from zendesk_chat.load.sqlstates import meaning_of


@dataclass(frozen=True, slots=True)
class _KnownCause:
    """A cause that you can recognize by a phrase (in lower case) in the messages of DuckDB, drivers and the operating system.

    Attributes:
        explanation: What to report instead of their messages; empty if these are clear.
        needs_person: Whether no retry can succeed before somebody has changed something.
    """

    phrase: str
    explanation: str = ""
    needs_person: bool = True


_LOCKED: Final = "could not set lock"
_DAMAGED: Final = "Restore it from a copy, or load into another file"
_KNOWN_CAUSES: Final = (  # the first one with an explanation wins: the phrases of later ones may be part of a path
    _KnownCause(_LOCKED, "another program has the database open. Close it there and try again", needs_person=False),
    _KnownCause("specified bucket does not exist", "there is no such bucket. Create it, or correct the URL"),
    _KnownCause("access key id you provided does not exist", "the server does not know the access key"),
    _KnownCause("request signature we calculated does not match", "the secret key is wrong"),
    _KnownCause("could not connect to the endpoint", "the server of the bucket cannot be reached", needs_person=False),
    _KnownCause("(accessdenied)", "you do not have permission to read and write there"),
    _KnownCause(
        "library of the format has failed",
        "the library that writes the table had an internal error. Nothing is lost. Run sync again",
        needs_person=False,
    ),
    _KnownCause("not a directory", "a part of the path is a file, not a directory"),
    _KnownCause("no usable temporary directory", "none of the usual ones is writable. Set TMPDIR to one that is"),
    _KnownCause("could not get working directory", "the current directory no longer exists. Change to another one"),
    _KnownCause("no space left", "there is no space left on the disk. Records already committed are kept"),
    _KnownCause(
        "too many open files", "this process cannot open more files. Raise its limit with ulimit -n", needs_person=False
    ),
    _KnownCause("out of memory", "DuckDB ran out of memory", needs_person=False),
    _KnownCause("not a valid duckdb database", "the file is not a DuckDB database"),
    _KnownCause("corrupt database file", f"the file is damaged. {_DAMAGED}"),
    _KnownCause("could not read enough bytes", f"the file is damaged: its end is missing. {_DAMAGED}", needs_person=False),
    _KnownCause("permission denied", "you do not have permission to write there"),
    _KnownCause("read-only", "it is read-only"),
    _KnownCause("no such file or directory", "the directory does not exist"),
    _KnownCause("is a directory", "it is a directory, not a file"),
    _KnownCause("disk quota"),
    _KnownCause("not permitted"),
    _KnownCause("authentication failed"),
    _KnownCause("does not exist"),
)
_PHRASES_OF_NUMBERS: Final = {
    errno.ENOSPC: "no space left",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}
_MISMATCHES: Final = {
    "BinderException",
    "CatalogException",
    "ConstraintException",
    "ConversionException",
    "CannotCoerceColumnException",
    "TypeMismatchException",
}
_QUOTING_NO_DATA: Final = {  # errors of DuckDB and of PostgreSQL's driver; others may quote a row or a key
    "Error",
    "FatalException",
    "InternalException",
    "InterruptException",
    "IOException",
    "OperationalError",
    "PermissionException",
    "TransactionException",
}
_LIBRARIES: Final = frozenset(
    {
        "dlt",
        "psycopg2",
        "pymysql",
        "sqlalchemy",
        "sqlite3",
        "clickhouse_driver",
        "botocore",
        "aiobotocore",
        "deltalake",
        "pyiceberg",
    }
)
_PREFIX: Final = re.compile(r"^(?:[A-Za-z-]+ )?[Ee]rror: ")  # IO Error: Cannot open file ...
_PASSWORD: Final = re.compile(r"(?<=://)[^\s/@]+@|(?i:password|token)=\S+")


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Convert an error of the block to a DestinationError that describes the failed action and the reason."""
    try:
        yield
    except Exception as error:
        if not _is_of_destination(error):
            raise
        kind = DestinationRefusedError if _needs_person(tuple(error_chain(error))) else DestinationError
        raise kind(f"Failed while {action}: {reason(error)}.") from error


def _is_of_destination(error: Exception) -> bool:
    if isinstance(error, RuntimeError):  # the operating system and DuckDB's core have no class for some errors
        return cannot_start_thread(error) or str(error).startswith("std::")
    # importing dlt or a driver takes long
    of_library = any(kind.__module__.partition(".")[0] in _LIBRARIES for kind in type(error).__mro__)
    return of_library or isinstance(error, duckdb.Error | OSError | ModuleNotFoundError)


def reason(error: BaseException) -> str:
    """Return why something failed, from the complete chain of its causes. It never quotes data."""
    causes = tuple(error_chain(error))
    meaning = meaning_of(causes) or meaning_of_driver(causes)
    return (
        (meaning and meaning.text)
        or _explanation(causes)
        or _mismatch(causes)
        or _own_words(causes)
        or ", from ".join(type(cause).__name__ for cause in causes)
    )


def _explanation(causes: Sequence[BaseException]) -> str | None:
    if any(map(cannot_start_thread, causes)):
        return NO_THREAD.removesuffix(".")
    numbers = [_PHRASES_OF_NUMBERS.get(cause.errno or 0, "") for cause in causes if isinstance(cause, OSError)]
    message = " ".join([*numbers, *map(str, causes)]).lower()
    for known in _KNOWN_CAUSES:
        if known.explanation and known.phrase in message:
            return known.explanation
    return None


def _mismatch(causes: Sequence[BaseException]) -> str | None:
    names = sorted({type(cause).__name__ for cause in causes} & _MISMATCHES)
    if not names:
        return None
    table = next(filter(None, map(table_of, causes)), None)
    which = f"the table {table}" if table else "the table"
    return f"{which} has different columns than the stream ({', '.join(names)}). Drop or rename it, or load into another file"


def _own_words(causes: Sequence[BaseException]) -> str | None:
    """Return the first sentence of DuckDB's, the driver's or the operating system's message, if it quotes no data."""
    for cause in reversed(causes):  # from the root cause on
        if isinstance(cause, OSError) and cause.strerror:
            return f"{cause.filename}: {cause.strerror}" if cause.filename else cause.strerror
        if type(cause).__name__ in _QUOTING_NO_DATA and (message := _cleaned(str(cause))):
            return message
    return None


def _cleaned(message: str) -> str:
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    shown = "".join(character if character.isprintable() else "?" for character in _PREFIX.sub("", line))
    return _PASSWORD.sub("****", shown)[:300].rstrip(".! ")


def _needs_person(causes: Sequence[BaseException]) -> bool:
    if meaning := meaning_of(causes) or meaning_of_driver(causes):
        return meaning.needs_person
    message = " ".join(map(str, causes)).lower()
    if _LOCKED in message:  # this message quotes names of files and programs
        return False
    return any(type(cause).__name__ in _MISMATCHES for cause in causes) or any(
        known.needs_person and known.phrase in message for known in _KNOWN_CAUSES
    )


def error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it, down to the root."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
