"""How SQL writes rows into a table. The caller begins and ends the transaction.

The rows are Arrow tables that DuckDB reads without a copy. Their keys are unique, or null if a key did not fit its column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from zendesk_chat.tables.sql import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from zendesk_chat.tables.table import StreamTable

_ROWS: Final = "_sync_rows"  # names in this connection only
_PARENTS: Final = "_sync_parents"


@dataclass(frozen=True, slots=True)
class Rows:
    """New rows of a table.

    Attributes:
        slices: Tables of ``arrow_schema(table)``, each small enough to be written at once.
        parents: The parents whose only children are these rows, in a column ``parent``; None if there are none.
        withdrawn: Keys of visitors that were on a page, but not on a later page with the same chat.
    """

    slices: Sequence[pa.Table]
    parents: pa.Table | None = None
    withdrawn: Sequence[str] = ()


NO_ROWS: Final = Rows(())


@dataclass(frozen=True, slots=True)
class Merger:
    """Writes rows into a table and replaces others.

    Attributes:
        target: The table's qualified name in SQL.
        outdated: The qualified name of the table with keys to forget when their rows are replaced; "" if there are none.
    """

    connection: duckdb.DuckDBPyConnection
    table: StreamTable
    target: str
    outdated: str = ""

    def append(self, rows: Rows) -> None:
        """Write rows that the table does not contain."""
        for rows_slice in rows.slices:
            with named(self.connection, _ROWS, rows_slice) as name:
                self._insert(name)

    def replace(self, rows: Rows) -> None:
        """Replace all rows of the table with these."""
        self.connection.execute(f"DELETE FROM {self.target}")
        self.append(rows)

    def upsert(self, rows: Rows) -> None:
        """Replace the rows with equal keys, and the children of the parents; of visitors, only those that are not later."""
        table = self.table
        if table.parent_field is not None and rows.parents is not None:
            with named(self.connection, _PARENTS, rows.parents) as parents:
                self._delete(f"{quoted(table.parent_field)} IN (SELECT parent FROM {parents})")
                self._forget(f"parent IN (SELECT parent FROM {parents})")
        for rows_slice in rows.slices:
            with named(self.connection, _ROWS, rows_slice) as name:
                older = table.latest_by and self._is_older_than(name, table.latest_by)
                self._delete(older or self._has_key_of(name))
                if self.outdated:  # of the rows just deleted
                    key = quoted(table.primary_key[0])
                    self._forget(f"key IN (SELECT {key}::VARCHAR FROM {name} ANTI JOIN {self.target} USING ({key}))")
                self._insert(name, f"WHERE {self._is_missing()}" if older else "")

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the rows with these keys."""
        if not keys:
            return
        import pyarrow as pa

        with named(self.connection, _ROWS, pa.table({"key": pa.array(keys, pa.string())})) as name:
            self._delete(f"{quoted(self.table.primary_key[0])} IN (SELECT key FROM {name})")
            self._forget(f"key IN (SELECT key FROM {name})")

    def publish(self, visible: str, outdated: str) -> None:
        """Replace all rows of the table ``visible`` with these, and drop this table."""
        self.connection.execute(f"DELETE FROM {visible}")
        self.connection.execute(f"INSERT INTO {visible} BY NAME SELECT * FROM {self.target}")
        self.connection.execute(f"DROP TABLE {self.target}")
        self.connection.execute(f"DELETE FROM {outdated} WHERE stream = '{self.table.name}'")

    def _insert(self, name: str, condition: str = "") -> None:
        self.connection.execute(f"INSERT INTO {self.target} BY NAME SELECT * FROM {name} AS new {condition}")

    def _delete(self, condition: str) -> None:
        self.connection.execute(f"DELETE FROM {self.target} AS old WHERE {condition}")

    def _forget(self, condition: str) -> None:
        if self.outdated:
            stream = self.table.name
            self.connection.execute(f"DELETE FROM {self.outdated} WHERE stream = '{stream}' AND {condition}")

    def _has_key_of(self, name: str) -> str:
        if len(self.table.primary_key) == 1:
            key = quoted(self.table.primary_key[0])
            return f"{key} IN (SELECT {key} FROM {name})"
        same = " AND ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in self.table.primary_key)
        return f"EXISTS (FROM {name} AS new WHERE {same})"

    def _is_older_than(self, name: str, latest_by: str) -> str:
        key, time = quoted(self.table.primary_key[0]), quoted(latest_by)
        return (
            f"{key} IN (SELECT new.{key} FROM {name} AS new JOIN {self.target} AS held ON held.{key} = new.{key} "
            f"WHERE held.{time} IS NULL OR held.{time} <= new.{time})"
        )

    def _is_missing(self) -> str:
        key = quoted(self.table.primary_key[0])
        return f"NOT EXISTS (FROM {self.target} AS held WHERE held.{key} = new.{key})"


@contextmanager
def named(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[str]:
    """Give rows a name in SQL: that of a temporary view, which no table in the file hides."""
    connection.register(name, rows)
    yield f"temp.main.{name}"
    connection.unregister(name)  # not after an error, when the transaction allows no statement; the next rows reuse the name
