"""The destinations that dlt loads, in one table: what a URL names, how rows are written, and what was tested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Strategy: TypeAlias = Literal["delete-insert", "table-merge", "append"]
"""How rows replace older ones.

``delete-insert``: by SQL. An edited chat loses the rows that it no longer has.
``table-merge``: by the key, in one commit of the table.
``append``: rows are only added. A view has to choose the latest ones.
"""
LockKind: TypeAlias = Literal["advisory", "named", "file", "folder", "catalog", "rows"]
"""How a second sync into the same schema is kept out."""
FileFormat: TypeAlias = Literal["csv", "parquet"]
TableFormat: TypeAlias = Literal["parquet", "delta", "iceberg"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of destination.

    Attributes:
        name: Its name in commands.
        title: Its name for people.
        schemes: Of its URLs. The first one is in examples.
        driver: The name of dlt's destination.
        extras: The extras of this package that install its driver. ``STORAGES`` adds one for a bucket.
        modules: The modules of the driver.
        example: A URL.
        strategy: How rows replace older ones.
        atomic: Whether a table changes in one transaction, so that a reader never sees a part of a change.
        lock: How a second sync is kept out.
        file_format: Of the files that dlt loads; None for dlt's own choice.
        table_format: Of the tables, if they are files. ``?format=`` selects it.
        dataset: The schema of the tables, if neither the user nor the URL names one.
        in_url: Whether the path of the URL ends with the schema, which is called a dataset or a database there.
        secrets: Where a password or a key may be, if the URL has none. The first one is in messages.
        tested: What the tests of this project load into; "" if nothing could be run.
        notes: What else a user should know, a sentence each.
    """

    name: str
    title: str
    schemes: tuple[str, ...]
    driver: str
    extras: tuple[str, ...]
    modules: tuple[str, ...]
    example: str
    strategy: Strategy = "delete-insert"
    atomic: bool = True
    lock: LockKind = "rows"
    file_format: FileFormat | None = "parquet"
    table_format: TableFormat | None = None
    dataset: str = "zendesk_chat"
    in_url: bool = False
    secrets: tuple[str, ...] = ()
    tested: str = ""
    notes: tuple[str, ...] = ()


STORAGES: Final[dict[str, str]] = {"file": "", "s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfss": "az"}
"""The extra that each scheme of files needs; "" for none."""
_OF_SNOWFLAKE: Final = "DESTINATION__SNOWFLAKE__CREDENTIALS"
_FILES: Final = tuple(STORAGES)

KINDS: Final = (
    Kind(
        "postgres",
        "Postgres",
        ("postgres", "postgresql"),
        "postgres",
        ("postgres",),
        ("psycopg2",),
        "postgres://USER@HOST/DATABASE",
        lock="advisory",
        file_format="csv",
        tested="PostgreSQL 15",
        secrets=("PGPASSWORD", "~/.pgpass", "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD"),
    ),
    Kind(
        "redshift",
        "Redshift",
        ("redshift",),
        "redshift",
        ("redshift",),
        ("psycopg2",),
        "redshift://USER@HOST:5439/DATABASE",
        file_format=None,
        secrets=("DESTINATION__REDSHIFT__CREDENTIALS__PASSWORD", "PGPASSWORD", "~/.pgpass"),
    ),
    Kind(
        "snowflake",
        "Snowflake",
        ("snowflake",),
        "snowflake",
        ("snowflake",),
        ("snowflake.connector",),
        "snowflake://USER@ACCOUNT/DATABASE?warehouse=WAREHOUSE",
        secrets=(
            f"{_OF_SNOWFLAKE}__PASSWORD",
            f"{_OF_SNOWFLAKE}__PRIVATE_KEY_PATH with {_OF_SNOWFLAKE}__PRIVATE_KEY_PASSPHRASE",
            f"{_OF_SNOWFLAKE}__PRIVATE_KEY",
            f"{_OF_SNOWFLAKE}__TOKEN with {_OF_SNOWFLAKE}__AUTHENTICATOR=oauth",
        ),
    ),
    Kind(
        "mssql",
        "SQL Server",
        ("mssql",),
        "mssql",
        ("mssql",),
        ("pyodbc",),
        "mssql://USER@HOST/DATABASE",
        file_format=None,
        secrets=("DESTINATION__MSSQL__CREDENTIALS__PASSWORD",),
        notes=("It needs Microsoft's ODBC driver 18 on the machine.", "JSON is a string, for JSON_VALUE."),
    ),
    Kind(
        "bigquery",
        "BigQuery",
        ("bigquery",),
        "bigquery",
        ("bigquery",),
        ("google.cloud.bigquery",),
        "bigquery://PROJECT/DATASET",
        atomic=False,
        in_url=True,
        secrets=(
            "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's JSON file",
            "DESTINATION__BIGQUERY__CREDENTIALS, the content of such a file",
            "the default credentials of the machine, as after `gcloud auth application-default login`",
        ),
        notes=("The location is US, unless the URL names another one: bigquery://PROJECT/DATASET?location=EU.",),
    ),
    Kind(
        "databricks",
        "Databricks",
        ("databricks",),
        "databricks",
        ("databricks",),
        ("databricks.sql", "databricks.sdk"),
        "databricks://HOST/CATALOG?http_path=/sql/1.0/warehouses/ID",
        atomic=False,
        secrets=(
            "DESTINATION__DATABRICKS__CREDENTIALS__ACCESS_TOKEN",
            "DESTINATION__DATABRICKS__CREDENTIALS__CLIENT_ID and DESTINATION__DATABRICKS__CREDENTIALS__CLIENT_SECRET",
        ),
        notes=("A URL with a token is databricks://token:TOKEN@HOST/CATALOG?http_path=PATH.",),
    ),
    Kind(
        "clickhouse",
        "ClickHouse",
        ("clickhouse",),
        "clickhouse",
        ("clickhouse",),
        ("clickhouse_connect", "clickhouse_driver"),
        "clickhouse://USER@HOST/DATABASE",
        atomic=False,
        secrets=("DESTINATION__CLICKHOUSE__CREDENTIALS__PASSWORD",),
        tested="ClickHouse's engine 26.9 in one process (chDB), without the protocols of a server",
        notes=(
            "ClickHouse has no schemas: the tables are zendesk_chat___chats and so on, in the database of the URL.",
            "Add ?secure=0 for a server without TLS, and ?http_port= if HTTP has an unusual port: it receives the rows.",
            "A full refresh and a changed list replace a table at once, with EXCHANGE TABLES.",
            "While rows are merged, a reader may miss those that are replaced. After a kill, the next sync loads them again.",
        ),
    ),
    Kind(
        "motherduck",
        "MotherDuck",
        ("motherduck", "md"),
        "motherduck",
        ("motherduck",),
        ("duckdb",),
        "motherduck:DATABASE",
        secrets=("MOTHERDUCK_TOKEN", "DESTINATION__MOTHERDUCK__CREDENTIALS__PASSWORD"),
        notes=(
            "It is loaded by dlt, not as a DuckDB file is: there are no views, and no `status`.",
            "DuckDB downloads its extension motherduck when it needs it for the first time.",
        ),
    ),
    Kind(
        "ducklake",
        "DuckLake",
        ("ducklake",),
        "ducklake",
        ("ducklake",),
        ("duckdb",),
        "ducklake:lake.ducklake",
        lock="catalog",
        tested="DuckLake in DuckDB 1.4.4",
        secrets=(
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG__PASSWORD, if the catalog is a database on a server",
            "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__CREDENTIALS__..., as for files, if the data is in a bucket",
        ),
        notes=(
            "The catalog is a DuckDB file, or an SQLite file if its name ends with .sqlite.",
            "The data is next to the catalog, unless the URL names a folder: ducklake:lake.ducklake?data=s3://BUCKET/PREFIX.",
            "The catalog may be a database: ducklake:postgres://USER@HOST/DATABASE?data=s3://BUCKET/PREFIX.",
            "DuckDB downloads its extension ducklake when it needs it for the first time.",
        ),
    ),
    Kind(
        "mysql",
        "MySQL and MariaDB",
        ("mysql", "mariadb"),
        "sqlalchemy",
        ("mysql",),
        ("sqlalchemy", "pymysql"),
        "mysql://USER@HOST/DATABASE",
        lock="named",
        in_url=True,
        secrets=("DESTINATION__SQLALCHEMY__CREDENTIALS__PASSWORD",),
        tested="MariaDB 10.11",
        notes=(
            "The tables are in the database of the URL. Rows wait in DATABASE_staging: the user needs all rights on both.",
            "MariaDB 10.2 or MySQL 8.0.17 are the oldest versions with the collation of the strings.",
            "Strings and JSON are LONGTEXT with a binary collation of utf8mb4, and times are UTC.",
        ),
    ),
    Kind(
        "sqlite",
        "SQLite",
        ("sqlite",),
        "sqlalchemy",
        ("sqlite",),
        ("sqlalchemy",),
        "sqlite:///chats.sqlite",
        lock="file",
        dataset="main",
        tested="SQLite 3.40",
        notes=(
            "The tables are in the file itself, without a schema. Use a file for each account.",
            "Times are strings in UTC, such as 2026-01-01 09:30:00.000000, and JSON is a string, for json_extract.",
        ),
    ),
    Kind(
        "parquet",
        "Parquet files",
        _FILES,
        "filesystem",
        (),
        ("pyarrow",),
        "file:///data/chats",
        strategy="append",
        atomic=False,
        lock="folder",
        table_format="parquet",
        tested="a local folder, and S3 (moto)",
        notes=(
            "The files contain earlier versions of rows too. The views in views.sql, for DuckDB, show the latest ones.",
            "The lock of a killed sync into a bucket ends after a minute.",
        ),
    ),
    Kind(
        "delta",
        "Delta Lake",
        _FILES,
        "filesystem",
        ("delta",),
        ("deltalake",),
        "s3://BUCKET/PREFIX?format=delta",
        strategy="table-merge",
        lock="folder",
        table_format="delta",
        tested="a local folder, and S3 (moto)",
        notes=(
            "A table of more than 100 files is compacted. To delete the files of earlier versions, vacuum it.",
            "The lock of a killed sync into a bucket ends after a minute.",
        ),
    ),
    Kind(
        "iceberg",
        "Iceberg",
        _FILES,
        "filesystem",
        ("iceberg",),
        ("pyiceberg",),
        "s3://BUCKET/PREFIX?format=iceberg",
        strategy="table-merge",
        lock="folder",
        table_format="iceberg",
        tested="a local folder, and S3 (moto)",
        notes=(
            "The catalog is the one that pyiceberg's configuration names default, or catalog.sqlite in a local folder.",
            "A bucket without a catalog is read by the latest metadata of each table.",
            "The lock of a killed sync into a bucket ends after a minute.",
        ),
    ),
)

SCHEMES: Final = frozenset(scheme for kind in KINDS for scheme in kind.schemes)
FORMATS: Final[dict[str, Kind]] = {kind.table_format: kind for kind in KINDS if kind.table_format is not None}
"""The kinds whose tables are files, by the value of ``?format=``."""
_BY_SCHEME: Final = {scheme: kind for kind in KINDS if kind.table_format is None for scheme in kind.schemes}


def kind_of(scheme: str, table_format: str = "") -> Kind:
    """Return the kind of a URL with this scheme. Files are Parquet, unless the URL names another format."""
    return _BY_SCHEME.get(scheme) or FORMATS[table_format or "parquet"]
