"""What goes wrong with MariaDB is one sentence, without a password."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.destinations.servers.mariadb import MariaDB
from tests.support.commands import run_here
from tests.support.sandbox import still
from tests.support.syncs import logged
from zendesk_chat_sandbox import Sandbox

RIGHTS = "Grant the user all rights on the database and on the one with _staging after its name."
RUNNING = "Check the host and the port, and that the server is running."


def sync(sandbox: Sandbox, folder: Path, to: str, *options: str) -> CompletedProcess[str]:
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
    return run_here(["sync", *account, "--to", to, *options], folder)


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        (":secret@", ":wrongpassword@", 3, "Check the user and the password."),
        ("/errors", "/absent", 3, "Unknown database 'absent'. Create it, or check the URL."),
        ("127.0.0.1", "nohost.invalid", 1, f"Can't connect to MySQL server on 'nohost.invalid'. {RUNNING}"),
        ("loader", "reader", 3, RIGHTS),
        ("loader", "one", 3, RIGHTS),  # the statement that is refused depends on what earlier syncs left
    ],
    ids=["password", "database", "host", "read-only", "staging"],
)
def test_a_mistake_is_one_sentence(mariadb: MariaDB, tmp_path: Path, old: str, new: str, code: int, message: str) -> None:
    mariadb.execute("CREATE DATABASE IF NOT EXISTS errors")
    for user, right in (("reader", "SELECT"), ("one", "ALL")):
        mariadb.execute(f"CREATE USER IF NOT EXISTS {user}@'127.0.0.1' IDENTIFIED BY 'secret'")
        mariadb.execute(f"GRANT {right} ON errors.* TO {user}@'127.0.0.1'")
    with still(chats=5) as sandbox:
        done = sync(sandbox, tmp_path, mariadb.url("errors").replace(old, new))
    assert done.returncode == code, done.stderr
    (error,) = logged(done.stderr, "ERROR")
    assert error.endswith(message)
    assert "secret" not in error
    assert "wrongpassword" not in done.stderr


def test_a_password_with_special_characters_is_encoded(mariadb: MariaDB, tmp_path: Path) -> None:
    mariadb.execute("CREATE DATABASE encoded")
    mariadb.execute("CREATE USER encoded@'127.0.0.1' IDENTIFIED BY 'p@ss:/%?#'")
    mariadb.execute("GRANT ALL ON *.* TO encoded@'127.0.0.1'")
    with still(chats=5) as sandbox:
        done = sync(sandbox, tmp_path, mariadb.url("encoded", "encoded", "p%40ss%3A%2F%25%3F%23"))
    assert done.returncode == 0, done.stderr
    assert "p%40ss" not in done.stderr + done.stdout


def test_a_row_that_is_longer_than_the_server_accepts_is_shortened_and_reported(mariadb: MariaDB, tmp_path: Path) -> None:
    url = mariadb.new_database("long_row")
    with still(chats=5) as sandbox:
        identity, other, *_ = sandbox.account.chat_ids()
        sandbox.account.edit_chat(identity, comment="x" * 20_000_000, referrer_search_terms="kept")
        sandbox.clock.advance(700)
        done = sync(sandbox, tmp_path, url)
    assert done.returncode == 0, done.stderr
    assert (
        "The server does not accept some values, so they were changed. In rows longer than max_allowed_packet of the "
        "server, strings were cut, and JSON became null: 1 of chats.comment."
    ) in logged(done.stderr, "WARNING")
    sql = "SELECT LENGTH(comment) AS length, referrer_search_terms AS terms FROM chats WHERE id = %s"
    (row,) = mariadb.execute(sql, identity, database="long_row")
    assert row["terms"] == "kept"
    assert 8_000_000 < row["length"] < 20_000_000
    assert mariadb.execute("SELECT id FROM chats WHERE id = %s", other, database="long_row")


def test_a_column_that_the_user_has_made_narrower_is_named(mariadb: MariaDB, tmp_path: Path) -> None:
    url = mariadb.new_database("narrow")
    with still(chats=5) as sandbox:
        assert sync(sandbox, tmp_path, url, "--streams", "chats").returncode == 0
        mariadb.execute("UPDATE chats SET comment = NULL", database="narrow")
        mariadb.execute("ALTER TABLE chats MODIFY comment VARCHAR(5)", database="narrow")
        sandbox.account.edit_chat(sandbox.account.chat_ids()[0], comment="much longer")
        sandbox.clock.advance(700)
        done = sync(sandbox, tmp_path, url, "--streams", "chats")
    assert done.returncode == 3, done.stderr
    (error,) = logged(done.stderr, "ERROR")
    assert error.endswith(
        "the column comment of the table chats is too narrow for a value. Change its type, or drop the table: the next sync "
        "loads it again from the start."
    )
    assert "much longer" not in done.stderr
