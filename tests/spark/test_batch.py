"""Batch reads in executors that are processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.errors import PySparkException

from tests.destinations.content import check_content
from tests.spark.accounts import HASH_KEY, Accounts
from tests.spark.conftest import Load
from zendesk_chat.spark import register
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Fault

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PUSHDOWN = "spark.sql.python.filterPushdown.enabled"
pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def rows_of(frame: Any, account: str) -> list[dict[str, Any]]:
    rows = frame.where(f"account = '{account}'").toArrow().to_pylist()
    return [{name: value for name, value in row.items() if name != "account"} for row in rows]


@pytest.mark.parametrize("stream", ["chats", "chat_events", "visitors", "agent_timeline", "agents"])
def test_every_row_and_column_is_that_of_the_account(accounts: Accounts, load: Load, stream: str) -> None:
    frame = load(stream).cache()
    assert frame.columns[:2] == ["account", next(iter(STREAMS[stream].schema.properties))]
    for name, sandbox in accounts.sandboxes.items():
        check_content(sandbox, lambda _, name=name: rows_of(frame, name), [stream])  # type: ignore[misc]
    frame.unpersist()


def test_types_are_those_that_sync_loads(load: Load) -> None:
    types = dict(load("chats").dtypes)
    assert (types["account"], types["update_timestamp"], types["missed"], types["duration"], types["zendesk_ticket_id"]) == (
        "string",
        "timestamp",
        "boolean",
        "double",
        "bigint",
    )
    assert types["history"] == types["_extra"] == types["_unparsed"] == "string"


def test_a_chat_that_changes_during_the_read_comes_once(accounts: Accounts, load: Load) -> None:
    sandbox = accounts.sandboxes["a0"]
    sandbox.inject(Fault(kind="latency", seconds=1.0, after=1, times=2, path="*chats*"))
    frame = load("chats", only="a0").select("id", "comment")
    rows = [row.asDict() for row in frame.collect()]
    assert sorted(row["id"] for row in rows) == sorted(sandbox.account.chat_ids())


@pytest.fixture
def pushing(spark: SparkSession) -> Iterator[None]:
    """A session that pushes filters down."""
    register(spark, push_filters=True)
    yield
    spark.conf.unset(PUSHDOWN)
    register(spark)


@pytest.mark.usefixtures("pushing")
def test_filters_on_accounts_and_times_save_requests_in_a_query_with_its_own_load(accounts: Accounts, load: Load) -> None:
    times = sorted(row["update_timestamp"] for row in rows_of(load("chats"), "a1"))
    accounts.clear_requests()
    after = times[-4].strftime("%Y-%m-%d %H:%M:%S.%f")
    some = load("chats").where(f"account IN ('a1', 'nobody') AND update_timestamp > timestamp '{after}'").collect()
    assert sorted(row["update_timestamp"].replace(tzinfo=UTC) for row in some) == times[-3:]
    assert (accounts.requests()["a0"], accounts.requests()["a2"]) == (0, 0)
    (first, *_) = accounts.sandboxes["a1"].requests
    assert int(first.query["start_time"]) == int(times[-4].timestamp())
    accounts.clear_requests()
    assert load("chats").where("account = 'nobody'").count() == 0
    assert load("chats").where("update_timestamp < timestamp '2001-01-01'").count() == 0
    assert accounts.requests() == {"a0": 0, "a1": 0, "a2": 0}
    until_the_end = f"update_timestamp BETWEEN timestamp '{after}' AND timestamp '9999-12-31 23:59:59'"
    assert load("chats").where(f"account = 'a1' AND {until_the_end}").count() == 4
    assert load("chats").where("update_timestamp BETWEEN '9999-01-01' AND '9999-12-31 23:59:59'").count() == 0


def test_a_frame_and_a_view_have_all_rows_after_a_query_with_a_filter(
    spark: SparkSession, accounts: Accounts, load: Load
) -> None:
    frame = load("departments")
    frame.createOrReplaceTempView("all_departments")
    assert frame.where("account = 'a1'").count() == 8
    assert frame.count() == 24
    assert frame.where("account = 'a0'").union(frame.where("account = 'a2'")).select("account").distinct().count() == 2
    shares = (
        "SELECT count(*) AS some, (SELECT count(*) FROM all_departments) AS total FROM all_departments WHERE account = 'a1'"
    )
    assert [row.asDict() for row in spark.sql(shares).collect()] == [{"some": 8, "total": 24}]


def test_filters_are_pushed_down_as_in_the_session_unless_register_overrides_it(
    spark: SparkSession, accounts: Accounts, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        for enabled, push_filters, pushed in (("true", None, True), ("false", None, False), ("true", False, False)):
            spark.conf.set(PUSHDOWN, enabled)
            register(spark, push_filters=push_filters)
            accounts.clear_requests()
            assert load("departments").where("account = 'a1'").count() == 8
            assert (accounts.requests()["a0"] == 0) == pushed
        (warning,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
        assert "Call load() for each query" in warning
    finally:
        spark.conf.unset(PUSHDOWN)
        register(spark)


def test_a_stream_that_a_plan_lacks_has_no_rows_and_one_that_the_file_omits_no_partition(
    accounts: Accounts, load: Load
) -> None:
    accounts.sandboxes["a0"].switch(unavailable={"incremental/conversions": 403})
    accounts.write(a1='exclude = ["conversions"]')
    accounts.clear_requests()
    frame = load("conversions")
    assert {row["account"] for row in frame.collect()} == {"a2"}
    assert accounts.requests()["a1"] == 0


def test_a_refused_token_fails_the_query_and_the_message_names_the_account(accounts: Accounts, load: Load) -> None:
    accounts.token_file("a1").write_text("wrong-token")
    with pytest.raises(PySparkException, match=r"(?s)The account is a1\.") as raised:
        load("departments").collect()
    assert "wrong-token" not in str(raised.value)


def test_redaction_hashes_where_the_key_is(accounts: Accounts, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = f'[redact]\nhash_key = "{HASH_KEY}"\nrules = [{{ field = "agents.email", action = "hash" }}]'
    accounts.write(["a0"], top=rule)
    emails = {row["email"] for row in load("agents").collect()}
    known = {agent["email"] for agent in accounts.sandboxes["a0"].account.lists["agents"].values()}
    assert len(emails) == len(known)
    assert emails.isdisjoint(known)


def test_a_view_in_sql_and_one_account(spark: SparkSession, accounts: Accounts, tmp_path: Path) -> None:
    sandbox = accounts.sandboxes["a2"]
    spark.sql(
        f"CREATE OR REPLACE TEMPORARY VIEW departments USING zendesk_chat OPTIONS (stream 'departments', subdomain 'acme', "
        f"api_url '{sandbox.url}', token_file '{accounts.token_file('a2')}', quota_folder '{tmp_path / 'quota'}')"
    )
    found = spark.sql("SELECT account, count(*) AS rows FROM departments GROUP BY account").collect()
    assert [row.asDict() for row in found] == [{"account": "acme", "rows": 8}]


def test_files_that_spark_distributes_are_found(spark: SparkSession, accounts: Accounts, load: Load) -> None:
    file = Path(accounts.path).rename(accounts.folder / "distributed.toml")
    for path in (file, *map(accounts.token_file, accounts.sandboxes)):  # the session keeps them: they need names of their own
        spark.sparkContext.addFile(str(path))
    assert load("departments", accounts="/nowhere/distributed.toml").count() == 24


def test_rows_of_parents_come_first_and_name_each_chat(accounts: Accounts, load: Load) -> None:
    rows = load("chat_events", only="a0", parents="true").select("id", "chat_id", "account").collect()
    named = [row["chat_id"] for row in rows if row["id"] is None]
    assert sorted(named) == sorted(accounts.sandboxes["a0"].account.chat_ids())
    assert {row["chat_id"] for row in rows if row["id"] is not None} <= set(named)
    assert {row["account"] for row in rows} == {"a0"}


def test_the_schema_of_a_user_selects_columns(spark: SparkSession, accounts: Accounts, tmp_path: Path) -> None:
    reader = spark.read.format("zendesk_chat").options(
        stream="departments", accounts=accounts.path, quota_folder=str(tmp_path / "quota")
    )
    assert reader.schema("name string, account string").load().columns == ["name", "account"]
    assert len(reader.schema("name string, account string").load().distinct().collect()) == 24
    with pytest.raises(PySparkException, match="there is no column nam"):
        reader.schema("nam string").load().collect()
