"""The source in a pod: named pipes, another user, nothing writable.

It is run as Airbyte's launcher does in a pod, with less than a pod gives: the command line is `eval`-ed by ``sh``, which is not
replaced by the source; stdout and stderr are named pipes; the user is 1000 without capabilities, without HOME; the working
directory is not the source's. Where the machine permits a mount namespace, every file system is read-only, /tmp included, but
for the files that are named as writable.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any, Final

import pytest
from connector import (
    account,
    all_streams,
    checked,
    checked_read,
    config_of,
    configured,
    discovered,
    live_a_little,
    merged,
    read,
)
from pydantic import ValidationError

from tests.support.executable import EXECUTABLE, ROOT, files, names_in
from tests.support.sandbox import by_content, truth
from zendesk_chat_sandbox import Fault, Sandbox

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
def reason_to_skip() -> str:
    """Why this machine cannot start a pod, or nothing."""
    if os.geteuid() != 0:
        return "only root may become another user"
    if shutil.which("setpriv") is None or shutil.which("unshare") is None:
        return "setpriv and unshare of util-linux are not installed"
    ended = subprocess.run([*inside_pod("/"), str(EXECUTABLE), "spec"], capture_output=True, cwd="/", check=False)
    return "" if ended.returncode == 0 else f"user {USER} may not execute {EXECUTABLE}: {ended.stderr.decode()[-200:]}"


@cache
def can_be_read_only() -> bool:
    """Whether this machine lets root make a mount namespace in which everything is read-only."""
    return subprocess.run([*_namespace("/"), "true"], capture_output=True, check=False).returncode == 0


def inside_pod(folder: str, *writable: str, environment: Sequence[str] = ()) -> list[str]:
    """The words before a command that is to run in a pod."""
    privileges = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", *privileges, "env", "-i", f"PATH={PATH}", *environment]
    return [*_namespace(folder, *writable), *user] if can_be_read_only() else user


def _namespace(folder: str, *writable: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", _READ_ONLY % "\n".join(_shown()), "pod", folder, *writable, "--"]


def _shown() -> Iterator[str]:
    """Shell that shows user 1000 the source and its Python where they lie in a folder of root's own, and nothing else of it."""
    needed = [ROOT, EXECUTABLE.parent.parent, (EXECUTABLE.parent / "python").resolve().parent.parent]
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
    """A folder that is the pod's working directory, and how to start something in it.

    ``inside`` gives the words before a command that is to run there.
    """

    folder: Path
    entrypoint: str = str(EXECUTABLE)
    environment: Mapping[str, str] = field(default_factory=dict)
    inside: Callable[..., list[str]] = inside_pod

    def give(self, **contents: Any) -> list[str]:
        """Put JSON files into the working directory, as the platform's init container does."""
        options = files(self.folder, **contents)
        for path in options[1::2]:
            Path(path).chmod(0o444)
        return options

    def start(self, script: str, *writable: Path) -> subprocess.Popen[bytes]:
        """Start a line of shell as the pod's container."""
        environment = [
            f"AIRBYTE_ENTRYPOINT={self.entrypoint}",
            *(f"{name}={value}" for name, value in self.environment.items()),
        ]
        command = [*self.inside(str(self.folder), *map(str, writable), environment=environment), "sh", "-c", script]
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
        reported: list[bytes] = []
        over = threading.Event()
        threads = [
            threading.Thread(target=lambda: reported.append(complaints.read_bytes())),
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
        return code, taken, (b"".join(reported) + launcher).decode()


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


# The tests.

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip())


@pytest.fixture
def pod() -> Iterator[Pod]:
    folder = Path(tempfile.mkdtemp(prefix="pod-"))
    yield Pod(folder, environment=REPLICATION)
    folder.chmod(0o755)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with account() as served:
        yield served


def complete(pipe: FileIO) -> bytes:
    return b"".join(iter(lambda: pipe.read(65536), b""))


def in_pod(pod: Pod, sandbox: Sandbox, catalog: Any, state: Any = None, reader: Any = complete) -> tuple[int, bytes, str]:
    contents = {"config": config_of(sandbox), "catalog": catalog, **({} if state is None else {"state": state})}
    return pod.read(pod.give(**contents), reader)


PROBE = """
for folder in . .. /tmp /var/tmp /dev/shm /run /root /; do
    (: > "$folder/proof") 2> /dev/null && echo "$folder is writable"
done
echo "$(id -u) $(id -g) home:${HOME-none} path:$PATH"
grep CapEff /proc/self/status
"""


@pytest.mark.skipif(not can_be_read_only(), reason="this machine lets nobody make a mount namespace with everything read-only")
def test_the_pod_gives_what_it_promises_and_no_more(pod: Pod) -> None:
    printed, complaints = run_script(pod, PROBE)
    assert complaints == ""
    assert printed == [f"{USER} {USER} home:none path:{PATH}", "CapEff:\t0000000000000000"]


def run_script(pod: Pod, script: str) -> tuple[list[str], str]:
    """What a script prints in the pod."""
    answer = pod.folder / "printed"
    answer.touch()
    os.chown(answer, USER, USER)
    process = pod.start(f"{{ {script}\n}} > printed", answer)
    _, complaints = process.communicate(timeout=20)
    return answer.read_text().splitlines(), complaints.decode()


def test_spec(pod: Pod) -> None:
    code, answer, complaints = pod.ask("spec")
    assert (code, complaints) == (0, "")
    assert [message["type"] for message in checked(answer).messages] == ["SPEC"]


def test_check(pod: Pod, sandbox: Sandbox) -> None:
    code, answer, complaints = pod.ask(" ".join(["check", *pod.give(config=config_of(sandbox))]))
    assert (code, complaints) == (0, "")
    (status,) = checked(answer).payloads("CONNECTION_STATUS")
    assert status["status"] == "SUCCEEDED"


def test_check_of_a_token_that_is_refused(pod: Pod, sandbox: Sandbox) -> None:
    refused = config_of(sandbox, credentials={"credentials": "access_token", "access_token": "sandbox-token-that-is-refused"})
    code, answer, complaints = pod.ask(" ".join(["check", *pod.give(config=refused)]))
    assert (code, complaints) == (0, "")
    (status,) = checked(answer).payloads("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert "401" in status["message"]


def test_discover(pod: Pod, sandbox: Sandbox) -> None:
    code, answer, complaints = pod.ask(" ".join(["discover", *pod.give(config=config_of(sandbox))]))
    assert (code, complaints) == (0, "")
    assert checked(answer).payloads("CATALOG") == [discovered()]


def test_a_sync_and_the_next(pod: Pod, sandbox: Sandbox) -> None:
    code, written, complaints = in_pod(pod, sandbox, configured())
    first = checked_read(written, all_streams())
    assert (code, complaints) == (0, "")
    for stream in all_streams():
        assert by_content(first.records[stream]) == by_content(truth(sandbox, stream))

    changed = live_a_little(sandbox)
    another = Pod(Path(tempfile.mkdtemp(prefix="pod-")), environment=REPLICATION)
    code, written, complaints = in_pod(another, sandbox, configured(changed), first.last_state)
    second = checked_read(written, changed)
    assert (code, complaints) == (0, "")
    for stream in changed:
        assert by_content(second.records[stream]) == by_content(changed[stream])


def test_a_stream_that_fails_makes_the_exit_code(pod: Pod, sandbox: Sandbox) -> None:
    sandbox.switch(unavailable={"goals": 403})
    catalog = configured(["chats", "goals", "skills"])
    code, written, complaints = in_pod(pod, sandbox, catalog)
    output = checked_read(written, names_in(catalog))
    assert (code, complaints) == (1, "")
    assert output.endings == {"chats": "COMPLETE", "goals": "INCOMPLETE", "skills": "COMPLETE"}
    assert output.error_of("goals")["failure_type"] == "config_error"
    assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


def test_a_reader_that_goes_away_ends_it_soon_and_the_next_sync_brings_the_rest(pod: Pod, sandbox: Sandbox) -> None:
    sandbox.inject(Fault(kind="latency", seconds=0.2, path="*/incremental/chats", times=None))

    def two_states(pipe: FileIO) -> bytes:
        taken = b""
        while taken.count(b'{"type":"STATE"') < 2:
            taken += pipe.read(4096)
        return taken

    catalog = configured(["chats"])
    began = time.monotonic()
    code, written, complaints = in_pod(pod, sandbox, catalog, reader=two_states)
    assert time.monotonic() - began < 10
    assert (code, complaints) == (1, "")
    output = checked_read(written, ["chats"], cut=True)
    sandbox.clear_faults()
    rest = read(config_of(sandbox), catalog, output.last_state)
    assert by_content(merged("chats", output.records["chats"], rest.output.records["chats"])) == by_content(
        truth(sandbox, "chats")
    )
    assert len(rest.output.records["chats"]) < len(truth(sandbox, "chats"))


def test_a_slow_reader_gets_everything(pod: Pod, sandbox: Sandbox) -> None:
    def slowly(pipe: FileIO) -> bytes:
        taken = b""
        while piece := pipe.read(16_384):
            taken += piece
            time.sleep(0.02)  # 250 chats in about a second
        return taken

    code, written, complaints = in_pod(pod, sandbox, configured(["chats"]), reader=slowly)
    output = checked_read(written, ["chats"])
    assert (code, complaints) == (0, "")
    assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


def test_an_entrypoint_that_is_missing_is_127(pod: Pod, sandbox: Sandbox) -> None:
    pod.entrypoint = "/nowhere/source-zendesk-chat"
    code, written, complaints = in_pod(pod, sandbox, configured(["chats"]))
    assert (code, written) == (127, b"")
    assert "not found" in complaints


def test_a_launcher_that_fails_is_no_endless_wait(pod: Pod, sandbox: Sandbox) -> None:
    pod.inside = lambda *_, **__: ["false"]
    assert in_pod(pod, sandbox, configured(["chats"])) == (1, b"", "")


def test_a_data_channel_that_it_does_not_have_is_refused(pod: Pod, sandbox: Sandbox) -> None:
    pod.environment = {**REPLICATION, "DATA_CHANNEL_MEDIUM": "SOCKET"}
    code, written, complaints = in_pod(pod, sandbox, configured(["chats"]))
    (error,) = checked(written).errors
    assert (code, complaints, error["failure_type"]) == (1, "", "config_error")
    assert json.dumps(error).count("DATA_CHANNEL_MEDIUM") == 1


@pytest.mark.parametrize(
    ("bad", "refused_by"),
    [
        ('"$SOURCE" "$@"; exit 0', test_a_stream_that_fails_makes_the_exit_code),
        (
            '"$SOURCE" "$@" || { echo Traceback >&2; exit 1; }',
            test_a_reader_that_goes_away_ends_it_soon_and_the_next_sync_brings_the_rest,
        ),
        ('"$SOURCE" "$@" | head -n 200', test_a_slow_reader_gets_everything),
        (': > cursor.tmp && exec "$SOURCE" "$@"', test_a_sync_and_the_next),
        (': > "$HOME/cursor.tmp" && exec "$SOURCE" "$@"', test_a_sync_and_the_next),
        ('"$SOURCE" "$@" | sed s/SUCCEEDED/succeeded/', test_check),
    ],
    ids=["exits 0", "leaves a traceback", "is cut", "needs its directory", "needs a home", "writes it otherwise"],
)
def test_a_bad_entrypoint_is_refused(bad: str, refused_by: Callable[[Pod, Sandbox], None], pod: Pod, sandbox: Sandbox) -> None:
    script = pod.folder / "entrypoint"
    script.write_text(f"#!/bin/sh\nSOURCE='{EXECUTABLE}'\n{bad}\n")
    script.chmod(0o755)
    pod.entrypoint = str(script)
    with pytest.raises((AssertionError, ValidationError)):
        refused_by(pod, sandbox)


@pytest.mark.parametrize("accepted_by", [test_check, test_a_sync_and_the_next, test_a_slow_reader_gets_everything])
def test_a_good_entrypoint_is_not(accepted_by: Callable[[Pod, Sandbox], None], pod: Pod, sandbox: Sandbox) -> None:
    script = pod.folder / "entrypoint"
    script.write_text(f"#!/bin/sh\nexec '{EXECUTABLE}' \"$@\"\n")
    script.chmod(0o755)
    pod.entrypoint = str(script)
    accepted_by(pod, sandbox)
