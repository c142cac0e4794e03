"""The columns and indexes of the tables in SQLite, MySQL and MariaDB, which dlt loads through SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from dlt.destinations.impl.sqlalchemy.dialect import MysqlDialectCapabilities, SqliteDialectCapabilities
from dlt.destinations.impl.sqlalchemy.type_mapper import MysqlVariantTypeMapper, SqlalchemyTypeMapper
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.ext.compiler import compiles

from zendesk_chat.streams.registry import STREAMS

if TYPE_CHECKING:
    from dlt.common.destination.typing import PreparedTableSchema
    from dlt.common.schema.typing import TColumnSchema
    from sqlalchemy.dialects.mysql.base import MySQLTypeCompiler

_PREFIX: Final = 191
"""The characters of a string that an index in MySQL has: 4 bytes each, of at most 767 in every row format."""


class ExactText(LONGTEXT):
    """Strings of any length, which are equal only if all characters are: also those of four bytes and spaces at the end."""


@compiles(ExactText, "mysql", "mariadb")
def _exact_text(_type: ExactText, compiler: MySQLTypeCompiler, **_options: object) -> str:
    # In other binary collations, "a" and "a " are equal. Each of the two servers has one of its own.
    collation = "utf8mb4_nopad_bin" if compiler.dialect.is_mariadb else "utf8mb4_0900_bin"
    return f"LONGTEXT CHARACTER SET utf8mb4 COLLATE {collation}"


class SqliteTypes(SqlalchemyTypeMapper):
    """dlt's types for SQLite, except JSON."""

    def db_type_from_json_type(self, column: TColumnSchema, table: PreparedTableSchema) -> sa.types.TypeEngine[str]:
        """Return a type for strings: the values are JSON already, and SQLAlchemy's type would encode them again."""
        return sa.Text()


class MysqlTypes(MysqlVariantTypeMapper):
    """dlt's types for MySQL, with strings and JSON of any length."""

    def db_type_from_text_type(self, column: TColumnSchema, table: PreparedTableSchema) -> sa.types.TypeEngine[str]:
        """Return a type for any string: dlt's has at most 64 KB, in the character set of the database."""
        return ExactText()

    def db_type_from_json_type(self, column: TColumnSchema, table: PreparedTableSchema) -> sa.types.TypeEngine[str]:
        """Return a type for strings: the server's JSON refuses deep values and rounds long numbers."""
        return ExactText()


class SqliteTables(SqliteDialectCapabilities):
    """How dlt creates tables in SQLite."""

    def type_mapper_class(self) -> type[SqlalchemyTypeMapper]:
        """Return our types."""
        return SqliteTypes

    def adapt_table(self, table: sa.Table, table_schema: PreparedTableSchema) -> sa.Table:
        """Add the indexes."""
        return _indexed(table)


class MysqlTables(MysqlDialectCapabilities):
    """How dlt creates tables in MySQL and MariaDB."""

    def type_mapper_class(self) -> type[SqlalchemyTypeMapper]:
        """Return our types."""
        return MysqlTypes

    def adapt_table(self, table: sa.Table, table_schema: PreparedTableSchema) -> sa.Table:
        """Add the indexes."""
        return _indexed(table)


def _indexed(table: sa.Table) -> sa.Table:
    """Add an index for the key of a stream, and one for the chat of a nested record: merges compare them."""
    stream = STREAMS.get(table.name)
    names = [*stream.primary_key, stream.parent_field] if stream else []
    present = {index.name for index in table.indexes}
    for name in filter(None, names):
        index = f"zendesk_chat_{table.name}_{name}"
        if name in table.columns and index not in present:
            column = table.columns[name]
            sa.Index(index, column, mysql_length=_PREFIX if isinstance(column.type, ExactText) else None)
    return table
