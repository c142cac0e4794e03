"""Explains what a report cannot show, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from zendesk_chat.load.status import StreamStatus
from zendesk_chat.report.figures import Figures
from zendesk_chat.report.formats import day, number

STREAMS: Final = {
    "agents": "current names of agents",
    "departments": "current names of departments",
    "agent_timeline": "agents' hours",
    "conversions": "conversions outside chats",
}
"""Streams that a report uses besides chats, and their purpose."""


def missing(figures: Figures, stream: str) -> str:
    """Return why figures that need a stream are missing, and what to do."""
    found = _status(figures, stream)
    if found and found.result == "not available":
        return f"This account does not have {stream}: its plan or the role of the token does not include it."
    if found is None or found.rows is None:
        return f"This needs the stream {stream}, which is not in the file. Load it: zendesk-chat sync --streams {stream}"
    return f"This needs columns of {stream} that the file does not have, for example because redaction drops them."


def notices(figures: Figures) -> Iterator[str]:
    """Yield a sentence for each thing that a reader must know before the figures."""
    period = figures.period
    yield from figures.status.problems()
    if figures.has_chats and period.synced is None:
        yield "The stream chats has never been complete, so some days may lack chats."
    if period.last_chat is None and figures.has_chats:
        yield "The file contains no chats up to the last sync."
    elif period.is_old and period.last_chat and period.synced:
        yield (
            f"The last chat in the file started on {day(period.last_chat)}. There are none from then to the last sync "
            f"on {day(period.synced)}, so the report ends with that chat."
        )
    elif period.last_chat and period.now.end - period.last_chat >= timedelta(days=2):
        yield f"The last chat in the file started on {day(period.last_chat)}."
    if period.ends_early and period.last_chat and period.synced:
        yield f"{day(period.now.end)} was not over at the last sync, so it is incomplete."
    if period.first_chat and not period.is_comparable:
        first = day(period.first_chat)
        yield f"The first chat in the file started on {first}, so there is no complete period before this one to compare."
    if figures.unreadable:
        yield f"Chats without a readable start time belong to no day and are not counted: {number(figures.unreadable)}."


def absent(figures: Figures) -> Iterator[tuple[str, str]]:
    """Yield each missing stream, and what it would add to the report."""
    for stream, what in STREAMS.items():
        found = _status(figures, stream)
        if found is None or found.rows is None or found.result == "not available":
            yield stream, what


def _status(figures: Figures, stream: str) -> StreamStatus | None:
    return next((status for status in figures.status.streams if status.stream == stream), None)
