"""Where a load may go, and the message when it cannot."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from dlt.common.exceptions import DltException

from tests.support.clock import FakeClock
from tests.support.elsewhere import open_elsewhere
from tests.support.loads import EACH_PAGE, chat, chat_pages, load, rows
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError, DestinationError, ExitCode, exit_code
from zendesk_chat.load.destination import check_schema, duckdb_path
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.opening import open_file
from zendesk_chat.load.warehouse.opening import open_warehouse


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("duckdb:///chats.duckdb", "chats.duckdb"),
        ("duckdb:///data/chats.duckdb", "data/chats.duckdb"),
        ("duckdb:////data/chats.duckdb", "/data/chats.duckdb"),
        ("DuckDB:///chats", "chats"),
        ("chats.duckdb", "chats.duckdb"),
        ("./acme.DB", "./acme.DB"),
        ("/data/acme.duckdb", "/data/acme.duckdb"),
        ("../of last year.ddb", "../of last year.ddb"),
        (r"C:\data\acme.duckdb", r"C:\data\acme.duckdb"),
        ("C:/data/acme.duckdb", "C:/data/acme.duckdb"),
        ("postgres://user@host/database", None),
    ],
)
def test_duckdb_path(text: str, path: str | None) -> None:
    assert duckdb_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "duckdb://chats.duckdb",
        "duckdb:chats.duckdb",
        "duckdb:///",
        "duckdb:///:memory:",
        "nosuch://x",
        "filesystem:///data",
    ],
)
def test_a_destination_that_is_not_accepted(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--to.*duckdb:///"):
        duckdb_path(text)


def test_a_destination_whose_package_is_not_installed() -> None:
    with (
        pytest.raises(DestinationError, match=r"not installed\. Run: pip install 'zendesk-chat\[snowflake\]'") as caught,
        open_warehouse("snowflake://u:secret@host/x", "chats", FakeClock()),
    ):
        pass
    assert "secret" not in str(caught.value)
    assert exit_code([caught.value]) == ExitCode.ACTION_NEEDED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ExitCode.ACTION_NEEDED),
        (PermissionError(errno.EACCES, "Permission denied"), ExitCode.ACTION_NEEDED),
        (OSError(errno.EROFS, "Read-only file system"), ExitCode.ACTION_NEEDED),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), ExitCode.ACTION_NEEDED),
        (DltException('FATAL: password authentication failed for user "loader"'), ExitCode.ACTION_NEEDED),
        (DltException('FATAL: database "chats" does not exist'), ExitCode.ACTION_NEEDED),
        (DltException("connection refused: is the server running on that host?"), ExitCode.INCOMPLETE),
        (duckdb.IOException('Could not set lock on file "/permission denied.duckdb"'), ExitCode.INCOMPLETE),
        (duckdb.OutOfMemoryException("Out of Memory Error"), ExitCode.INCOMPLETE),
        (OSError(errno.EIO, "Input/output error"), ExitCode.INCOMPLETE),
    ],
)
def test_a_failure_shows_whether_a_retry_helps(error: Exception, code: ExitCode) -> None:
    with pytest.raises(DestinationError) as caught, explained("testing"):
        raise error
    assert exit_code([caught.value]) == code


def test_a_relative_path_and_its_name_as_that_of_a_table_or_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("chats.duckdb", "main.duckdb"):
        load(Path(name), chat_pages([chat(1), chat(2)], size=1), limits=EACH_PAGE)
        assert rows(tmp_path / name, "SELECT count(*) FROM chats") == [(2,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chats.duckdb", "main.duckdb"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_while_it_creates_the_file_leaves_none_or_a_complete_one(tmp_path: Path, when: str) -> None:
    path = tmp_path / "chats [1].duckdb"
    script = """
import os, signal, sys
from zendesk_chat.clock import SystemClock
from zendesk_chat.load.file.opening import open_file
link = os.link
def killed(*names):
    if sys.argv[2] == "after":
        link(*names)
    os.kill(os.getpid(), signal.SIGKILL)
os.link = killed
with open_file(sys.argv[1], SystemClock()):
    pass
"""
    killed = subprocess.run([sys.executable, "-c", script, str(path), when], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert path.exists() == (when == "after")
    assert len(list(tmp_path.iterdir())) == 1 + (when == "after")
    with open_file(str(path), SystemClock()) as connection:
        connection.execute("CREATE TABLE chats (id TEXT)")
    assert [left.name for left in tmp_path.iterdir()] == [path.name]


def test_a_file_is_created_where_the_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_names: str) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)
    with open_file(str(tmp_path / "chats.duckdb"), SystemClock()) as connection:
        connection.execute("CREATE TABLE chats (id TEXT)")
    assert [left.name for left in tmp_path.iterdir()] == ["chats.duckdb"]


def opening(path: Path) -> str:
    with pytest.raises(DestinationError) as caught, open_file(str(path), SystemClock()):
        pass
    return str(caught.value)


def test_a_file_that_another_program_has_open_is_named_with_that_program(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    program = Path(sys.executable).resolve().name
    with open_elsewhere(path) as other:
        expected = f"{path} is open in {program} (process {other.pid}). Close it there and try again, or add --wait SECONDS."
        assert opening(path) == expected


def test_a_run_waits_until_the_file_is_free(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    reported: list[str] = []
    with open_elsewhere(path) as other, ThreadPoolExecutor(1) as pool:
        assert other.stdin is not None

        def on_wait(message: str) -> None:
            reported.append(message)
            pool.submit(other.communicate)

        with open_file(str(path), SystemClock(), 60, on_wait) as connection:
            connection.execute("CREATE TABLE t (a INTEGER)")
        program = Path(sys.executable).resolve().name
        assert reported == [f"{path} is open in {program} (process {other.pid}); waiting up to 60 s"]
    still = pytest.raises(DestinationError, match=r"is still open in .* after 1 s\. Close it there and try again\.$")
    with open_elsewhere(path), still, open_file(str(path), SystemClock(), 1):
        pass


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    assert opening(tmp_path / "none" / "chats.duckdb").endswith("the directory does not exist.")
    for name, text in (("text", "no database " * 1000), ("config.json", '{"a": 1}'), ("empty", "")):
        (tmp_path / name).write_text(text)
        assert opening(tmp_path / name) == f"Failed while opening {tmp_path / name}: the file is not a DuckDB database."
        assert (tmp_path / name).read_text() == text
    assert opening(tmp_path).startswith(f"Failed while opening {tmp_path}: ")


def test_no_space_left(tmp_path: Path) -> None:
    with pytest.raises(DestinationError, match=r"^Failed while testing: there is no space left"), explained("testing"):
        raise OSError(28, "No space left on device")


def test_nothing_is_left_outside_the_database(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    script = (
        "from tests.support.loads import *; from pathlib import Path;"
        "load(Path('chats.duckdb'), chat_pages([chat(1)])); print(states(Path('chats.duckdb')))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "HOME"} | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XDG_DATA_HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("{'chats': {'next': 10}}\n", "")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["chats.duckdb", "home", "temporary"]


def test_what_a_killed_run_moved_out_of_memory_is_cleared_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    temporary = tmp_path / "chats.duckdb.tmp"
    temporary.mkdir()
    (temporary / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"a chat")
    load(path, chat_pages([chat(1)]))
    assert sorted(found.name for found in tmp_path.iterdir()) == ["chats.duckdb"]
    temporary.mkdir()
    (temporary / "mine.txt").write_text("a user's own file")
    load(path, chat_pages([chat(1)]))
    assert [found.name for found in temporary.iterdir()] == ["mine.txt"]


def test_a_file_that_nothing_was_written_into_is_not_left(tmp_path: Path) -> None:
    with open_file(str(tmp_path / "chats.duckdb"), SystemClock()):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("schema", ["", "temp", "PG_CATALOG"])
def test_schemas_of_duckdb_itself_are_refused(schema: str) -> None:
    with pytest.raises(ConfigError, match=r"^--schema: .* cannot be used\. Choose another name"):
        check_schema(schema, "chats.duckdb")


def test_a_schema_with_the_name_of_the_file_is_refused() -> None:
    check_schema("acme", "chats.duckdb")
    check_schema("acme", None)
    with pytest.raises(ConfigError, match=r"^--schema acme: the file Acme\.duckdb has the same name"):
        check_schema("acme", "/data/Acme.duckdb")


def test_a_new_file_that_did_not_fit_on_the_disk_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    script = (
        "import resource; from pathlib import Path; from tests.support.loads import *;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"load(Path({str(path)!r}), chat_pages([chat(1)]))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert list(tmp_path.iterdir()) == []
    load(path, chat_pages([chat(1)]))
    assert rows(path, "SELECT id FROM chats") == [("2603.1.0001",)]


def test_a_file_that_another_program_has_just_made_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "chats.duckdb"
    with open_elsewhere(path):
        monkeypatch.setattr(os.path, "lexists", lambda _path: False)  # as it was before
        assert "is open in" in opening(path)
        assert path.exists()


def test_what_was_moved_out_of_memory_is_gone_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    moved = tmp_path / "chats.duckdb.tmp" / "duckdb_temp_storage_DEFAULT-0.tmp"

    def fail() -> None:
        moved.parent.mkdir(exist_ok=True)
        moved.write_bytes(b"a chat")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), open_file(str(path), SystemClock()):
        fail()
    assert list(tmp_path.iterdir()) == []
