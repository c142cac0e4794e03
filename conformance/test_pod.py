"""The source in a pod: named pipes, another user, nothing writable."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from account import account, config_of, live_a_little
from checked import checked, checked_read
from connector import EXECUTABLE, all_streams, configured, discovered, names_in, read
from pod import PATH, REPLICATION, USER, Pod, can_be_read_only, why_not
from pydantic import ValidationError
from resumption import merged

from tests.support.oracle import by_content, truth
from zendesk_chat_sandbox import Fault, Sandbox

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture
def pod() -> Iterator[Pod]:
    folder = Path(tempfile.mkdtemp(prefix="pod-"))
    yield Pod(folder, environment=REPLICATION)
    folder.chmod(0o755)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with account() as served:
        yield served


def whole(pipe: FileIO) -> bytes:
    return b"".join(iter(lambda: pipe.read(65536), b""))


def in_pod(pod: Pod, sandbox: Sandbox, catalog: Any, state: Any = None, reader: Any = whole) -> tuple[int, bytes, str]:
    files = {"config": config_of(sandbox), "catalog": catalog, **({} if state is None else {"state": state})}
    return pod.read(pod.give(**files), reader)


PROBE = """
for place in . .. /tmp /var/tmp /dev/shm /run /root /; do
    (: > "$place/proof") 2> /dev/null && echo "$place is writable"
done
echo "$(id -u) $(id -g) home:${HOME-none} path:$PATH"
grep CapEff /proc/self/status
"""


@pytest.mark.skipif(not can_be_read_only(), reason="this machine lets nobody make a mount namespace with everything read-only")
def test_the_pod_gives_what_it_says_and_no_more(pod: Pod) -> None:
    told, complaints = run_script(pod, PROBE)
    assert complaints == ""
    assert told == [f"{USER} {USER} home:none path:{PATH}", "CapEff:\t0000000000000000"]


def run_script(pod: Pod, script: str) -> tuple[list[str], str]:
    """What a script says in the pod."""
    answer = pod.folder / "said"
    answer.touch()
    os.chown(answer, USER, USER)
    process = pod.start(f"{{ {script}\n}} > said", answer)
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
    first = checked_read(written, all_streams(), discovered())
    assert (code, complaints) == (0, "")
    for stream in all_streams():
        assert by_content(first.records[stream]) == by_content(truth(sandbox, stream))

    changed = live_a_little(sandbox)
    another = Pod(Path(tempfile.mkdtemp(prefix="pod-")), environment=REPLICATION)
    code, written, complaints = in_pod(another, sandbox, configured(changed), first.last_state)
    second = checked_read(written, changed, discovered())
    assert (code, complaints) == (0, "")
    for stream in changed:
        assert by_content(second.records[stream]) == by_content(changed[stream])


def test_a_stream_that_fails_makes_the_exit_code(pod: Pod, sandbox: Sandbox) -> None:
    sandbox.switch(unavailable={"goals": 403})
    catalog = configured(["chats", "goals", "skills"])
    code, written, complaints = in_pod(pod, sandbox, catalog)
    output = checked_read(written, names_in(catalog), discovered())
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
    output = checked_read(written, ["chats"], discovered(), cut=True)
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
    output = checked_read(written, ["chats"], discovered())
    assert (code, complaints) == (0, "")
    assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))


def test_an_entrypoint_that_is_missing_is_127(pod: Pod, sandbox: Sandbox) -> None:
    pod.entrypoint = "/nowhere/source-zendesk-chat"
    code, written, complaints = in_pod(pod, sandbox, configured(["chats"]))
    assert (code, written) == (127, b"")
    assert "not found" in complaints


def test_a_launcher_that_fails_is_no_endless_wait(pod: Pod, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pod._inside", lambda *_, **__: ["false"])
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
    ids=["exits 0", "leaves a traceback", "is cut", "needs its directory", "needs a home", "says it otherwise"],
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
