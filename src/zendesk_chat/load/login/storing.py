"""The configuration file that a sign-in fills: only you can read it, and it is never incomplete."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zendesk_chat.api.config_file import ConfigFile, encode_config
from zendesk_chat.clock import Clock
from zendesk_chat.config import parse_api_url, parse_subdomain
from zendesk_chat.durable_files import sync_directory, write_durably
from zendesk_chat.errors import ConfigError, TransientError
from zendesk_chat.file_kinds import blocking_kind
from zendesk_chat.json_files import read_json

if sys.platform != "win32":
    import pwd

OWNER_ONLY: Final = 0o600
FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
REPLACED: Final = frozenset({"access_token", "token", "token_file", "credentials", "api_url"})  # keys of another sign-in
DONE: Final = "You are signed in"


@dataclass(frozen=True, slots=True)
class Stored:
    """A configuration file as it is before the sign-in; ``raw`` is empty if there is none."""

    path: Path
    raw: Mapping[str, object]

    @property
    def subdomain(self) -> str:
        """The account in it; empty if there is none."""
        given = self.raw.get("subdomain")
        try:
            return parse_subdomain(given) if isinstance(given, str) else ""
        except ConfigError:
            return ""

    @property
    def credentials(self) -> Mapping[str, object]:
        """Its credentials, in any form."""
        given = self.raw.get("credentials")
        return given if isinstance(given, Mapping) else {}

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server that its secrets are for; empty if unknown."""
        given = self.raw.get("api_url")
        try:
            return origin_of(parse_api_url(str(given)) if given else None, self.subdomain) if self.subdomain else ""
        except ConfigError:
            return ""

    @property
    def has_credentials(self) -> bool:
        """Whether a sign-in replaces something."""
        return any(self.raw.get(key) for key in REPLACED if key != "api_url")


def origin_of(api_url: str | None, subdomain: str) -> str:
    """Return scheme, host and port of an account; ``api_url`` is None for its own."""
    return "/".join(api_url.split("/")[:3]) if api_url else f"https://{subdomain}.zendesk.com"


def read_stored(path: Path) -> Stored:
    """Read a configuration file. Raises ConfigError if it exists and cannot be read."""
    if kind := blocking_kind(path):
        raise ConfigError(f"The config file is {kind}: {path}. Name a regular file.")
    raw = read_json(str(path), "config") if path.exists() else {}
    if not isinstance(raw, Mapping):
        raise ConfigError(f"The config file must contain a JSON object: {path}")
    return Stored(path, raw)


def prove_writable(path: Path, clock: Clock) -> None:
    """Raise ConfigError if the configuration could not be stored. This is checked before the person signs in."""
    try:
        if path.exists():
            with ConfigFile(path, clock).edit():
                return
        real = _real(path)
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file, name = tempfile.mkstemp(prefix=f"{real.name}.", dir=real.parent)
        os.close(file)
        Path(name).unlink()
    except OSError as error:
        raise _not_stored(path, error) from None


def store(stored: Stored, changes: Mapping[str, object], clock: Clock) -> None:
    """Replace the stored credentials with these keys. Other keys are kept.

    Raises:
        ConfigError: The file cannot be written.
        TransientError: Meanwhile another sign-in has stored the credentials of another account there.
    """
    try:
        if stored.path.exists() or not _create(_real(stored.path), encode_config(changes)):
            _replace(stored, changes, clock)
    except OSError as error:
        raise _not_stored(stored.path, error) from None


def readers(path: Path) -> str:
    """Return who can read the file."""
    if sys.platform == "win32":
        return "Only you can read it."
    status = path.stat()
    if status.st_mode & FOR_OTHERS:  # a file system without permissions
        return "Other users of this machine may be able to read it."
    return "Only you can read it." if status.st_uid == os.geteuid() else f"Only its owner can read it: {_user(status.st_uid)}."


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"


def _replace(stored: Stored, changes: Mapping[str, object], clock: Clock) -> None:
    path = stored.path
    if sys.platform != "win32" and path.stat().st_mode & FOR_OTHERS:
        path.chmod(OWNER_ONLY)  # before new tokens are in it
    with ConfigFile(path, clock).edit() as file:
        _check_account(stored, Stored(path, file.raw), str(changes["subdomain"]))
        kept = {key: value for key, value in file.raw.items() if key not in REPLACED}
        file.replace({**kept, **changes}, DONE)


def _check_account(before: Stored, now: Stored, subdomain: str) -> None:
    """Refuse to replace credentials of another account that were not there when the person was asked."""
    known = {"", subdomain, before.subdomain if before.has_credentials else ""}
    if now.has_credentials and now.subdomain not in known:
        raise TransientError(
            f"During this sign-in, another one stored the credentials of {now.subdomain} in {now.path}. Nothing was replaced. "
            f"Run `zendesk-chat login` again, and pass another file for {subdomain} with --config."
        )


def _create(path: Path, content: bytes) -> bool:
    """Create the file, complete at once. Returns False if there is one by now."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # of mode 600
    try:
        try:
            write_durably(file, content)
        finally:
            os.close(file)
        is_new = _move(Path(name), path)
    finally:
        with suppress(OSError):
            Path(name).unlink()
    sync_directory(path.parent)
    return is_new


def _move(file: Path, path: Path) -> bool:
    """Give a file its name, unless another file has it: then return False."""
    try:
        path.hardlink_to(file)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if path.exists():
            return False
        file.replace(path)
    return True


def _real(path: Path) -> Path:
    """Return the file behind symbolic links, which are kept. Raises OSError if a link leads to itself."""
    try:
        return path.resolve()
    except RuntimeError:
        raise OSError(errno.ELOOP, "it is a symbolic link to itself") from None


def _not_stored(path: Path, error: OSError) -> ConfigError:
    why = "its directory is a file" if isinstance(error, FileExistsError) else error.strerror
    return ConfigError(
        f"The configuration cannot be stored in {path}: {why}. Make it writable, or pass another file with --config."
    )
