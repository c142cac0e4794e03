"""URLs of destinations: their parts, a sentence for each mistake, and no password in any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.warehouse.address import Address, parse_address


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgress://u:secret@h/d", "--to: postgress:// is not supported. Did you mean postgres://? "),
        ("postgresql+psycopg2://u:secret@h/d", "Did you mean postgresql://? "),
        ("postgres:/u:secret@h/d", "--to: write two slashes after postgres:. Example: postgres://USER@HOST/DATABASE."),
        ("postgres://u:secret@/d", "--to: the URL names no host. "),
        ("postgres://u:secret@h", "--to: the URL names no database. "),
        ("postgres://u:secret@h/d/s", "Name the schema with --schema. "),
        ("postgres://u:@h/d", "--to: the password is empty. "),
        ("postgres://u:sec/ret@h/d", "/ as %2F"),
        ("postgres://u:12/sec@h", "--to: the URL contains more than one @, or a / before it. "),
        ("postgres://u:secret@h/d?schema=Support", "--to: the URL cannot name a schema. Name it with --schema, and remove"),
        ("jdbc:postgresql://h/d?password=secret", "--to: JDBC URLs are not supported. Write postgresql://USER@HOST/DATABASE."),
        ("jdbc:sqlserver://h;password=secret", "Write mssql://USER@HOST/DATABASE."),
        ("jdbc:oracle:thin:secret@h", "--to: JDBC URLs are not supported. Use the path of a DuckDB file"),
        ("postgres://u:sec#ret@h/d", "# as %23"),
        ("postgres://u:sec@ret@h/d", "more than one @, "),
        ("postgres://u:secret@h:5432x/d", "--to: the host or the port is not valid. "),
        ("postgres://u:secret@h/d?format=csv", "--to: ?format= is for files"),
        ("postgres://u:secret @h/d", "--to: the URL contains a space. "),
        ("s3:/bucket", "--to: write two slashes after s3:. Example: s3://BUCKET/PREFIX."),
        ("s3://", "--to: the URL names no bucket. "),
        ("s3://bucket?format=orc", "--to: ?format=orc is unknown. Use one of parquet, delta, iceberg. "),
        ("s3://bucket?frmat=delta", "--to: the parameter frmat is unknown. "),
        ("s3://AKIA:secret@bucket/x", "and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Example: s3://BUCKET"),
        ("s3://AKIA@bucket/x", "--to: the URL contains keys. Remove what is before the @"),
        ("gs://key:secret@bucket/x", "and set GOOGLE_APPLICATION_CREDENTIALS, "),
        ("az://key:secret@container/x", "--to: the URL contains keys. "),
        ("abfss://key:secret@container/x", "--to: the URL contains keys. "),
        ("file:///data/a[1]?format=delta", "--to: the path contains [. Choose a path without *, ?, [ and ]. "),
        ("file:///data/star*/chats?format=iceberg", "--to: the path contains *. "),
        ("file:///data/a%3Fb", "--to: the path contains ?. "),
        ("s3://bucket/a]", "--to: the path contains ]. "),
        ("file://data", "--to: write the absolute path of a folder after three slashes. "),
        ("sqlite://chats.sqlite", "--to: write the path of a file after three slashes. "),
        ("bigquery://project", "--to: the URL names no dataset. Example: bigquery://PROJECT/DATASET."),
        ("databricks://h?http_path=x", "--to: the URL names no catalog. "),
        ("md:", "--to: the URL names no database. "),
        ("ducklake:", "--to: the URL names no file. "),
    ],
)
def test_a_mistake_gets_a_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        duckdb_path(url)
    assert sentence in str(caught.value)
    assert "sec" not in str(caught.value).replace("secrets", "")


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("POSTGRES://u:secret@h/d", "postgres", "the database d on h"),
        ("postgres://u@/d?host=/run/postgresql", "postgres", "the database d on /run/postgresql"),
        ("md:chats?motherduck_token=secret", "motherduck", "the MotherDuck database chats"),
        ("bigquery://acme-1/chats", "bigquery", "the dataset chats on acme-1"),
        ("databricks://token:secret@h/main?http_path=/x", "databricks", "the catalog main on h"),
        ("s3://bucket/x", "parquet", "the bucket s3://bucket/x"),
        ("abfss://container@account.dfs.core.windows.net/x", "parquet", None),
        ("file:///data/my chats?format=delta", "delta", "the folder file:///data/my chats"),
        ("sqlite:////data/my chats.sqlite", "sqlite", "the SQLite file /data/my chats.sqlite"),
        ("ducklake:lake.ducklake", "ducklake", "the DuckLake lake.ducklake"),
        ("ducklake:postgres://u:secret@h/d?data=s3://b/p", "ducklake", "the DuckLake"),
    ],
)
def test_the_parts_of_a_url(url: str, kind: str, shown: str | None) -> None:
    address = parse_address(url)
    assert address.kind.name == kind
    assert shown in (None, address.shown)
    assert [text for text in ("secret@", "=secret") if text in address.shown + repr(address)] == []


def test_a_folder_that_sync_loaded_needs_its_url(tmp_path: Path) -> None:
    (tmp_path / "zendesk_chat" / "_dlt_pipeline_state").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        duckdb_path(str(tmp_path))
    assert "`sync` has loaded files into this directory. Use the same URL as before, such as file:///" in str(caught.value)


def test_a_schema_may_be_named_only_once() -> None:
    assert parse_address("bigquery://project/support").dataset == "support"
    assert parse_address("bigquery://project", "support").dataset == ""
    with pytest.raises(ConfigError, match=r"^--to names the dataset support already\. Remove --schema\.$"):
        parse_address("bigquery://project/support", "other")


@pytest.mark.parametrize("schema", ["My-Schema", "chats2026", "Kundenchats_Ä"])
def test_a_schema_keeps_its_name(schema: str) -> None:
    assert isinstance(parse_address("postgres://u@h/d", schema), Address)


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("my schema", "such as my_schema."),
        ("../../etc", "such as etc."),
        ('a"; DROP', "such as a_DROP."),
        ("x" * 60, "at most 55 characters"),
        ("acme_staging", "`sync` uses names that end with _staging for its own tables"),
    ],
)
def test_a_schema_that_cannot_keep_its_name_is_refused(schema: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address("file:///data/chats", schema)
    assert sentence in str(caught.value)
