"""Micro-batches: what they read, and what happens to accounts that fail, are added or removed. No JVM runs here.

``read`` is called with a pickled copy of the reader, as on an executor.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxRows

from tests.destinations.content import check_content
from tests.spark.accounts import Accounts
from zendesk_chat.errors import ConfigError, ConnectorError, StateError, UnavailableError
from zendesk_chat.spark.accounts import find_accounts
from zendesk_chat.spark.options import parse_options
from zendesk_chat.spark.polling import LONGEST_TIMEOUT_SECONDS, Latest, _attempt
from zendesk_chat.spark.quota import quota_file
from zendesk_chat.spark.schema import schema_of
from zendesk_chat.spark.streaming import StreamReader
from zendesk_chat_sandbox import Fault

Json = dict[str, Any]
ALL = ReadAllAvailable()


class Query:
    """What Spark does with the reader, without Spark."""

    def __init__(self, accounts: Accounts, stream: str, **options: str) -> None:
        quota = str(accounts.folder / "quota")
        given = {"accounts": accounts.path, "stream": stream, "quota_folder": quota, "poll_seconds": "30", **options}
        self.options = parse_options(given)
        self.now = time.time()
        self.schema = schema_of(find_accounts(self.options, time.time()))
        self.reader = StreamReader(self.options, self.schema, lambda: self.now)
        self.offset: Json = self.reader.initialOffset()

    def next(self) -> list[Json]:
        """Run one micro-batch, and return its rows."""
        end = self.reader.latestOffset(self.offset, self.reader.getDefaultReadLimit())
        rows = self.between(self.offset, end)
        self.offset = end
        return rows

    def between(self, start: Json, end: Json) -> list[Json]:
        executor = StreamReader(self.options, self.schema)
        pickled = pickle.dumps(self.reader.partitions(start, end))
        return [row for partition in pickle.loads(pickled) for batch in executor.read(partition) for row in batch.to_pylist()]


def by_account(rows: list[Json]) -> dict[str, int]:
    return {name: sum(row["account"] == name for row in rows) for name in sorted({row["account"] for row in rows})}


def check(accounts: Accounts, stream: str, rows: list[Json]) -> None:
    for name, sandbox in accounts.sandboxes.items():
        check_content(sandbox, lambda _, name=name: [row for row in rows if row["account"] == name], [stream])  # type: ignore[misc]


def edit(accounts: Accounts, name: str = "a0") -> str:
    """Change the first chat of an account, and let an hour pass in all of them."""
    sandbox = accounts.sandboxes[name]
    identity = sandbox.account.chat_ids()[0]
    sandbox.account.edit_chat(identity, comment="edited")
    for one in accounts.sandboxes.values():
        one.clock.advance(3600)
    return identity


@pytest.mark.parametrize("stream", ["chats", "chat_events", "agent_timeline", "conversions"])
def test_the_first_micro_batch_has_everything_and_the_next_what_changed(accounts: Accounts, stream: str) -> None:
    query = Query(accounts, stream)
    check(accounts, stream, query.next())
    assert query.next() == []  # within poll_seconds, no account is asked again
    edited = edit(accounts)
    query.now += 30
    changed = query.next()
    expected = {"chats": {edited}, "chat_events": {edited}}.get(stream, set())
    assert {row["id" if stream == "chats" else "chat_id"] for row in changed} == expected


def test_a_micro_batch_can_be_repeated_exactly(accounts: Accounts) -> None:
    query = Query(accounts, "chats", days_per_batch="20")
    offsets, parts = [query.offset], []
    while rows := query.next():
        offsets.append(query.offset)
        parts.append(rows)
    assert len(parts) > 2
    assert [query.between(*pair) for pair in pairwise(offsets)] == parts
    check(accounts, "chats", [row for part in parts for row in part])
    edited = edit(accounts)
    again = [row for pair in pairwise(offsets) for row in query.between(*pair)]
    assert {row["id"] for part in parts for row in part} - {row["id"] for row in again} == {edited}
    query.now += 30
    assert {row["id"] for row in query.next()} >= {edited}


def test_days_per_batch_begins_with_the_first_record_and_limits_each_account(accounts: Accounts) -> None:
    query = Query(accounts, "chats", days_per_batch="20")
    assert isinstance(query.reader.getDefaultReadLimit(), ReadMaxRows)
    rows = query.next()
    for name, sandbox in accounts.sandboxes.items():
        times = sorted(
            datetime.fromisoformat(str(sandbox.account.chat(id_)["update_timestamp"])) for id_ in sandbox.account.chat_ids()
        )
        read = sorted(row["update_timestamp"] for row in rows if row["account"] == name)
        assert read == [at for at in times if (at - times[0]).total_seconds() < 20 * 86_400]
    everything = query.reader.latestOffset(query.reader.initialOffset(), ALL)
    check(accounts, "chats", query.between(query.reader.initialOffset(), everything))


def test_available_now_ends_at_what_was_there_first(accounts: Accounts) -> None:
    query = Query(accounts, "chats")
    query.reader.prepareForTriggerAvailableNow()
    query.next()
    end = query.offset
    edit(accounts)
    query.now += 3600
    assert query.next() == []
    assert query.offset == end


@pytest.mark.parametrize("token", ["wrong-token", "not a token", ""])
@pytest.mark.parametrize("stream", ["chats", "agents"])
def test_an_account_that_fails_keeps_its_state_and_the_log_names_it(
    accounts: Accounts, caplog: pytest.LogCaptureFixture, stream: str, token: str
) -> None:
    query = Query(accounts, stream)
    accounts.token_file("a1").write_text(token)
    assert set(by_account(query.next())) == {"a0", "a2"}
    (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith("a1 is not read this time: ")
    assert not token or token not in warning
    accounts.write()
    query.now += 30
    assert "a1" in by_account(query.next())


def test_if_all_accounts_fail_a_query_that_continues_waits_for_the_next_poll(
    accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    query = Query(accounts, "chats")
    for name in accounts.sandboxes:
        accounts.token_file(name).write_text("wrong-token")
    before = query.offset
    assert query.next() == []
    assert query.offset == before
    assert sorted(record.message[:2] for record in caplog.records) == ["a0", "a1", "a2"]
    accounts.write()
    query.now += 30
    check(accounts, "chats", query.next())


def test_available_now_reads_the_others_and_then_fails(accounts: Accounts) -> None:
    accounts.token_file("a1").write_text("wrong-token")
    query = Query(accounts, "chats", days_per_batch="20")
    query.reader.prepareForTriggerAvailableNow()
    rows: list[Json] = []
    with pytest.raises(ConnectorError) as raised:
        rows.extend(row for _ in range(100) for row in query.next())
    assert str(raised.value).startswith(
        "Accounts that were not read: 1 of 3. The others are complete. a1: Zendesk Chat rejected"
    )
    check_content(accounts.sandboxes["a2"], lambda _: [row for row in rows if row["account"] == "a2"], ["chats"])
    reported = query.reader.reportLatestOffset()
    assert reported["accounts"] == query.offset["accounts"]
    assert list(cast("Json", reported["failed"])) == ["a1"]


def refuse(accounts: Accounts, stream: str, after: int, status: int = 403) -> None:
    path = f"*/incremental/{stream}"
    accounts.sandboxes["a0"].inject(Fault(kind="status", status=status, path=path, after=after, times=None))


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("after", [1, 2])
def test_a_stream_that_is_refused_after_the_poll_fails_and_is_read_later(accounts: Accounts, after: int, status: int) -> None:
    accounts.write(["a0"])
    query = Query(accounts, "agent_events")
    refuse(accounts, "agent_events", after, status)
    with pytest.raises(UnavailableError):
        query.next()
    accounts.sandboxes["a0"].clear_faults()
    rows = query.next()
    check_content(accounts.sandboxes["a0"], lambda _: rows, ["agent_events"])


def test_an_account_that_lacks_a_stream_fails_no_query_unless_it_had_the_stream(accounts: Accounts) -> None:
    refuse(accounts, "agent_events", 0)
    query = Query(accounts, "agent_events")
    query.reader.prepareForTriggerAvailableNow()
    assert set(by_account(query.next())) == {"a1", "a2"}
    assert query.next() == []
    accounts.sandboxes["a0"].clear_faults()
    had = Query(accounts, "agent_events")
    had.next()
    edit(accounts)
    refuse(accounts, "agent_events", 0)
    had.reader.prepareForTriggerAvailableNow()
    had.next()
    with pytest.raises(ConnectorError, match="not read: 1 of 3"):
        had.next()


def days_ago(days: int) -> str:
    return datetime.fromtimestamp(time.time() - 86_400 * days, UTC).date().isoformat()


@pytest.mark.parametrize("top", [f"start_date = {days_ago(9)}", "lookback_minutes = 600", "end_date = 2021-01-01"])
def test_a_planned_micro_batch_is_read_with_the_times_with_which_it_was_planned(accounts: Accounts, top: str) -> None:
    query = Query(accounts, "chats")
    end = query.reader.latestOffset(query.offset, ALL)
    accounts.write(top=top)
    path = Path(accounts.path)
    if "start_date" in top:
        path.write_text(path.read_text().replace("start_date = 2020-01-01\n", ""))
    check(accounts, "chats", query.between(query.offset, end))


@pytest.mark.parametrize("change", [{"end_date": days_ago(5)}, {"lookback_minutes": "120"}, {}])
def test_an_earlier_start_date_reads_what_is_before_although_nothing_is_new(accounts: Accounts, change: dict[str, str]) -> None:
    ended = {key: value for key, value in change.items() if key == "end_date"}
    first = Query(accounts, "chats", start_date=days_ago(15), **ended)
    rows = first.next()
    query = Query(accounts, "chats", **change)
    query.offset = first.offset
    earlier = query.next()
    assert earlier
    assert not {row["id"] for row in rows} & {row["id"] for row in earlier}
    complete = Query(accounts, "chats", **ended).next()
    assert sorted(row["id"] for row in [*rows, *earlier]) == sorted(row["id"] for row in complete)
    query.now += 30
    assert query.next() == []


def test_a_state_that_is_later_than_zendesks_time_allows_is_reported_once(
    accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    accounts.write(["a0"])
    query = Query(accounts, "chats")
    accounts.sandboxes["a0"].clock.advance(7200)
    query.next()
    accounts.sandboxes["a0"].clock.advance(-7200)
    for _ in range(2):
        query.now += 30
        assert query.next() == []
    (warning,) = [record.message for record in caplog.records if "The checkpoint is at" in record.message]
    assert warning.startswith("a0: The checkpoint is at ")


@pytest.mark.parametrize("state", [{}, "x", None, 5, {"update_timestamp": "no time"}, {"nothing": 1}])
@pytest.mark.parametrize("stream", ["chats", "agents"])
def test_a_damaged_state_is_refused_with_the_name_of_its_account(accounts: Accounts, stream: str, state: object) -> None:
    query = Query(accounts, stream)
    with pytest.raises(StateError, match="The checkpoint has a damaged state of the account a0"):
        query.reader.latestOffset({**query.offset, "accounts": {"a0": state}}, ALL)


def test_a_redaction_that_changes_the_type_of_a_column_asks_for_a_restart(accounts: Accounts) -> None:
    query = Query(accounts, "chats")
    redact = 'redact = {hash_key = "0123456789abcdef", rules = [{field = "chats.duration", action = "hash"}]}'
    accounts.write(top=redact)
    with pytest.raises(ConfigError, match=r"a0: the column duration was .* Restart the query"):
        query.next()


def test_an_account_that_hangs_delays_a_poll_for_some_seconds_only(accounts: Accounts) -> None:
    (account, *_) = find_accounts(Query(accounts, "chats").options, time.time())
    result = _attempt(time.time(), account)
    assert isinstance(result, Latest)
    assert result.account.parsed.timeout == LONGEST_TIMEOUT_SECONDS


def test_lists_come_completely_each_time(accounts: Accounts) -> None:
    query = Query(accounts, "departments")
    first = query.next()
    check(accounts, "departments", first)
    assert query.next() == []
    query.now += 30
    assert by_account(query.next()) == by_account(first)


def test_new_accounts_begin_at_their_start_and_removed_ones_resume(accounts: Accounts) -> None:
    accounts.write(["a0", "a1"])
    query = Query(accounts, "chats")
    before = query.offset
    assert set(by_account(query.next())) == {"a0", "a1"}
    accounts.write(["a1", "a2"])
    query.now += 30
    assert set(by_account(query.next())) == {"a2"}
    with pytest.raises(ConfigError, match="has the account a0, which is not read any more"):
        query.between(before, query.offset)
    accounts.write()
    edited = edit(accounts, "a0")
    query.now += 30
    assert [(row["account"], row["id"]) for row in query.next()] == [("a0", edited)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stream": "agents"}, r"The checkpoint is of the stream agents, but option\(\"stream\"\) is chats"),
        ({"version": 2}, "written by a newer version"),
        ({"accounts": []}, "The checkpoint is not of this data source"),
    ],
)
def test_the_checkpoint_of_another_query_is_refused(accounts: Accounts, change: Mapping[str, Any], message: str) -> None:
    query = Query(accounts, "chats")
    with pytest.raises(StateError, match=message):
        query.reader.latestOffset({**query.offset, **change}, ALL)


def test_the_quota_is_shared_in_a_directory_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = quota_file(parse_options({"stream": "chats"}), "acme")
    assert path.name == "acme.sqlite"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert quota_file(parse_options({"stream": "chats"}), "acme") == path
    folder = path.parent
    for mode in (0o777, 0o750, 0o705):
        folder.chmod(mode)
        with pytest.raises(
            ConfigError, match=r"must be a directory of yours that only you can use .* Remove it, or set option"
        ):
            quota_file(parse_options({"stream": "chats"}), "acme")
    folder.rename(tmp_path / "elsewhere").chmod(0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="and no link"):
        quota_file(parse_options({"stream": "chats"}), "acme")
    (tmp_path / "zendesk-chat-quota-4711").mkdir(0o700)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    with pytest.raises(ConfigError, match="must be a directory of yours"):
        quota_file(parse_options({"stream": "chats"}), "acme")
