"""What a user reads when Postgres cannot be used, and that nothing is lost."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.destinations.reading_postgres import execute, of
from tests.destinations.scenario import Loads, loads
from tests.destinations.servers.postgres import Postgres
from tests.support.commands import run_here
from tests.support.sandbox import still
from tests.support.syncs import edit, logged
from zendesk_chat_sandbox import Fault, Sandbox

OPENING = r"Failed while opening (?:the database \S+ on )?\S+: "
STREAMS = ("chats", "chat_events", "departments")


def error_of(sandbox: Sandbox, url: str, folder: Path, *options: str, **variables: str) -> tuple[int, str]:
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url, "--streams", "departments"]
    done = run_here(["sync", *account, "--to", url, *options], folder, **variables)
    (error,) = logged(done.stderr, "ERROR") or [""]
    assert "Traceback" not in done.stderr
    return done.returncode, error


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            ("secret", "wr0ng%40secret"),
            3,
            r'password authentication failed for user "postgres"\. Check the user and the password\.',
        ),
        (("postgres:secret", "nobody:hush"), 3, r'password authentication failed for user "nobody"\. Check'),
        (("/postgres", "/nosuch"), 3, r'database "nosuch" does not exist\. Check the URL\.'),
        (("127.0.0.1", "no-such-host.invalid"), 3, r'could not translate host name "no-such-host\.invalid".*\. Check the host'),
        (
            (":PORT", ":1"),
            1,
            r'connection to server at "127\.0\.0\.1", port 1 was refused\. Check the host and the port, and that',
        ),
        (("127.0.0.1", "[::1]"), 1, r'connection to server at "::1", port \d+ was refused'),
        (("/postgres", "/postgres?sslmode=require"), 3, r"the server offers no TLS, which sslmode in the URL requires\."),
        (("/postgres", "/postgres?nosuch=1"), 3, r'the parameter "nosuch" in the URL is unknown\. Correct or remove it\.'),
        (
            ("127.0.0.1:PORT/postgres", "/postgres?host=/nosuch"),
            1,
            r'on socket "/nosuch/\.s\.PGSQL\.5432" failed.*server is running\.',
        ),
    ],
)
def test_an_error_names_the_cause_and_no_password(
    change: tuple[str, str], code: int, message: str, postgres: Postgres, tmp_path: Path
) -> None:
    old, new = (text.replace("PORT", str(postgres.port)) for text in change)
    with still(chats=0) as sandbox:
        found, error = error_of(sandbox, new.join(postgres.url().rsplit(old, 1)), tmp_path)
    assert re.match(OPENING + message if "on socket" not in message else f"{OPENING}.*{message}", error), error
    assert found == code
    assert not re.search("secret|wr0ng|hush", error)


def test_a_password_may_come_from_the_environment_and_contain_anything(postgres: Postgres, tmp_path: Path) -> None:
    postgres.execute("CREATE ROLE \"jo@acme\" LOGIN SUPERUSER PASSWORD 'a:b/c@d %'")
    url = f"postgres://jo%40acme@127.0.0.1:{postgres.port}/postgres"
    with still(chats=0) as sandbox:
        options = ["--schema", "passwords"]
        assert error_of(sandbox, url, tmp_path, *options, PGPASSWORD="a:b/c@d %") == (0, "")
        assert error_of(sandbox, url.replace("@127", ":a%3Ab%2Fc%40d%20%25@127"), tmp_path, *options) == (0, "")
        code, error = error_of(sandbox, url, tmp_path, *options)
        assert (code, "the server expects a password" in error) == (3, True)


def test_a_user_who_may_not_create_tables(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database("permissions")
    execute(url, "CREATE ROLE loader LOGIN PASSWORD 'secret'")
    loader = url.replace("postgres:secret", "loader:secret")
    with still(chats=0) as sandbox:
        code, error = error_of(sandbox, loader, tmp_path)
        assert code == 3
        start = "The user loader may not create tables in the database permissions. As its owner, run: "
        assert error.startswith(start)
        execute(url, error.removeprefix(start))  # the message is SQL that helps
        assert error_of(sandbox, loader, tmp_path) == (0, "")


def test_a_read_only_transaction_is_reported_before_anything_is_read(postgres: Postgres, tmp_path: Path) -> None:
    with still(chats=0) as sandbox:
        url = postgres.url() + "?options=-cdefault_transaction_read_only%3Don"
        expected = "The database postgres is read-only for postgres. Connect to the primary server, with a user who may write."
        assert error_of(sandbox, url, tmp_path) == (3, expected)
        assert not [request for request in sandbox.requests if "departments" in request.path]


@pytest.mark.parametrize(
    ("option", "code", "message"),
    [
        ("statement_timeout=1ms", 3, "canceling statement due to statement timeout. Raise the limit for the user"),
        ("temp_file_limit=1kB", 0, ""),
    ],
)
def test_limits_of_the_server(option: str, code: int, message: str, postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url() + f"?options=-c{option.replace('=', '%3D')}"
    with still(chats=20) as sandbox:
        found, error = error_of(sandbox, url, tmp_path, "--schema", option.partition("=")[0])
        assert (found, message in error) == (code, True)


def test_too_many_connections(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database("crowded")
    execute(url, "CREATE ROLE single LOGIN PASSWORD 'secret' CONNECTION LIMIT 1", "GRANT CREATE ON DATABASE crowded TO single")
    with still(chats=0) as sandbox:
        code, error = error_of(sandbox, url.replace("postgres:secret", "single:secret"), tmp_path)
        assert code == 1
        assert 'the server has no connection left: too many connections for role "single".' in error


def test_a_constraint_of_the_user_is_named(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "constraint", chats=20) as account:
        account.load()
        execute(account.url, "ALTER TABLE zendesk_chat.chats ADD CONSTRAINT mine CHECK (comment <> 'refused') NOT VALID")
        edit(account.sandbox, account.sandbox.account.chat_ids()[:1], "refused")
        account.sandbox.clock.advance(700)
        done = account.sync()
        assert done.returncode == 3
        assert "the constraint mine of the table chats refuses a row. Drop the constraint." in logged(done.stderr, "ERROR")[0]
        execute(account.url, "ALTER TABLE zendesk_chat.chats DROP CONSTRAINT mine")
        account.load()


def backends(account: Loads) -> list[tuple[int]]:
    """The connections of syncs, the one with the lock first."""
    database = account.url.rpartition("/")[2]
    ours = f"datname = '{database}' AND application_name = 'zendesk-chat'"
    return execute(account.url, f"SELECT pid FROM pg_stat_activity WHERE {ours} ORDER BY backend_start")


def started(account: Loads) -> subprocess.Popen[str]:
    """A sync that has its lock, and is still reading."""
    account.sandbox.inject(Fault(kind="latency", seconds=0.5, times=None))
    process = account.start()
    end = time.monotonic() + 60
    while not backends(account):
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    return process


def test_a_lost_lock_is_taken_again(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "lost", chats=40) as account:
        account.load()
        edit(account.sandbox, account.sandbox.account.chat_ids()[:5], "edited")
        account.sandbox.clock.advance(700)
        process = started(account)
        for (pid,) in backends(account):
            execute(account.url, f"SELECT pg_terminate_backend({pid})")
        output = process.communicate(timeout=60)
        assert process.returncode == 0, output
        account.check()


def test_a_killed_sync_leaves_no_lock(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "crash", chats=40) as account:
        process = started(account)
        process.kill()
        process.communicate()
        account.sandbox.clear_faults()
        account.load("--wait", "10")


def test_a_connection_that_ends_in_the_middle(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "ends", chats=40) as account:
        account.load()
        edit(account.sandbox, account.sandbox.account.chat_ids()[:5], "edited")
        account.sandbox.clock.advance(700)
        execute(
            account.url,
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
            "CREATE TRIGGER die AFTER INSERT ON zendesk_chat.chats EXECUTE FUNCTION die()",
        )
        done = account.sync()
        assert done.returncode == 1
        assert "the connection to the server broke. Records already committed are kept. Run the sync again." in done.stderr
        execute(account.url, "DROP TRIGGER die ON zendesk_chat.chats")
        account.load()
