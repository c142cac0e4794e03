"""The configuration file of ``sync``: renewed tokens get into it, whatever it is, or none are asked for."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from zendesk_chat.api import config_file
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Stopped
from zendesk_chat.config import OAuth
from zendesk_chat.errors import ConfigError, TransientError

OLD = ["old-access", "old-refresh"]
NEW = ["new-access", "new-refresh"]
CREDENTIALS = {
    "credentials": "oauth2.0",
    "client_id": "client-id",
    "client_secret": "client-secret",
    "access_token": OLD[0],
    "refresh_token": OLD[1],
}
CONFIG = {"subdomain": "acme", "note": "mine", "credentials": CREDENTIALS}
ROOT = Path(__file__).parents[2]
NOT_ROOT = os.geteuid() != 0


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration in a directory of its own, beside the user's home."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no-such-directory"))
    path = tmp_path / "config" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(CONFIG))
    return path


def renew(path: Path) -> None:
    with ConfigFile(path, FakeClock()).prepare() as slot:
        assert slot.stored == OAuth("old-access", "old-refresh", "client-id", "client-secret")
        slot.save(replace(slot.stored, access_token=NEW[0], refresh_token=NEW[1]))


def refused(path: Path) -> str:
    """The message with which no renewal begins."""
    before = path.read_bytes()
    with pytest.raises(ConfigError) as failed, ConfigFile(path, FakeClock()).prepare():
        pytest.fail("tokens would be renewed")
    assert path.read_bytes() == before
    return assert_no_secret(str(failed.value))


def assert_no_secret(message: str) -> str:
    assert not any(secret in message for secret in (*OLD, *NEW, "client-secret"))
    return message


def tokens_in(path: Path) -> list[str]:
    config = json.loads(path.read_bytes())
    assert {**config, "credentials": None} == {**CONFIG, "credentials": None}
    return [config["credentials"]["access_token"], config["credentials"]["refresh_token"]]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def fail(monkeypatch: pytest.MonkeyPatch, call: str, error: int, when: Callable[..., bool] = lambda *_: True) -> None:
    """Let a call to the operating system fail."""
    original = getattr(os, call)

    def failing(*arguments: Any, **more: Any) -> Any:
        if when(*arguments):
            raise OSError(error, os.strerror(error))
        return original(*arguments, **more)

    monkeypatch.setattr(os, call, failing)


def fail_in(monkeypatch: pytest.MonkeyPatch, *directories: Path) -> None:
    """Let no file be created in these directories."""
    fail(monkeypatch, "open", errno.EACCES, lambda path, flags, *_: flags & os.O_CREAT and Path(path).parent in directories)


# What the file is.


def test_a_file_is_replaced_and_the_users_own_settings_stay(file: Path) -> None:
    with file.open() as before:  # or its number could be used again
        renew(file)
        assert not os.path.samestat(os.fstat(before.fileno()), file.stat())
    assert tokens_in(file) == NEW
    assert names(file.parent) == ["config.json"]


@pytest.mark.parametrize("relative", [True, False])
def test_symbolic_links_stay(file: Path, tmp_path: Path, relative: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.symlink_to(file.relative_to(tmp_path) if relative else file)
    second.symlink_to(first)
    renew(Path("second.json") if relative else second)
    assert second.is_symlink()
    assert first.is_symlink()
    assert not file.is_symlink()
    assert tokens_in(file) == NEW
    assert names(file.parent) == ["config.json"]
    assert names(tmp_path) == ["config", "first.json", "home", "second.json"]


def test_both_names_of_a_file_have_the_new_tokens(file: Path) -> None:
    other = file.with_name("other.json")
    other.hardlink_to(file)
    renew(file)
    assert other.samefile(file)
    assert tokens_in(other) == NEW
    assert names(file.parent) == ["config.json", "other.json"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_the_mode_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    renew(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(NOT_ROOT, reason="only root may give a file away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 1234, 2345)
    renew(file)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)
    assert tokens_in(file) == NEW


def test_a_file_of_another_owner_is_written_in_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_file, "_owner", lambda status: (status.st_ino, 0))
    fail(monkeypatch, "fchown", errno.EPERM)
    before = file.stat().st_ino
    renew(file)
    assert file.stat().st_ino == before
    assert tokens_in(file) == NEW
    assert names(file.parent) == ["config.json"]


def test_extended_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("a file system without attributes")
    renew(file)
    assert os.getxattr(file, "user.note") == b"mine"


@pytest.mark.parametrize("spaces", [0, 10, 5000])
def test_a_file_written_in_place_has_nothing_after_its_content(file: Path, spaces: int) -> None:
    file.write_text(json.dumps(CONFIG) + " " * spaces)
    file.with_name("other.json").hardlink_to(file)
    renew(file)
    assert file.read_bytes().endswith(b"}\n")
    assert tokens_in(file) == NEW


@pytest.mark.parametrize("links", [1, 2])
def test_a_renewal_that_fails_leaves_the_file_as_it_was(file: Path, links: int) -> None:
    if links == 2:
        file.with_name("other.json").hardlink_to(file)
    before, content = names(file.parent), file.read_bytes()
    with pytest.raises(TransientError), ConfigFile(file, FakeClock()).prepare():
        raise TransientError("Run again later.")
    assert file.read_bytes() == content
    assert names(file.parent) == before


def test_the_copy_is_for_its_owner_only_until_it_has_the_mode_of_the_file(file: Path) -> None:
    file.chmod(0o604)
    file.with_name("other.json").hardlink_to(file)
    with ConfigFile(file, FakeClock()).prepare():
        (copy,) = file.parent.glob("*.new-tokens-*")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600


# What prevents it.


@pytest.mark.parametrize("error", [errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES])
def test_a_file_that_cannot_be_replaced_is_written_in_place(file: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, "replace", error)
    before = file.stat().st_ino
    renew(file)
    assert file.stat().st_ino == before
    assert tokens_in(file) == NEW
    assert names(file.parent) == ["config.json"]


def test_where_the_directory_takes_no_copy_the_copy_is_at_home(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in(monkeypatch, file.parent)
    with ConfigFile(file, FakeClock()).prepare() as slot:
        (copy,) = (tmp_path / "home").iterdir()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert slot.stored is not None
        slot.save(replace(slot.stored, access_token=NEW[0], refresh_token=NEW[1]))
    assert tokens_in(file) == NEW
    assert names(tmp_path / "home") == []


def test_without_any_directory_for_a_copy_the_file_is_written_in_place(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_in(monkeypatch, file.parent, tmp_path / "home")
    renew(file)
    assert tokens_in(file) == NEW


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_file_that_cannot_be_written_is_reported_before_any_renewal(
    file: Path, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, "open", error, lambda path, flags, *_: Path(path) == file and flags & os.O_RDWR)
    message = refused(file)
    assert message.startswith("The OAuth tokens must be renewed, but new ones could not be stored in ")
    assert f"{file}: {os.strerror(error)}. Nothing was renewed." in message
    assert names(file.parent) == ["config.json"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_is_reported_before_any_renewal(file: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, "write", error)
    assert os.strerror(error) in refused(file)
    assert names(file.parent) == ["config.json"]


def test_a_disk_that_fills_while_space_is_reserved_leaves_the_file_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:100]))
    fail(monkeypatch, "fsync", errno.ENOSPC)
    assert "No space left on device" in refused(file)


def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="it is not a regular file"), ConfigFile(tmp_path / "pipe", FakeClock()).prepare():
        pass


def test_a_dangling_link_is_refused(file: Path) -> None:
    link = file.with_name("link.json")
    link.symlink_to("absent.json")
    with pytest.raises(ConfigError, match="No such file or directory"), ConfigFile(link, FakeClock()).prepare():
        pass
    assert names(file.parent) == ["config.json", "link.json"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "must contain a JSON object"),
        ("{}", "credentials: missing"),
        ('{"access_token": "fixed"}', "was changed during the run and has no OAuth credentials any more"),
    ],
)
def test_a_file_that_was_changed_meanwhile_is_not_overwritten(file: Path, content: str, words: str) -> None:
    file.write_text(content)
    assert words in refused(file)
    assert names(file.parent) == ["config.json"]


# Tokens that were renewed and cannot be stored after all.


def break_down(monkeypatch: pytest.MonkeyPatch, *, writes: Callable[[int], bool]) -> None:
    """Let renames fail from now on, and writes to some files."""
    fail(monkeypatch, "replace", errno.EBUSY)
    fail(monkeypatch, "write", errno.ENOSPC, lambda handle, _: writes(handle))


def not_stored(file: Path, monkeypatch: pytest.MonkeyPatch, writes: Callable[[int], bool]) -> str:
    with ConfigFile(file, FakeClock()).prepare() as slot:
        assert slot.stored is not None
        break_down(monkeypatch, writes=writes)
        with pytest.raises(ConfigError) as failed:
            slot.save(replace(slot.stored, access_token=NEW[0], refresh_token=NEW[1]))
    monkeypatch.undo()
    assert tokens_in(file) == OLD
    message = str(failed.value)
    assert f"The OAuth tokens were renewed, but the new ones could not be stored in {file}: No space left on" in message
    return assert_no_secret(message)


def test_the_copy_keeps_the_tokens_and_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = file.stat().st_ino
    message = not_stored(file, monkeypatch, lambda handle: os.fstat(handle).st_ino == number)
    (copy,) = file.parent.glob("config.json.new-tokens-*")
    assert f"They are in {copy}: move that file to {file}, and run again." in message
    assert tokens_in(copy) == NEW


def test_a_copy_that_fails_too_is_followed_by_one_in_another_directory(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = file.parent

    def beside(handle: int) -> bool:
        return Path(f"/proc/self/fd/{handle}").readlink().parent == device

    message = not_stored(file, monkeypatch, beside)
    (copy,) = (tmp_path / "home").iterdir()
    assert f"They are in {copy}: " in message
    assert tokens_in(copy) == NEW
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert names(file.parent) == ["config.json"]


def test_lost_tokens_are_reported_as_lost(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = not_stored(file, monkeypatch, lambda _: True)
    assert message.endswith("No other file could be written, so they are lost. Authenticate again.")
    assert names(file.parent) == ["config.json"]
    assert names(tmp_path / "home") == []


def test_a_write_that_fails_half_way_puts_the_old_content_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, number, writes = os.write, file.stat().st_ino, list[bytes]()

    def torn(handle: int, content: bytes) -> int:
        writes.extend([content] * (os.fstat(handle).st_ino == number))
        if len(writes) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return write(handle, content[:80] if len(writes) == 1 else content)

    with ConfigFile(file, FakeClock()).prepare() as slot:
        assert slot.stored is not None
        fail(monkeypatch, "replace", errno.EBUSY)
        monkeypatch.setattr(os, "write", torn)
        with pytest.raises(ConfigError, match="Input/output error"):
            slot.save(replace(slot.stored, access_token=NEW[0], refresh_token=NEW[1]))
    assert len(writes) == 3
    assert tokens_in(file) == OLD


# Killed.


@pytest.mark.parametrize("links", [1, 2], ids=["renamed", "in place"])
@pytest.mark.parametrize("how", ["steps", "times"])
def test_a_kill_leaves_the_old_or_the_new_pair_in_a_readable_file(file: Path, how: str, links: int) -> None:
    if links == 2:
        file.with_name("other-name").hardlink_to(file)
    file.write_text(json.dumps({**CONFIG, "padding": "x" * 20_000}))
    script = [sys.executable, "-m", "tests.support.killed", "renewal", str(file), how, "1"]
    done = subprocess.run(script, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    states = [json.loads(line) for line in done.stdout.splitlines()]
    pairs = [[pair for _, pair in state] for state in states]
    assert all(pairs)
    assert all(access.split("-")[0] == refresh.split("-")[0] for state in pairs for access, refresh in state)
    if links == 1:
        assert all(state[0][0] == "file" for state in states), "a renamed file is always readable"
    if how == "steps":
        assert len(states) > 10
        assert {tuple(pair) for state in pairs for pair in state} == {tuple(OLD), tuple(NEW)}
        assert states[-1] == [["file", NEW]]


# Several processes.


@pytest.fixture
def lock(file: Path) -> int:
    handle = os.open(file, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


class Waiting(FakeClock):
    """A clock that does something in a wait."""

    def __init__(self, action: Callable[[], None]) -> None:
        super().__init__()
        self.action = action

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.action()


def test_what_another_process_has_stored_meanwhile_is_found(file: Path, lock: int) -> None:
    def renewed() -> None:
        other = file.with_name("other")
        other.write_text(json.dumps({**CONFIG, "credentials": {**CREDENTIALS, "access_token": "theirs"}}))
        other.replace(file)
        os.close(lock)
        clock.action = lambda: None

    clock = Waiting(renewed)
    with ConfigFile(file, clock).prepare() as slot:
        assert slot.stored is not None
        assert slot.stored.access_token == "theirs"
        again = os.open(file, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(again)


def test_a_file_that_is_replaced_just_before_it_is_locked_is_opened_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock, theirs = fcntl.flock, file.with_name("theirs")
    theirs.write_text(json.dumps({**CONFIG, "credentials": {**CREDENTIALS, "access_token": "theirs"}}))

    def late(handle: int, operation: int) -> None:
        if theirs.exists():
            theirs.replace(file)
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with ConfigFile(file, FakeClock()).prepare() as slot:
        assert slot.stored is not None
        assert slot.stored.access_token == "theirs"


def test_a_lock_that_is_held_for_ever_is_reported(file: Path, lock: int) -> None:
    clock = FakeClock()
    with pytest.raises(TransientError, match=r"Another process .*config\.json"), ConfigFile(file, clock).prepare():
        pytest.fail("the file is locked")
    assert 60 <= sum(clock.waits) < 61
    os.close(lock)


def test_a_run_that_is_stopped_does_not_wait_for_the_lock(file: Path, lock: int) -> None:
    clock = FakeClock()
    clock.stop()
    with pytest.raises(Stopped), ConfigFile(file, clock).prepare():
        pytest.fail("the file is locked")
    os.close(lock)


def test_a_file_system_without_locks_is_no_obstacle(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_: int, __: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    renew(file)
    assert tokens_in(file) == NEW


def test_no_open_file_is_left(file: Path) -> None:
    before = set(Path("/proc/self/fd").iterdir())
    renew(file)
    assert set(Path("/proc/self/fd").iterdir()) <= before


# As the kernel has it.

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.support.clock import FakeClock
from zendesk_chat.api.config_file import ConfigFile

path, access, refresh = sys.argv[1:]
with ConfigFile(Path(path), FakeClock()).prepare() as slot:
    slot.save(replace(slot.stored, access_token=access, refresh_token=refresh))
"""
NO_NAMESPACE = NOT_ROOT or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0
needs_mounts = pytest.mark.skipif(NO_NAMESPACE, reason="mounts need root and a mount namespace")


def renew_under(mounts: str, file: Path) -> str:
    """Renew in a mount namespace of its own. Returns the error, if any."""
    command = f'{mounts} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", SCRIPT, str(file), *NEW],
        cwd=file.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


@needs_mounts
def test_a_mounted_file_is_written_in_place(file: Path) -> None:
    host = file.parent.parent / "host.json"
    file.rename(host)
    file.touch()
    assert renew_under(f"mount --bind {host} {file}", file) == ""
    assert tokens_in(host) == NEW
    assert names(file.parent) == ["config.json"]


@needs_mounts
def test_a_mount_that_is_read_only_is_reported_before_any_renewal(file: Path) -> None:
    here = file.parent
    error = renew_under(f"mount --bind {here} {here} && mount -o remount,ro,bind {here} && cd {here}", file)
    assert f"{file}: Read-only file system. Nothing was renewed." in error
    assert tokens_in(file) == OLD


@needs_mounts
@pytest.mark.parametrize("size", ["4k", "8k"])
def test_on_a_full_disk_the_tokens_are_stored_or_not_renewed(file: Path, size: str) -> None:
    saved = file.parent.parent / "saved.json"
    kept = f"trap 'cat {file} >{saved}' EXIT"
    disk = f"mount -t tmpfs -o size={size} tmpfs {file.parent}"
    fill = f"cd {file.parent} && cp ../full.json {file}; head -c 9999 /dev/zero 2>/dev/null >filler; {kept}"
    (file.parent.parent / "full.json").write_text(json.dumps(CONFIG))
    command = f'{disk} && {fill}; "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", sys.executable, "-c", SCRIPT, str(file), *NEW],
        cwd=file.parent.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    stored = tokens_in(saved)
    assert stored == NEW or ("Nothing was renewed" in done.stderr and stored == OLD)


@pytest.mark.skipif(NOT_ROOT, reason="only root may make a file immutable")
def test_an_immutable_file_is_reported_before_any_renewal(file: Path) -> None:
    if subprocess.run(["chattr", "+i", file], capture_output=True, check=False).returncode:
        pytest.skip("a file system without this attribute")
    try:
        assert "Operation not permitted. Nothing was renewed." in refused(file)
    finally:
        subprocess.run(["chattr", "-i", file], check=True)
    assert names(file.parent) == ["config.json"]
