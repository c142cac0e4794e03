"""The destinations that dlt loads, in one table: what a URL names, how rows are written, and what is guaranteed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Strategy: TypeAlias = Literal["delete-insert", "table-merge", "append"]
"""How rows replace older ones.

``delete-insert``: by SQL in one transaction of the destination; an edited chat loses the rows that it no longer has.
``table-merge``: by the key, in one commit of the table.
``append``: rows are only added. A view has to choose the latest ones.
"""
LockKind: TypeAlias = Literal["advisory", "none"]
"""How a second sync into the same schema is kept out."""
FileFormat: TypeAlias = Literal["csv", "parquet"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of destination.

    Attributes:
        title: Its name for people.
        schemes: Of its URLs.
        driver: The name of dlt's destination.
        extra: The extra of this package that installs its driver.
        example: A URL.
        strategy: How rows replace older ones.
        lock: How a second sync is kept out.
        file_format: Of the files that dlt loads; None for dlt's own choice.
    """

    title: str
    schemes: tuple[str, ...]
    driver: str
    extra: str
    example: str
    strategy: Strategy = "delete-insert"
    lock: LockKind = "none"
    file_format: FileFormat | None = "parquet"


KINDS: Final = (
    Kind(
        "Postgres",
        ("postgres", "postgresql"),
        "postgres",
        "postgres",
        "postgres://USER:PASSWORD@HOST/DATABASE",
        lock="advisory",
        file_format="csv",
    ),
    Kind("Redshift", ("redshift",), "redshift", "redshift", "redshift://USER:PASSWORD@HOST:5439/DATABASE", file_format=None),
    Kind("Snowflake", ("snowflake",), "snowflake", "snowflake", "snowflake://USER:PASSWORD@ACCOUNT/DATABASE"),
    Kind("SQL Server", ("mssql",), "mssql", "mssql", "mssql://USER:PASSWORD@HOST/DATABASE", file_format=None),
)

SCHEMES: Final = {scheme: kind for kind in KINDS for scheme in kind.schemes}
