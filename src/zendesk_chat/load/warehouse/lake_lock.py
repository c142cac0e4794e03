"""Keeps a second sync out of a folder or a bucket: by a lock on a file, or by an object that only one sync can create."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from dlt.common.storages.fsspec_filesystem import MTIME_DISPATCH

from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse.file_lock import FileLock

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from zendesk_chat.load.warehouse.lake import LakeClient
    from zendesk_chat.load.warehouse.lock import Lock, Waiting

LOCK: Final = "sync.lock"
RENEW_SECONDS: Final = 10.0
EXPIRES: Final = timedelta(seconds=60)
"""The lock of a sync that was killed ends so long after it."""


@contextmanager
def folder_lock(client: LakeClient, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Take the lock of the dataset. Raises DestinationError if another sync has it for longer than ``waiting`` permits."""
    path = f"{client.dataset_path}{LOCK}"
    if client.is_local_filesystem:
        file = FileLock(Path(path))
        waiting.until(file.acquire, where)
        try:
            yield file
        finally:
            file.release()
        return
    lock = ObjectLock(client.fs_client, path, where, waiting.clock.monotonic)
    waiting.until(lock.acquire, where)
    renewing = threading.Thread(target=lock.renew_until_released, name="lock", daemon=True)
    renewing.start()
    try:
        yield lock
    finally:
        lock.release()


class ObjectLock:
    """An object that is created if there is none, and written again and again while the sync runs.

    No clock of a client matters: the age of a lock is the difference between two times of the server.
    """

    def __init__(self, files: AbstractFileSystem, path: str, where: str, monotonic: Callable[[], float]) -> None:
        self._files = files
        self._monotonic = monotonic
        self._renewed = monotonic()  # or created
        self._path = path
        self._where = where
        self._content = json.dumps({"sync": uuid4().hex}).encode()
        self._released = threading.Event()

    def acquire(self) -> bool:
        """Return whether this sync has the lock now. A lock that was not renewed is deleted."""
        self._renewed = self._monotonic()
        if not self._create() and self._is_stale():
            self._delete(self._path)
            self._create()
        return self._is_ours()

    def check(self) -> None:
        """Check that no other sync took the lock while this one was suspended, and that none can take it now."""
        if not self._is_ours():
            raise DestinationError(
                f"Another sync has started to load into {self._where}, because this one was suspended for more than "
                f"{EXPIRES.seconds} s. Run sync again."
            )
        if self._monotonic() - self._renewed > EXPIRES.total_seconds():
            raise DestinationError(
                f"The lock of {self._where} could not be renewed for more than {EXPIRES.seconds} s, so another sync may start "
                "at any time. Run sync again."
            )

    def renew_until_released(self) -> None:
        """Write the object again every few seconds."""
        while not self._released.wait(RENEW_SECONDS):
            with suppress(Exception):  # of any driver; the next attempt may succeed
                self.renew()

    def renew(self) -> None:
        """Write the object again, if it is still the one of this sync."""
        now = self._monotonic()
        if self._is_ours():
            self._files.pipe_file(self._path, self._content)
            self._renewed = now

    def release(self) -> None:
        """Delete the object."""
        self._released.set()
        with suppress(Exception):  # of any driver; the lock ends by itself
            if self._is_ours():
                self._delete(self._path)

    def _create(self) -> bool:
        try:
            self._files.pipe_file(self._path, self._content, mode="create")
        except OSError:
            if self._read() is None:
                raise
            return False
        return True

    def _is_ours(self) -> bool:
        return self._read() == self._content

    def _read(self) -> bytes | None:
        try:
            return bytes(self._files.cat_file(self._path))
        except FileNotFoundError:
            return None

    def _is_stale(self) -> bool:
        probe = f"{self._path}.{uuid4().hex}"
        self._files.pipe_file(probe, b"")
        try:
            written, now = self._time(self._path), self._time(probe)
        finally:
            self._delete(probe)
        return written is None or (now is not None and now - written > EXPIRES)

    def _time(self, path: str) -> datetime | None:
        """Return when the server wrote an object; None if it is gone."""
        self._files.invalidate_cache()
        protocol = self._files.protocol
        read_time = MTIME_DISPATCH[protocol if isinstance(protocol, str) else protocol[0]]
        try:
            return read_time(self._files.info(path))
        except FileNotFoundError:
            return None

    def _delete(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(path)
