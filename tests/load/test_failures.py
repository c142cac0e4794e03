"""Failures of a destination in words: the cause, in the destination's own words where these quote no data."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import duckdb
import pytest
from dlt.common.exceptions import DltException

from tests.support.clock import FakeClock
from zendesk_chat.errors import NO_THREAD, DestinationError
from zendesk_chat.load.failures import explained, reason
from zendesk_chat.load.warehouse.opening import open_warehouse


class OperationalError(Exception):
    """Named as the one of PostgreSQL's driver."""


DAMAGED = "the file is damaged. Restore it from a copy, or load into another file"
REFUSED = 'connection to server at "db", port 5432 failed: Connection refused'
REASONS = [
    (
        duckdb.IOException('IO Error: Could not fsync file "x": Invalid argument\n\nSee.'),
        'Could not fsync file "x": Invalid argument',
    ),
    (duckdb.TransactionException("TransactionContext Error: Conflict on update!"), "Conflict on update"),
    (duckdb.Error("Corrupt database file: computed checksum 1 does not match"), DAMAGED),
    (duckdb.IOException('IO Error: Cannot open file "/r/x": Read-only file system'), "it is read-only"),
    (duckdb.IOException('IO Error: "/read-only/x" is not a valid DuckDB database file!'), "the file is not a DuckDB database"),
    (OSError(errno.EIO, "Input/output error", "/data/x.duckdb"), "/data/x.duckdb: Input/output error"),
    (OSError(errno.EMFILE, "Too many"), "this process cannot open more files. Raise its limit with ulimit -n"),
    (OperationalError(f"{REFUSED}\n\tIs the server running?"), REFUSED),
    (OperationalError("no postgres://jo:SECRET@db/x password=SECRET\x1b[2J"), "no postgres://****db/x ****"),
    (RuntimeError("can't start new thread"), NO_THREAD.removesuffix(".")),
]


@pytest.mark.parametrize(("error", "words"), REASONS, ids=range(len(REASONS)))
def test_reasons(error: Exception, words: str) -> None:
    assert reason(error) == words
    assert reason(_from(DltException("Pipeline execution failed"), error)) == words


def test_a_reason_that_may_quote_data_is_its_kind_only() -> None:
    assert reason(duckdb.OutOfRangeException("Out of Range Error: SECRET is out of range")) == "OutOfRangeException"


def _from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", [duckdb.ConstraintException, duckdb.ConversionException, duckdb.BinderException])
def test_a_table_of_other_columns_is_named_and_no_value_of_it(kind: type[duckdb.Error]) -> None:
    class JobError(DltException):
        job_id = "chats.3fa9c1.0.parquet"

    words = reason(_from(JobError("failed"), kind('Duplicate key "id: SECRET" violates primary key')))
    assert words.startswith(f"the table chats has different columns than the stream ({kind.__name__}). Drop or rename")
    assert "SECRET" not in words


def test_no_directory_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", list)
    with pytest.raises(DestinationError) as caught, open_warehouse("file:///none", "chats", FakeClock()):
        pass
    expected = "Failed while creating a temporary directory: none of the usual ones is writable. Set TMPDIR to one that is."
    assert str(caught.value) == expected
    assert list(tmp_path.iterdir()) == []


def test_errors_of_our_own_are_not_explained_away() -> None:
    with pytest.raises(RuntimeError, match="a fault of ours"), explained("testing"):
        raise RuntimeError("a fault of ours")
    with pytest.raises(DestinationError, match=r"^Failed while testing: "), explained("testing"):
        raise RuntimeError("std::bad_cast")
