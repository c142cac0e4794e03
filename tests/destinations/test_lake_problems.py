"""Folders and buckets that cannot be used, that somebody else uses, or that a user has changed."""

from __future__ import annotations

import json
import resource
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from tests.destinations.lakes import delta_rows, iceberg_rows, local_folder, parquet_rows
from tests.destinations.scenario import Destination, Loads, loads
from tests.destinations.servers.s3 import S3
from tests.support.syncs import edit, logged
from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse import lake_job, lake_lock
from zendesk_chat.load.warehouse.lake_lock import ObjectLock
from zendesk_chat.load.warehouse.lake_parquet import ParquetJob

READERS = {"parquet": parquet_rows, "delta": delta_rows, "iceberg": iceberg_rows}


def error(account: Loads, code: int, *options: str) -> str:
    done = account.sync(*options)
    assert done.returncode == code, done.stderr + done.stdout
    (message,) = logged(done.stderr, "ERROR")
    return message


def of(table_format: str, folder: Path) -> Destination:
    return Destination(table_format, lambda name: f"file://{folder / name}?format={table_format}", READERS[table_format])


@pytest.mark.parametrize("table_format", READERS)
def test_a_table_that_the_user_deleted_is_loaded_again(table_format: str, tmp_path: Path) -> None:
    with loads(of(table_format, tmp_path), tmp_path, "deleted", chats=60) as account:
        account.load()
        for table in ("chats", "chat_events", "departments"):
            shutil.rmtree(local_folder(account.url) / table)
        account.load()
        edit(account.sandbox, account.sandbox.account.chat_ids()[:5], "edited")
        account.sandbox.clock.advance(700)
        account.load()


@pytest.mark.parametrize("table_format", READERS)
def test_a_state_that_the_user_deleted_is_read_again(table_format: str, tmp_path: Path) -> None:
    with loads(of(table_format, tmp_path), tmp_path, "state", chats=60) as account:
        account.load()
        shutil.rmtree(local_folder(account.url) / "_dlt_pipeline_state")
        account.load()


@pytest.mark.parametrize("act", [shutil.move, shutil.copytree], ids=["moved", "copied"])
def test_an_iceberg_folder_that_was_moved_is_complete(act: Callable[[Path, Path], object], tmp_path: Path) -> None:
    with loads(of("iceberg", tmp_path), tmp_path, "here", chats=60) as first:
        first.load()
        act(tmp_path / "here", tmp_path / "there")
        account = replace(first, url=first.url.replace("/here", "/there"))
        for number in range(2):
            edit(account.sandbox, account.sandbox.account.chat_ids()[:5], f"edit {number}")
            account.sandbox.clock.advance(700)
            account.load()
        (local_folder(account.url) / "catalog.sqlite").unlink()
        account.load()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    with loads(of("parquet", tmp_path), tmp_path, "others", chats=5) as account:
        chats = local_folder(account.url) / "chats"
        chats.mkdir(parents=True)
        (chats / "mine.parquet").write_bytes(b"mine")
        assert error(account, 3) == (
            f"The folder file://{tmp_path}/others/zendesk_chat contains files that sync did not write, such as mine.parquet. "
            "Choose another folder with --to, or another schema with --schema NAME."
        )
        assert [path.name for path in chats.iterdir()] == ["mine.parquet"]


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("first", "second", "tables"),
    [
        ("parquet", "delta", "Parquet files"),
        ("delta", "iceberg", "Delta Lake tables"),
        ("iceberg", "parquet", "Iceberg tables"),
    ],
)
@pytest.mark.parametrize("stopped", [False, True], ids=["complete", "killed"])
def test_a_folder_with_another_format_is_refused(
    first: str, second: str, tables: str, *, stopped: bool, tmp_path: Path
) -> None:
    """Also if the first sync was killed before it had stored its state, or the user deleted the tables."""
    with loads(of(first, tmp_path), tmp_path, "mixed", chats=60) as account:
        account.load()
        folder = local_folder(account.url)
        if stopped:
            shutil.rmtree(folder / "_dlt_pipeline_state")
            shutil.rmtree(folder / "chats")
        before = content(folder)
        other = replace(account, url=of(second, tmp_path).url("mixed"))
        for options in [(), ("--full-refresh",)]:
            assert error(other, 3, *options) == (
                f"The folder file://{tmp_path}/mixed/zendesk_chat contains {tables}: load into them with ?format={first} in "
                "the URL, or choose another folder with --to or another schema with --schema NAME."
            )
        assert content(folder) == before
        account.load()


def test_a_path_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with loads(of("delta", tmp_path), tmp_path, "file", chats=5) as account:
        assert error(account, 3) == (
            f"Failed while opening the folder file://{tmp_path}/file: a part of the path is a file, not a directory."
        )


def test_a_killed_sync_leaves_no_unfinished_file(tmp_path: Path) -> None:
    with loads(of("parquet", tmp_path), tmp_path, "unfinished", chats=20) as account:
        account.load()
        unfinished = next((local_folder(account.url) / "chats").glob("*/*/*.parquet")).with_suffix(".parquet.1.unfinished")
        unfinished.write_bytes(b"half")
        account.load()
        assert not unfinished.exists()


def test_states_do_not_accumulate_and_the_clock_does_not_decide(tmp_path: Path) -> None:
    with loads(of("parquet", tmp_path), tmp_path, "clock", chats=20) as account:
        for number in range(3):
            account.load()
            edit(account.sandbox, account.sandbox.account.chat_ids()[:5], f"edit {number}")
            account.sandbox.clock.advance(700)
        states = local_folder(account.url) / "_dlt_pipeline_state"
        (state,) = states.iterdir()
        name, _, version = state.name.split("__")
        state.rename(states / f"{name}__9999999999.0__{version}")  # by a clock that was years ahead
        account.load()
        (state,) = states.iterdir()
        assert "9999999999" not in state.name
        assert json.loads(state.read_text())["pipeline_name"]
        account.load()


def test_a_bucket_that_does_not_exist_is_named(s3: S3, tmp_path: Path) -> None:
    missing = Destination("parquet", lambda name: s3.url(name, "parquet").replace("//chats/", "//nowhere/"), parquet_rows)
    with loads(missing, tmp_path, "bucket", chats=5) as account:
        assert error(account, 3) == (
            "Failed while opening the bucket s3://nowhere/bucket: there is no such bucket. Create it, or correct the URL."
        )


@pytest.mark.parametrize("table_format", ["parquet", "delta", "iceberg"])
def test_a_full_disk_loses_nothing(table_format: str, tmp_path: Path) -> None:
    """The limit of a file's size acts as a full disk does: writing fails."""
    with loads(of(table_format, tmp_path), tmp_path, "full", chats=300) as account:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        process = account.start()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (150_000, limit[1]))
        _, errors = process.communicate(timeout=110)
        assert process.returncode in (1, 3), errors
        assert "Traceback" not in errors
        account.load()


def test_a_server_that_goes_away_is_reported_and_nothing_is_lost(tmp_path: Path, s3: S3) -> None:
    nobody = Destination("parquet", lambda name: s3.url(name, "parquet").replace(f":{s3.port}", ":9"), parquet_rows)
    with loads(nobody, tmp_path, "away", chats=5) as account:
        assert error(account, 1) == (
            "Failed while opening the bucket s3://chats/away: the server of the bucket cannot be reached."
        )


def test_a_lock_that_is_not_renewed_ends(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (ObjectLock(s3.files, f"{s3.bucket}/locks/sync.lock", "the folder", lambda: 0.0) for _ in range(2))
    assert first.acquire()
    assert not second.acquire()
    first.check()
    with monkeypatch.context() as patched:
        patched.setattr(lake_lock, "EXPIRES", timedelta(seconds=-1))
        assert second.acquire()
    second.check()
    with pytest.raises(Exception, match="Another sync has started to load into the folder"):
        first.check()
    first.release()
    second.check()
    second.release()
    assert first.acquire()
    first.release()


def test_iceberg_writes_no_warnings_to_stderr(s3: S3, tmp_path: Path) -> None:
    bucket = Destination("iceberg", lambda name: s3.url(name, "iceberg"), iceberg_rows)
    for destination in (of("iceberg", tmp_path), bucket):
        with loads(destination, tmp_path, "quiet", chats=5) as account:
            process = account.start()
            _, errors = process.communicate(timeout=110)
            assert process.returncode == 0, errors
            assert [line for line in errors.splitlines() if "statistics" in line or "region" in line] == []


class _PanicError(BaseException):
    """As PanicException of deltalake, which is no Exception."""


@pytest.mark.parametrize("table_format", READERS)
def test_a_panic_of_a_library_ends_the_sync(table_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise _PanicError

    with loads(of(table_format, tmp_path), tmp_path, "panic", chats=60) as account:
        with monkeypatch.context() as patched:
            patched.setattr(lake_job.LakeJob, "rows", property(fail))
            patched.setattr(ParquetJob, "write", fail)
            assert error(account, 1) == (
                f"Failed while writing to the folder file://{tmp_path}/panic: the library that writes the table had an "
                "internal error. Nothing is lost. Run sync again."
            )
        account.load()


class _Unreachable:
    """A file system whose driver fails with errors of its own, as that of S3 does without a network."""

    def __init__(self, files: Any) -> None:
        self.files = files
        self.attempts = 0
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        if self.broken:
            self.attempts += 1
            raise LookupError(name)
        return getattr(self.files, name)


def test_a_lock_is_renewed_again_after_the_network_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_lock, "RENEW_SECONDS", 0.01)
    files, now = _Unreachable(LocalFileSystem()), [0.0]
    lock = ObjectLock(files, str(tmp_path / "sync.lock"), "the bucket", lambda: now[0])
    assert lock.acquire()
    renewing = threading.Thread(target=lock.renew_until_released, daemon=True)
    files.broken = True
    renewing.start()
    _wait_until(lambda: files.attempts > 2)
    files.broken, now[0] = False, 50.0
    written = (tmp_path / "sync.lock").stat().st_mtime_ns
    _wait_until(lambda: (tmp_path / "sync.lock").stat().st_mtime_ns > written)
    files.broken = True
    lock.release()
    renewing.join(10)
    assert not renewing.is_alive()
    files.broken, now[0] = False, 100.0
    lock.check()
    now[0] = 111.0
    with pytest.raises(DestinationError, match="The lock of the bucket could not be renewed for more than 60 s"):
        lock.check()


def _wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(1000):
        if happened():
            return
        threading.Event().wait(0.01)
    raise AssertionError
