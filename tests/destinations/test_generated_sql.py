"""Destinations without a server for the tests: the credentials come from the URL, and all SQL for our tables is valid.

sqlglot parses the SQL in the dialect of the destination. Nothing connects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import pytest
import sqlglot
from dlt.common.schema.typing import TTableSchema
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_jobs import SqlMergeFollowupJob, SqlStagingReplaceFollowupJob
from dlt.extract import DltResource

from zendesk_chat.load.warehouse.address import parse_address
from zendesk_chat.load.warehouse.drivers import missing_modules
from zendesk_chat.load.warehouse.opening import _destination
from zendesk_chat.load.warehouse.surroundings import our_settings
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.merging import merge, table_hints
from zendesk_chat.tables.table import StreamTable

URLS = [
    "redshift://loader:secret@127.0.0.1:9/support",
    "snowflake://loader:secret@account/support?warehouse=loading",
    "bigquery://project/support",
    "databricks://token:secret@127.0.0.1/support?http_path=/sql/1.0/warehouses/1",
    "motherduck:support?motherduck_token=secret",
]
MERGED, REPLACED = ("chats", "chat_events", "visitors", "agent_timeline"), ("departments", "roles")
SERVICE_ACCOUNT = {"project_id": "p", "client_email": "loader@p.iam.gserviceaccount.com", "private_key": "secret"}


@pytest.fixture(autouse=True)
def service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__BIGQUERY__CREDENTIALS", json.dumps(SERVICE_ACCOUNT))


@contextmanager
def prepared(url: str, folder: Path) -> Iterator[tuple[Any, dict[str, TTableSchema]]]:
    """dlt's client of a destination, and the tables as it would create them."""
    address = parse_address(url)
    if missing_modules(address.kind):
        pytest.skip(f"the driver of {address.kind.title} is not installed")
    with our_settings():
        dataset = address.dataset or address.kind.dataset
        pipeline = dlt.pipeline("zendesk_chat", str(folder), destination=_destination(address), dataset_name=dataset)
        resources = [resource(StreamTable.of(STREAMS[name]), pipeline) for name in (*MERGED, *REPLACED)]
        pipeline.extract(resources, schema=dlt.Schema("zendesk_chat"))
        pipeline.normalize()
        client = pipeline.destination_client()
        assert isinstance(client, SqlJobClientBase)
        schema = pipeline.default_schema
        yield client, {name: client.prepare_load_table(name) for name in schema.tables}  # type: ignore[misc]  # prepared


def resource(table: StreamTable, pipeline: dlt.Pipeline) -> DltResource:
    merging = merge(table, pipeline.sql_client().make_qualified_table_name)
    hints = table_hints(table, "replace" if table.name in REPLACED else merging)
    return DltResource.from_data([arrow_schema(table).empty_table()], table.name, "zendesk_chat", hints)


@pytest.mark.parametrize("url", URLS, ids=lambda url: url.partition(":")[0])
def test_all_statements_are_valid(url: str, tmp_path: Path) -> None:
    with prepared(url, tmp_path) as (client, tables):
        dialect = client.capabilities.sqlglot_dialect
        for name in MERGED:
            merging = SqlMergeFollowupJob.generate_sql([tables[name]], client.sql_client)  # type: ignore[list-item]
            assert all(sqlglot.parse(statement, dialect=dialect) for statement in merging)
            text = "\n".join(merging).lower()
            assert "delete from" in text
            assert "insert into" in text
            assert ("last_chat_timestamp" in text.partition("insert into")[0]) == (name == "visitors")
        for name in REPLACED:
            replacing = SqlStagingReplaceFollowupJob.generate_sql([tables[name]], client.sql_client)  # type: ignore[list-item]
            assert all(sqlglot.parse(statement, dialect=dialect) for statement in replacing)
            assert "insert into" in "\n".join(replacing).lower()
        for name in (*MERGED, *REPLACED):
            creating = client._get_table_update_sql(name, list(tables[name]["columns"].values()), generate_alter=False)  # noqa: SLF001
            assert all(sqlglot.parse(statement, dialect=dialect) for statement in creating)
            assert "create table" in "\n".join(creating).lower()


def test_the_parts_of_a_url_become_credentials(tmp_path: Path) -> None:
    with prepared(URLS[0], tmp_path / "redshift") as (client, _tables):
        assert client.config.credentials.to_native_representation().startswith("postgresql://loader:secret@127.0.0.1:9/support")
    with prepared(URLS[1], tmp_path / "snowflake") as (client, _tables):
        credentials = client.config.credentials
        assert (credentials.host, credentials.database, credentials.username, credentials.warehouse) == (
            "account",
            "support",
            "loader",
            "loading",
        )
    with prepared(URLS[2] + "?location=EU", tmp_path / "bigquery") as (client, _tables):
        assert (client.config.project_id, client.config.location) == ("project", "EU")
        assert client.sql_client.fully_qualified_dataset_name() == "`project`.`support`"
        assert client.config.credentials.client_email == SERVICE_ACCOUNT["client_email"]
    with prepared(URLS[3], tmp_path / "databricks") as (client, _tables):
        credentials = client.config.credentials
        assert (credentials.server_hostname, credentials.catalog, credentials.access_token) == (
            "127.0.0.1",
            "support",
            "secret",
        )
        assert credentials.http_path == "/sql/1.0/warehouses/1"
    with prepared(URLS[4], tmp_path / "motherduck") as (client, _tables):
        assert (client.config.credentials.database, client.config.credentials.password) == ("support", "secret")
