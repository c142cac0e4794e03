"""Files of other versions of DuckDB are synced into, and the oldest supported one reads the result.

The lowest version that the package accepts runs every command. `make test` installs both; without them, tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support.executable import EXECUTABLE
from tests.support.sandbox import still
from tests.support.syncs import NESTED, complete, differing, edit, execute
from zendesk_chat_sandbox import Sandbox

pytestmark = pytest.mark.long

OLD = Path(__file__).parents[2] / ".cache/oldest-duckdb"
LOWEST = Path(__file__).parents[2] / ".cache/lowest-duckdb"
STREAMS = ("--streams", NESTED)
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
assert duckdb.__version__ == "1.2.0"
with duckdb.connect(sys.argv[2]) as connection:
    for statement in sys.argv[3:]:
        print(connection.execute(statement).fetchall())
"""
VIEWS = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'analytics' ORDER BY ALL"


def old_duckdb(path: Path, *statements: str) -> list[str]:
    """Execute statements in DuckDB 1.2.0, and return the rows of each, printed."""
    command = [sys.executable, "-c", SCRIPT, str(OLD), str(path), *statements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with still(chats=40) as sandbox:
        yield sandbox


@pytest.mark.skipif(not OLD.is_dir(), reason="DuckDB 1.2.0 is not installed. Run: make test")
@pytest.mark.parametrize("made_by_old", [False, True])
def test_the_oldest_duckdb_reads_and_writes_the_file(made_by_old: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    if made_by_old:
        old_duckdb(path, "CREATE TABLE own AS SELECT 'mine' AS text")
    for refresh in ((), ("--full-refresh",)):
        complete(sandbox, path, *STREAMS, *refresh)
        assert old_duckdb(path, "SELECT count(*), count(DISTINCT id) FROM chats") == ["[(40, 40)]"]
    views = [name for (name,) in execute(path, VIEWS)]
    assert len(old_duckdb(path, *(f"FROM analytics.{name}" for name in views))) == len(views) > 10
    old_duckdb(path, "CREATE TABLE copy AS FROM chats", "CHECKPOINT")
    edit(sandbox, sandbox.account.chat_ids()[:5], "edited")
    assert complete(sandbox, path, *STREAMS).warnings == []
    assert differing(sandbox, path) == []
    assert old_duckdb(path, "SELECT count(*) FROM copy") == ["[(40,)]"]


def test_a_file_in_the_latest_format(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS file (STORAGE_VERSION 'latest')")
        connection.execute("CREATE TABLE file.own AS SELECT 'mine' AS text")
    complete(sandbox, path, *STREAMS)
    assert differing(sandbox, path) == []
    assert execute(path, "FROM own") == [("mine",)]


@pytest.mark.skipif(not LOWEST.is_dir(), reason="DuckDB 1.4.1 is not installed. Run: make test")
def test_every_command_works_with_the_lowest_duckdb_that_is_accepted(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    account = ["--subdomain", "acme", "--api-url", sandbox.url]
    variables = {**os.environ, "PYTHONPATH": str(LOWEST), "ZENDESK_CHAT_TOKEN": sandbox.token}

    def run(*arguments: str) -> str:
        command = [str(EXECUTABLE), *arguments]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    used = [sys.executable, "-c", "import duckdb; print(duckdb.__version__)"]
    assert subprocess.run(used, env=variables, capture_output=True, text=True, check=True).stdout == "1.4.1\n"
    run("sync", *account, "--to", str(path))
    edit(sandbox, sandbox.account.chat_ids()[:5], "edited")
    run("sync", *account, "--to", str(path))
    assert differing(sandbox, path) == []
    assert "complete" in run("status", str(path))
    assert "No difference was found." in run("verify", str(path), *account)
    assert "chats" in run("profile", str(path))
    report = tmp_path / "report.html"
    run("report", str(path), "-o", str(report))
    assert "</html>" in report.read_text()
