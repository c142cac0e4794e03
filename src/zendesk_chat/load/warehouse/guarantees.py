"""What each destination guarantees, in sentences: written from the table of destinations, for the command and the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zendesk_chat.load.warehouse.kinds import Kind

_TWO_SYNCS: Final = "A second sync ends with exit code 1, or waits with --wait SECONDS."


@dataclass(frozen=True, slots=True)
class Guarantees:
    """What a destination guarantees.

    Attributes:
        summary: All of it in a few words.
        rows: How rows replace older ones.
        reading: What a query sees during a sync.
        killed: What a sync leaves that was killed.
        full_refresh: When ``--full-refresh`` becomes visible.
        two_syncs: What happens if two syncs load into the same schema.
    """

    summary: str
    rows: str
    reading: str
    killed: str
    full_refresh: str
    two_syncs: str


DUCKDB_FILE = Guarantees(
    "upserts; all tables change in one transaction",
    "Rows are upserted by key. The rows of an edited chat replace those that it had.",
    "All tables and the states to resume from change in one transaction. Queries see the file before it or after it.",
    "Records that were committed stay, and the next sync resumes after them.",
    "A table changes when its stream is complete.",
    f"DuckDB locks the file. {_TWO_SYNCS}",
)


def guarantees_of(kind: Kind) -> Guarantees:
    """Return what a destination guarantees."""
    return Guarantees(
        _summary(kind),
        _rows(kind),
        _reading(kind),
        _killed(kind),
        _full_refresh(kind),
        _TWO_SYNCS + _expiry(kind),
    )


def _expiry(kind: Kind) -> str:
    return " After a kill, no sync can start for up to an hour." if kind.lock == "rows" else ""


def _summary(kind: Kind) -> str:
    if kind.strategy == "append":
        return "appends; a view shows the latest rows"
    return "upserts; each table changes at once" if kind.atomic else "upserts in several statements"


def _rows(kind: Kind) -> str:
    if kind.strategy == "append":
        return "Rows are only added: an edited record is one more row. A view shows the latest ones."
    return "Rows are upserted by key. The rows of an edited chat replace those that it had."


def _reading(kind: Kind) -> str:
    if kind.strategy == "append":
        return "Files appear one after the other. Queries that read all files see those that are complete."
    if kind.atomic:
        return "Each table changes at once, one after the other. A query sees either all or none of the changes to a table."
    return "A table changes in several statements. A query between them may miss rows that are being replaced."


def _killed(kind: Kind) -> str:
    again = "The next sync resumes from the last stored state, and loads again what came after it."
    if kind.strategy == "append":
        return f"{again} Those rows are there twice; the view shows one of them."
    return f"{again} No row is lost, and none is there twice."


def _full_refresh(kind: Kind) -> str:
    collected = "Records wait on the local disk until their stream is complete."
    if kind.atomic or kind.table_format:
        return f"{collected} Then they replace the table at once."
    return f"{collected} Then they replace the table in several statements."
