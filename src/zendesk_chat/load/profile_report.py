"""Prints what ``profile`` found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.load.console import say
from zendesk_chat.load.report import plain_table, print_complete
from zendesk_chat.wording import counted

if TYPE_CHECKING:
    from zendesk_chat.load.profile import ColumnProfile, TableProfile

_DATE: Final = len("2026-03-14")
_ONE_PERCENT: Final = 0.01


def print_profile(profiles: Sequence[TableProfile], console: Console, *, every_column: bool = False) -> None:
    """Print a table of the streams, and for each the columns with nulls (or all) and the differences from the schema."""
    print_complete(_summary(profiles), console)
    for stream in profiles:
        columns = [column for column in stream.columns if column.nulls or every_column]
        if columns or stream.drift:
            _print_details(stream, columns, console)


def _summary(profiles: Sequence[TableProfile]) -> Table:
    table = plain_table(["stream"], ["rows", "from", "to", "columns", "empty", "unknown"])
    for stream in profiles:
        table.add_row(
            stream.stream,
            f"{stream.rows:,}",
            (stream.first or "")[:_DATE],
            (stream.last or "")[:_DATE],
            str(len(stream.columns)),
            str(stream.empty_columns),
            Text(str(stream.unknown_fields), style="yellow" if stream.unknown_fields else ""),
        )
    return table


def _print_details(stream: TableProfile, columns: Sequence[ColumnProfile], console: Console) -> None:
    console.print()
    console.print(Text(stream.stream, style="bold"))
    if columns:
        print_complete(_columns_table(columns), console)
    if len(columns) < len(stream.columns):
        console.print(f"never null: {len(stream.columns) - len(columns)} of {len(stream.columns)} columns", highlight=False)
    for change in stream.drift:
        say(console, f"differs from the schema: {_in_words(change)}", "yellow")


def _columns_table(columns: Sequence[ColumnProfile]) -> Table:
    table = plain_table(["column", "type", ""], ["null", "distinct"])
    for column in columns:
        distinct = "" if column.distinct is None else f"~{column.distinct:,}"
        bar = ProgressBar(total=1.0, completed=column.null_share, width=10)
        table.add_row(Text(column.name), column.type, bar, _percent(column.null_share), distinct)
    return table


def _percent(share: float) -> str:
    """Return a share as a percentage without decimals. 0% and 100% mean exactly none and all."""
    if 0 < share < _ONE_PERCENT:
        return "<1%"
    if 1 - _ONE_PERCENT < share < 1:
        return ">99%"
    return f"{share:.0%}"


def _in_words(change: SchemaChange) -> str:
    what = f"{change.found}, but {' or '.join(change.known)} was expected" if change.known else f"unknown, {change.found}"
    return f"{change.path}: {what}" + ("" if change.rows is None else f", in {counted(change.rows, 'row')}")
