"""A file holds the accounts that it was made for: another one is refused before a byte changes, or has a schema of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import still
from tests.support.syncs import complete, differing, edit, execute, sync
from zendesk_chat_sandbox import Sandbox

pytestmark = [pytest.mark.long, pytest.mark.unmeasured]  # it runs complete syncs

STREAMS = "chats,chat_events,departments"
ONLY = ("--streams", STREAMS)
ACCOUNT = "SELECT subdomain, account_key FROM _sync_account"


@pytest.fixture
def acme() -> Iterator[Sandbox]:
    with still(chats=30) as sandbox:
        yield sandbox


@pytest.fixture
def other() -> Iterator[Sandbox]:
    """An account with other chats and another key."""
    with Sandbox(seed=8, chats=20, switches=still().switches) as sandbox:
        sandbox.account.settings["account_key"] = "OtherKey"
        yield sandbox


def key_of(sandbox: Sandbox) -> str:
    return str(sandbox.account.settings["account_key"])


@pytest.mark.parametrize("options", [(), ("--full-refresh",), ("--streams", "goals"), ("--renamed-from", "third")])
def test_an_account_with_another_subdomain_is_refused(
    options: tuple[str, ...], acme: Sandbox, other: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "chats.duckdb"
    complete(acme, path, *ONLY)
    before = path.read_bytes()
    other.clear_requests()
    done = sync(other, path, *ONLY, *options, subdomain="emca")
    assert done.code == 3
    assert done.error == (
        f"{path} contains the account acme, but you are loading emca. Choose another file with --to, or a separate schema "
        "with --schema emca. If acme was renamed to emca, add --renamed-from acme once."
    )
    assert path.read_bytes() == before
    assert other.requests == []


@pytest.mark.parametrize("options", [(), ("--full-refresh",), ("--streams", "chats"), ("--exclude", "accounts")])
def test_another_account_behind_the_same_subdomain_is_refused(
    options: tuple[str, ...], acme: Sandbox, other: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "chats.duckdb"
    complete(acme, path, "--streams", "accounts,chats")
    before = path.read_bytes()
    done = sync(other, path, *options)
    assert done.code == 3
    assert done.error == (
        f"{path} contains the account acme with the key {key_of(acme)}, but acme now has the key OtherKey. "
        "Choose another file with --to, or another schema with --schema NAME."
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("schema", "runs"),
    [("it's näme", [(), (), ("--full-refresh",)]), ("order", [(), ("--full-refresh",)]), ("acme-eu", [(), ()])],
)
def test_accounts_side_by_side(schema: str, runs: list[tuple[str, ...]], acme: Sandbox, other: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    complete(acme, path, *ONLY)
    for number, refresh in enumerate(runs):
        mine = execute(path, "FROM chats.main.chats ORDER BY id")
        complete(other, path, *ONLY, "--schema", schema, *refresh, subdomain="emca")
        assert differing(other, path, STREAMS, schema) == []
        assert execute(path, "FROM chats.main.chats ORDER BY id") == mine
        edit(acme, acme.account.chat_ids()[number : number + 3], f"edit {number}")
        others = execute(path, f"FROM chats.{quoted(schema)}.chats ORDER BY id")
        complete(acme, path, *ONLY)
        assert differing(acme, path, STREAMS) == []
        assert execute(path, f"FROM chats.{quoted(schema)}.chats ORDER BY id") == others
        edit(other, other.account.chat_ids()[number : number + 3], f"edit {number}")
    assert execute(path, f"SELECT subdomain, account_key FROM chats.{quoted(schema)}._sync_account") == [("emca", "OtherKey")]
    assert execute(path, "SELECT subdomain, account_key FROM chats.main._sync_account") == [("acme", key_of(acme))]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("spelled", ["ACME", "Acme"])
def test_a_schema_in_another_case_is_the_same_one(spelled: str, acme: Sandbox, other: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    complete(acme, path, *ONLY, "--schema", "acme")
    edit(acme, acme.account.chat_ids()[:3], "edited")
    report = complete(acme, path, *ONLY, "--schema", spelled).report
    assert report.splitlines()[1].split()[:2] == ["chats", "3"]
    assert differing(acme, path, STREAMS, "acme") == []
    assert sync(other, path, *ONLY, "--schema", spelled, subdomain="emca").code == 3


def test_an_account_that_was_renamed(acme: Sandbox, other: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    complete(acme, path, *ONLY, subdomain="old")
    assert sync(other, path, *ONLY, "--renamed-from", "old").code == 3, "the key is another one"
    assert execute(path, ACCOUNT) == [("old", key_of(acme))]
    edit(acme, acme.account.chat_ids()[:3], "edited")
    done = complete(acme, path, *ONLY, "--renamed-from", "old")
    assert done.report.splitlines()[1].split()[:2] == ["chats", "3"], "it resumes"
    assert execute(path, ACCOUNT) == [("acme", key_of(acme))]
    complete(acme, path, *ONLY, "--renamed-from", "old")
    complete(acme, path, *ONLY)
    assert sync(acme, path, *ONLY, subdomain="old").code == 3


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_that_does_not_show_its_key_is_loaded(status: int, acme: Sandbox, other: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    acme.switch(unavailable={"account": status})
    complete(acme, path, *ONLY)
    assert execute(path, ACCOUNT) == [("acme", None)]
    assert differing(acme, path, STREAMS) == []
    acme.switch(unavailable={})
    complete(acme, path, *ONLY)
    assert execute(path, ACCOUNT) == [("acme", key_of(acme))]
    assert sync(other, path, *ONLY).code == 3
    acme.switch(unavailable={"account": status})
    edit(acme, acme.account.chat_ids()[:3], "edited")
    complete(acme, path, *ONLY)
    assert differing(acme, path, STREAMS) == []
    assert execute(path, ACCOUNT) == [("acme", key_of(acme))]
