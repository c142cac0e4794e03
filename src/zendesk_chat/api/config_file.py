"""The configuration file of ``sync``: how it is read, and how renewed OAuth tokens are stored in it.

A refresh token works once. So before it uses a refresh token, ``sync`` proves that it can store the next one, and a kill or a
power failure at any time leaves either the old or the new tokens in a readable file:

1. ``ConfigFile.prepare`` opens the file for writing and locks it against other processes that renew. It creates a copy, in the
   same directory if possible, that is large enough for the new configuration.
2. ``_Target.save`` writes the new configuration to the copy and renames the copy to the file. It resolves symbolic links
   first, so they stay.
3. Where a rename is impossible (a mounted file) or would change more than the content (hard links, another owner), ``save``
   writes into the file itself. The copy exists until that is done.
4. If that fails too, the copy stays, and the error names it.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from zendesk_chat.api.auth import TokenSlot, rotated_config
from zendesk_chat.clock import Clock
from zendesk_chat.config import OAuth, parse_credentials
from zendesk_chat.durable_files import read_all, sync_directory, write_durably
from zendesk_chat.errors import ConfigError, TransientError
from zendesk_chat.json_files import decode_json

if sys.platform != "win32":
    import fcntl

RESERVED_BYTES: Final = 2048  # space for new tokens that are longer than the old ones
LOCK_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The user's configuration file, or a symbolic link to it, as the store of renewed tokens."""

    path: Path
    clock: Clock

    @contextmanager
    def prepare(self) -> Iterator[TokenSlot]:
        """Lock the file and prove that new tokens can be stored in it.

        Raises a ConfigError if they cannot, and a TransientError if another process holds the lock for too long.
        """
        with ExitStack() as stack:
            try:
                target = stack.enter_context(self.edit())
            except OSError as error:
                raise ConfigError(
                    f"The OAuth tokens must be renewed, but new ones could not be stored in {self.path}: {_reason(error)}. "
                    "Nothing was renewed. Make the file writable, free disk space if it is used up, and run again."
                ) from None
            yield TokenSlot(target.stored(), target.save)

    @contextmanager
    def edit(self) -> Iterator[_Target]:
        """Lock the file and get ready to store another configuration in it. Raises OSError if that is impossible."""
        with ExitStack() as stack:
            file = self._open_locked()
            stack.callback(os.close, file)
            real = self.path.resolve(strict=True)
            content = read_all(file)
            raw = _object(self.path, decode_json(content, str(self.path), "config"))
            size = len(encode_config(raw)) + RESERVED_BYTES
            copy = _new_copy(real, b" " * size)
            if copy:
                stack.callback(copy.close)
            replaceable = copy is not None and copy.can_replace(real)
            original = _Original(file, content)
            stack.callback(original.trim)
            if not replaceable:
                original.reserve(size)
            yield _Target(self.path, real, raw, original, copy, replaceable)

    def _open_locked(self) -> int:
        deadline = self.clock.monotonic() + LOCK_SECONDS
        while True:
            if not stat.S_ISREG(self.path.stat().st_mode):  # opening a pipe could block
                raise OSError(0, "it is not a regular file")
            file = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
            if _lock(file) and _is_at(self.path, file):
                return file
            os.close(file)  # another process has the lock, or had it and replaced the file
            if self.clock.monotonic() >= deadline:
                raise TransientError(
                    f"Another process has been renewing the OAuth tokens in {self.path} for too long. Run again later."
                )
            self.clock.sleep(0.1)


@dataclass(frozen=True, slots=True)
class _Target:
    """A configuration file that is ready to take new tokens.

    Attributes:
        path: The file, as the user named it.
        real: The same with symbolic links resolved.
        copy: A second file for the new configuration; None if it cannot be created in any directory.
        replaceable: Whether the copy may be renamed to the file.
    """

    path: Path
    real: Path
    raw: Mapping[str, object]
    original: _Original
    copy: _Copy | None
    replaceable: bool

    def stored(self) -> OAuth:
        """Return the credentials in the file, which another process may have renewed since this one read them."""
        credentials = parse_credentials(self.raw)
        if not isinstance(credentials, OAuth):
            raise ConfigError(f"{self.path} was changed during the run and has no OAuth credentials any more. Run again.")
        return credentials

    def save(self, renewed: OAuth) -> None:
        """Store new tokens. If that fails, raises a ConfigError that names the file with them."""
        self.replace(rotated_config(self.raw, renewed), "The OAuth tokens were renewed")

    def replace(self, config: Mapping[str, object], done: str) -> None:
        """Store another configuration. ``done`` describes how its tokens were obtained, for the message if that fails."""
        content = encode_config(config)
        copy = self.copy if self.copy and self.copy.write(content) else None
        if copy and self.replaceable and copy.replace(self.real):
            return
        try:
            self.original.write(content)
        except OSError as error:
            failed = f"{done}, but the new ones could not be stored in {self.path}: {_reason(error)}."
            if not copy and not (copy := _rescue(self.real, content)):
                raise ConfigError(f"{failed} No other file could be written, so they are lost. Authenticate again.") from None
            copy.keep()
            raise ConfigError(f"{failed} They are in {copy.path}: move that file to {self.path}, and run again.") from None


class _Original:
    """The user's file, open for writing."""

    def __init__(self, file: int, content: bytes) -> None:
        self._file = file
        self._content = content

    def reserve(self, size: int) -> None:
        """Prove that there is disk space: append blanks, which JSON ignores."""
        write_durably(self._file, b" " * (size - len(self._content)), at=len(self._content))

    def write(self, content: bytes) -> None:
        """Overwrite the content. On failure, restore the old content: the file contains more than tokens."""
        try:
            self._overwrite(content)
        except OSError:
            with suppress(OSError):
                self._overwrite(self._content)
            raise
        self._content = content

    def trim(self) -> None:
        """Remove the blanks after the content."""
        with suppress(OSError):
            if os.fstat(self._file).st_size > len(self._content):
                os.ftruncate(self._file, len(self._content))
                os.fsync(self._file)

    def _overwrite(self, content: bytes) -> None:
        # One write, without truncating first, so that the file is never empty or incomplete.
        write_durably(self._file, content.ljust(os.fstat(self._file).st_size))


class _Copy:
    """A second file for the new configuration. ``close`` removes it unless it has replaced the first or ``keep`` was called."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file
        self._temporary = True

    def can_replace(self, real: Path) -> bool:
        """Return whether renaming this to ``real`` changes only the content. Copies its owner, mode and attributes."""
        theirs = real.stat()
        if self.path.parent != real.parent or theirs.st_nlink > 1 or theirs.st_dev != os.fstat(self._file).st_dev:
            return False
        with suppress(OSError):
            if sys.platform != "win32" and _owner(theirs) != _owner(os.fstat(self._file)):
                os.fchown(self._file, theirs.st_uid, theirs.st_gid)
            shutil.copystat(real, self.path)
        ours = os.fstat(self._file)
        return (_owner(ours), ours.st_mode) == (_owner(theirs), theirs.st_mode)

    def write(self, content: bytes) -> bool:
        """Store the configuration in this file. Returns False if that fails."""
        try:
            write_durably(self._file, content)
            os.ftruncate(self._file, len(content))
            os.fsync(self._file)
        except OSError:
            return False
        return True

    def replace(self, real: Path) -> bool:
        """Rename this to ``real``. Returns False if that is impossible, as for a mounted file."""
        try:
            self.path.replace(real)
        except OSError:
            return False
        self.keep()
        sync_directory(real.parent)
        return True

    def keep(self) -> None:
        """Let ``close`` keep this file."""
        self._temporary = False

    def close(self) -> None:
        """Close the file, and remove it if it is temporary."""
        os.close(self._file)
        if self._temporary:
            with suppress(OSError):
                self.path.unlink()


def _new_copy(real: Path, content: bytes) -> _Copy | None:
    """Create a file of mode 600 with this content, next to ``real`` if possible. Returns None if every directory fails."""
    for directory in _directories(real):
        with suppress(OSError):
            file, name = tempfile.mkstemp(prefix=f"{real.name}.new-tokens-", dir=directory)
            copy = _Copy(Path(name), file)
            if copy.write(content):
                return copy
            copy.close()
    return None


def _directories(real: Path) -> Iterator[Path]:
    """Yield the directories for a copy, best first."""
    yield real.parent
    with suppress(RuntimeError):
        yield Path.home()
    with suppress(OSError):
        yield Path(tempfile.gettempdir())


def _rescue(real: Path, content: bytes) -> _Copy | None:
    """Store a configuration in any file, after the user's file and its copy failed."""
    if copy := _new_copy(real, content):
        copy.keep()
        copy.close()
    return copy


def _is_at(path: Path, file: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _lock(file: int) -> bool:
    """Lock a file until it is closed. Returns False if another process has locked it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks
    return True


def _owner(status: os.stat_result) -> tuple[int, int]:
    return status.st_uid, status.st_gid


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _object(path: Path, raw: object) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise ConfigError(f"The config file must contain a JSON object: {path}")
    return raw


def encode_config(config: Mapping[str, object]) -> bytes:
    """Return a configuration as the content of a file."""
    return msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"
