"""Redaction rules that change after data was loaded: the rows that are still as before are counted, and can be loaded again."""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loads import EVENTS, VISITORS, Family, completed, family_page, load, opened, rows, started, visitor_page
from tests.support.model import effort
from tests.support.sandbox import still
from tests.support.syncs import NESTED, complete, edit, execute
from zendesk_chat.cli import main
from zendesk_chat.engine.events import Event
from zendesk_chat.load.loading import load_events
from zendesk_chat_sandbox import Sandbox

STREAMS = ("--streams", NESTED)
RULES = st.sampled_from(["", "a", "b"])
KEYS = st.integers(0, 3).map(str)
FAMILIES = st.lists(
    st.tuples(KEYS, st.sets(KEYS, max_size=3), st.booleans()), unique_by=lambda family: family[0], max_size=3
).map(lambda families: [(chat, sorted(f"{chat}-{key}" for key in keys), replaced) for chat, keys, replaced in families])
SHOWN = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 4))), unique_by=lambda visitor: visitor[0], max_size=3)


def outdated(path: Path, rules: str, events: list[Event]) -> dict[str, int]:
    """Load with these rules, and return how many rows of each stream the warning reports."""
    tables = [EVENTS, VISITORS]
    redactions = {table.name: rules for table in tables if rules}
    with opened(path, tables, redactions=redactions) as store:
        load_events(events, [table.name for table in tables], store)
    found = re.findall(r"([\d,]+) of (\w+)", " ".join(store.warnings))
    return {stream: int(count.replace(",", "")) for count, stream in found}


@given(st.lists(st.tuples(RULES, FAMILIES, SHOWN), max_size=6))
@effort(40)
def test_the_rows_of_other_rules_are_counted(runs: list[tuple[str, list[Family], list[tuple[str, int | None]]]]) -> None:
    """Each row holds the name of the rules that it was loaded with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.duckdb"
        for number, (rules, families, visitors) in enumerate(runs):
            events: list[Event] = [
                *started("chat_events", "visitors"),
                family_page(families, rules, run=number),
                visitor_page(visitors, rules, run=number),
                completed("chat_events"),
                completed("visitors"),
            ]
            reported = outdated(path, rules, events)
            with duckdb.connect(str(path), read_only=True) as connection:
                count = "SELECT count(*) FROM {} WHERE {} <> ?"
                of_events = connection.execute(count.format("chat_events", "msg"), [rules]).fetchall()[0][0]
                of_visitors = connection.execute(count.format("visitors", "name"), [rules]).fetchall()[0][0]
            expected = {"chat_events": of_events, "visitors": of_visitors}
            assert reported == {stream: count for stream, count in expected.items() if count}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with still(chats=40) as sandbox:
        edit(sandbox, sandbox.account.chat_ids(), "SECRET words of jo@example.com", moved=False)
        yield sandbox


@pytest.fixture(scope="module")
def filled(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "chats.duckdb"
    complete(sandbox, path, *STREAMS)
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "chats.duckdb"))


def holding(path: Path, text: str) -> list[str]:
    """The tables in which a string occurs in any column."""
    tables = execute(path, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL")
    return [name for (name,) in tables if execute(path, f"FROM {name} t WHERE contains(t::VARCHAR, '{text}')")]


WARNING = re.compile(
    r"The redaction rules changed\. Rows that were loaded before are unchanged: (.+)\. "
    r"To reload them with the new rules, add (--full-refresh --streams [\w,]+)\."
)
CHANGES = {
    "a comment": ("chats.comment=null", {"chats"}),
    "messages": ("chats.history.*.msg=mask", {"chats", "chat_events"}),
    "visitors": ("visitors.notes=null", {"chats", "visitors"}),
    "all": ("*.**=mask", {"chats", "chat_engagements", "chat_events", "visitors"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_command_in_the_warning_loads_the_rows_again(change: str, sandbox: Sandbox, path: Path) -> None:
    rule, streams = CHANGES[change]
    done = complete(sandbox, path, *STREAMS, "--redact", rule)
    (warning,) = done.warnings
    found = WARNING.fullmatch(warning)
    assert found, warning
    counts = {stream: count for count, _, stream in (part.partition(" of ") for part in found[1].split(", "))}
    assert counts.keys() == streams
    held = {name: execute(path, f"SELECT count(*) FROM {name}")[0][0] for name in streams}
    loaded = {name: int(count.replace(",", "")) for name, count in re.findall(r"^(\w+) +([\d,]+)", done.report, re.MULTILINE)}
    assert counts == {name: f"{held[name] - loaded[name]:,}" for name in streams}
    assert complete(sandbox, path, *STREAMS, "--redact", rule).warnings == [warning], "until they are loaded again"
    assert complete(sandbox, path, *found[2].split(), "--redact", rule).warnings == []
    assert complete(sandbox, path, *STREAMS, "--redact", rule).warnings == []


LOST = re.compile(
    r"This run has no redaction rules for (.+), which an earlier run redacted\. New rows have all fields in clear\."
    r"(?: Rows that were redacted before stay so: (.+)\.)? Add the rules again, for example in zendesk-chat\.toml, and load "
    r"these streams again: add --full-refresh --streams ([\w,]+)\."
)


def test_rules_that_a_run_lacks_are_missed(sandbox: Sandbox, tmp_path: Path) -> None:
    path, rules = tmp_path / "chats.duckdb", ("--redact", "visitors.notes=null", "--redact", "departments.name=hash")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZENDESK_CHAT_HASH_KEY", "a key of sixteen or more")
        complete(sandbox, path, *STREAMS, *rules)
    first = complete(sandbox, path, *STREAMS)
    (warning,) = first.warnings
    found = LOST.fullmatch(warning)
    assert found, warning
    assert (found[1], found[3]) == ("chats, visitors, departments", "chats,visitors,departments")
    assert {part.partition(" of ")[2] for part in found[2].split(", ")} == {"chats", "visitors"}
    (again,) = complete(sandbox, path, *STREAMS).warnings
    assert (LOST.fullmatch(again) or [""] * 4)[3] == "chats,visitors", "departments are replaced by each run"
    assert complete(sandbox, path, "--streams", "chat_events").warnings == []
    assert complete(sandbox, path, "--full-refresh", "--streams", "chats,visitors").warnings == [], "all rows are in clear"


def test_a_full_refresh_without_the_rules_warns_too(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    complete(sandbox, path, "--streams", "visitors", "--redact", "visitors.notes=null")
    (warning,) = complete(sandbox, path, "--streams", "visitors", "--full-refresh").warnings
    assert "visitors, which an earlier run redacted. New rows have all fields in clear. Add the rules" in warning


def test_warnings_are_printed_after_the_table(sandbox: Sandbox, path: Path) -> None:
    """Otherwise the table pushes them off the screen."""
    printed = io.StringIO()
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url, "--to", str(path)]
    with redirect_stdout(printed), redirect_stderr(printed):
        assert main(["sync", *account, *STREAMS, "--redact", "chats.comment=null"]) == 0
    shown = printed.getvalue()
    assert shown.index("The redaction rules changed.") > shown.index("records in ") > shown.index("\nchats ")


def test_the_status_shows_what_is_redacted(sandbox: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def redacted() -> dict[str, str]:
        assert main(["status", str(path), "--json"]) == 0
        return {stream["stream"]: stream["redacted"] for stream in json.loads(capsys.readouterr().out)["streams"]}

    assert set(redacted().values()) == {"no"}
    main(["status", str(path)])
    assert "redacted" not in capsys.readouterr().out
    rules = ("--redact", "visitors.notes=null")
    complete(sandbox, path, *STREAMS, *rules)
    assert {name for name, word in redacted().items() if word == "partly"} == {"chats", "visitors"}
    complete(sandbox, path, *STREAMS, *rules, "--full-refresh")
    assert {name for name, word in redacted().items() if word == "yes"} == {"chats", "visitors"}
    main(["status", str(path)])
    header, *lines = capsys.readouterr().out.splitlines()[3:]
    at = header.index("redacted")
    assert {line.split()[0]: line[at:].split()[0] for line in lines if line} == redacted()


def test_no_clear_value_is_left(sandbox: Sandbox, path: Path) -> None:
    assert holding(path, "SECRET") == ["chat_events", "chats", "visitors"]
    rules = [f"--redact={field}=null" for field in ("chats.comment", "chats.history.*.msg", "chats.visitor.notes")]
    (warning,) = complete(sandbox, path, *STREAMS, *rules).warnings
    found = WARNING.fullmatch(warning)
    assert found
    assert holding(path, "SECRET") == ["chat_events", "chats", "visitors"]
    complete(sandbox, path, *rules, *found[2].split())
    assert holding(path, "SECRET") == []


def test_another_hash_key_is_another_rule(sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = ("--redact", "chats.comment=hash")
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY", "one secret of many characters")
    assert len(complete(sandbox, path, *STREAMS, *rule, "--full-refresh").warnings) == 0
    ((one,),) = execute(path, "SELECT DISTINCT comment FROM chats")
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY", "other secret of many characters")
    (warning,) = complete(sandbox, path, *STREAMS, *rule).warnings
    assert "39 of chats. " in warning, "one was read again"
    assert execute(path, f"SELECT count(*) FROM chats WHERE comment = '{one}'") == [(39,)]
    assert complete(sandbox, path, *STREAMS, *rule, "--full-refresh").warnings == []
    assert execute(path, f"SELECT count(*) FROM chats WHERE comment = '{one}'") == [(0,)]


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_an_interrupted_refresh_shows_no_mixture(cut: int, tmp_path: Path) -> None:
    """Rules change, and a full refresh is interrupted, also with yet other rules: only rows of one set of rules are visible."""
    path = tmp_path / "chats.duckdb"
    pages = [[(str(chat), [f"{chat}-0"], True)] for chat in range(4)]

    def events(rules: str, first: int, last: int) -> list[Event]:
        found = [family_page(pages[number], rules, next=number + 1) for number in range(first, last)]
        return [*started("chat_events"), *found, *([completed("chat_events")] if last == len(pages) else [])]

    def run(rules: str, first: int, last: int, *, full_refresh: bool = True) -> set[str]:
        load(path, events(rules, first, last), tables=[EVENTS], redactions={"chat_events": rules}, full_refresh=full_refresh)
        return {rules for (rules,) in rows(path, "SELECT DISTINCT msg FROM chat_events")}

    assert run("a", 0, 4, full_refresh=False) == {"a"}
    assert run("b", 0, cut) == {"a"}
    assert run("c", 0, cut) == {"a"}, "with other rules it starts again"
    assert run("c", cut, 4) == {"c"}
    assert rows(path, "SELECT count(*) FROM chat_events") == [(4,)]
    assert rows(path, "SELECT count(*) FROM _sync_outdated") == [(0,)]
