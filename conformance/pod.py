"""Runs the source as Airbyte's launcher does in a pod, with less than a pod gives.

The command line is `eval`-ed by ``sh``, which is not replaced by the source; stdout and stderr are named pipes; the user is
1000 without capabilities, without HOME; the working directory is not the source's. Where the machine permits a mount namespace,
every file system is read-only, /tmp included, but for the files that are named as writable.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any, Final

from connector import CHECKOUT, EXECUTABLE, written

USER: Final = 1000
PATH: Final = "/usr/bin:/bin"
REPLICATION: Final = {  # what the platform sets for a read
    "DEPLOYMENT_MODE": "OSS",
    "WORKER_CONNECTOR_IMAGE": "source-zendesk-chat:dev",
    "WORKER_JOB_ID": "1",
    "WORKER_JOB_ATTEMPT": "0",
    "USE_STREAM_CAPABLE_STATE": "true",
    "DATA_CHANNEL_MEDIUM": "STDIO",
    "DATA_CHANNEL_FORMAT": "JSONL",
}
# $1 is the working directory, the arguments from $2 up to `--` stay writable, the rest is the command; %s shows what is needed.
_READ_ONLY: Final = """
set -e
mount --make-rprivate /
cd "$1"; shift
%s
writable=
while [ "$1" != -- ]; do mount --bind "$1" "$1"; writable="$writable $1"; shift; done; shift
cut -d' ' -f5 /proc/self/mountinfo | sort -u | while read -r target; do
    case " $writable " in *" $target "*) continue ;; esac
    mount -o remount,bind,ro "$target" || ! mountpoint --quiet "$target" # others may unmount theirs meanwhile
done
exec "$@"
"""


@cache
def why_not() -> str:
    """Why this machine cannot show it, or nothing."""
    if os.geteuid() != 0:
        return "only root may become another user"
    if shutil.which("setpriv") is None or shutil.which("unshare") is None:
        return "setpriv and unshare of util-linux are not installed"
    ended = subprocess.run([*_inside("/"), str(EXECUTABLE), "spec"], capture_output=True, cwd="/", check=False)
    return "" if ended.returncode == 0 else f"user {USER} may not execute {EXECUTABLE}: {ended.stderr.decode()[-200:]}"


@cache
def can_be_read_only() -> bool:
    """Whether this machine lets root make a mount namespace in which everything is read-only."""
    return subprocess.run([*_namespace("/"), "true"], capture_output=True, check=False).returncode == 0


def _inside(folder: str, *writable: str, environment: Sequence[str] = ()) -> list[str]:
    """What stands before a command that is to run in a pod."""
    privileges = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", *privileges, "env", "-i", f"PATH={PATH}", *environment]
    return [*_namespace(folder, *writable), *user] if can_be_read_only() else user


def _namespace(folder: str, *writable: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", _READ_ONLY % "\n".join(_shown()), "pod", folder, *writable, "--"]


def _shown() -> Iterator[str]:
    """Shell that shows user 1000 the source and its Python where they lie in a folder of root's own, and nothing else of it."""
    needed = [CHECKOUT, EXECUTABLE.parent.parent, (EXECUTABLE.parent / "python").resolve().parent.parent]
    hidden = [path for path in needed if _private_folder(path)]
    if not hidden:
        return
    yield "umask 022; mount -t tmpfs -o mode=755 tmpfs /mnt"
    for number, path in enumerate(hidden):
        yield f"mkdir /mnt/{number}; mount --bind '{path}' /mnt/{number}"
    for folder in sorted({_private_folder(path) for path in hidden}):
        yield f"mount -t tmpfs -o mode=755 tmpfs '{folder}'"
    for number, path in enumerate(hidden):
        yield f"mkdir -p '{path}'; mount --bind /mnt/{number} '{path}'; umount /mnt/{number}"
    yield "umount /mnt"


def _private_folder(path: Path) -> str:
    """The outermost folder on the way to a path that others may not enter, or nothing."""
    return next((str(folder) for folder in reversed([path, *path.parents]) if not folder.stat().st_mode & 0o001), "")


@dataclass
class Pod:
    """A folder that is the pod's working directory, and how to start something in it."""

    folder: Path
    entrypoint: str = str(EXECUTABLE)
    environment: Mapping[str, str] = field(default_factory=dict)

    def give(self, **contents: Any) -> list[str]:
        """Put JSON files into the working directory, as the platform's init container does."""
        options = written(self.folder, **contents)
        for path in options[1::2]:
            Path(path).chmod(0o444)
        return options

    def start(self, script: str, *writable: Path) -> subprocess.Popen[bytes]:
        """Start a line of shell as the pod's container."""
        environment = [
            f"AIRBYTE_ENTRYPOINT={self.entrypoint}",
            *(f"{name}={value}" for name, value in self.environment.items()),
        ]
        command = [*_inside(str(self.folder), *map(str, writable), environment=environment), "sh", "-c", script]
        self.folder.chmod(0o555)
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": PATH},
            start_new_session=True,
        )

    def ask(self, command: str) -> tuple[int, bytes, str]:
        """``spec``, ``check`` or ``discover`` as the launcher does, into jobOutput.json. Exit code, that file, stderr."""
        answer = self.folder / "jobOutput.json"
        answer.touch()
        os.chown(answer, USER, USER)
        process = self.start(f'eval "$AIRBYTE_ENTRYPOINT {command}" > {answer.name}', answer)
        try:
            _, complaints = process.communicate(timeout=60)
        finally:
            _end(process)
        return process.returncode, answer.read_bytes(), complaints.decode()

    def read(self, options: Sequence[str], reader: Callable[[FileIO], bytes]) -> tuple[int, bytes, str]:
        """``read`` as the launcher does, its pipes read from here. Exit code, what the reader took, stderr."""
        out, complaints = self.folder / "stdout", self.folder / "stderr"
        for pipe in (out, complaints):
            os.mkfifo(pipe)
            os.chown(pipe, USER, USER)
        process = self.start(f'eval "$AIRBYTE_ENTRYPOINT read {" ".join(options)}" 2> stderr > stdout')
        said: list[bytes] = []
        over = threading.Event()
        threads = [
            threading.Thread(target=lambda: said.append(complaints.read_bytes())),
            threading.Thread(target=_let_go, args=(process, [out, complaints], over)),
        ]
        for thread in threads:
            thread.start()
        try:
            with out.open("rb", buffering=0) as end:
                taken = reader(end)
            code = process.wait(60)
            threads[0].join(10)
        finally:
            _end(process)
            over.set()
            for thread in threads:
                thread.join(10)
            launcher = process.communicate()[1]
        return code, taken, (b"".join(said) + launcher).decode()


def _let_go(process: subprocess.Popen[bytes], pipes: Sequence[Path], over: threading.Event) -> None:
    """Once the launcher has ended, release whoever waits for it to open a pipe that it never will."""
    process.wait()
    while not over.wait(0.2):
        for pipe in pipes:
            with contextlib.suppress(OSError):  # nobody waits
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher and what it started, if they have not ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
