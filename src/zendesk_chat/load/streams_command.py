"""The ``streams`` command: lists what can be loaded. It needs no account."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from zendesk_chat.errors import ExitCode
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.lists.id_list import IdList
from zendesk_chat.streams.lists.whole_list import WholeList
from zendesk_chat.streams.stream import Stream

CONTENTS: Final = {  # short, so that the table fits into 80 columns
    "accounts": "account and plan",
    "agents": "agents and their roles",
    "agent_events": "agents' status changes",
    "agent_routing_settings": "chat limits and skills",
    "agent_timeline": "agents' time by status",
    "bans": "banned visitors and IPs",
    "chats": "chats, offline messages",
    "chat_conversions": "conversions in a chat",
    "chat_engagements": "agents' parts in a chat",
    "chat_events": "messages and events",
    "chat_webpaths": "pages visitors opened",
    "conversions": "goals visitors reached",
    "departments": "departments",
    "department_events": "changes of departments",
    "goals": "goals of conversions",
    "roles": "roles and permissions",
    "routing_settings": "how chats are routed",
    "shortcuts": "ready-made replies",
    "skills": "skills and their agents",
    "triggers": "automatic messages",
    "visitors": "visitors as last seen",
}
HEADER: Final = ("stream", "contents", "key", "loads", "requests")
WIDTHS: Final = (23, 23, 11, 7, 0)
NOTES: Final = """\
loads: after the first sync, only changes, or all records again.
requests: 1/100 is one for each 100 records, 0 reads the pages of chats.
* Not on every plan or for every role. If your account lacks it, it stays empty.
"""


def run_streams(options: argparse.Namespace) -> int:
    """Print the streams. Returns the exit code."""
    streams = Catalog().streams.values()
    if options.json:
        content = msgspec.json.encode([_described(stream) for stream in streams])
        sys.stdout.write(msgspec.json.format(content, indent=2).decode() + "\n")
    else:
        sys.stdout.writelines(_lines(list(streams)))
    return ExitCode.COMPLETE


def records_per_request(stream: Stream) -> int | None:
    """Return how many records one request returns; None if it returns all, and 0 if the stream needs no requests."""
    if stream.extraction is not None:
        return 0
    match stream.source:
        case WholeList():
            return None
        case IdList():
            return 100
        case _:
            return 1000


def _lines(streams: list[Stream]) -> Iterator[str]:
    rows = [HEADER, *map(_row, streams)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, WIDTHS, strict=True)).rstrip() + "\n"
    yield "\n"
    yield NOTES


def _row(stream: Stream) -> tuple[str, ...]:
    name = stream.name + ("*" if stream.optional else "")
    requests = {None: "1", 0: "0"}.get(count := records_per_request(stream), f"1/{count:,}" if count else "")
    key = ", ".join(stream.primary_key) or "one record"
    return name, CONTENTS[stream.name], key, "changes" if stream.cursor_field else "all", requests


def _described(stream: Stream) -> dict[str, object]:
    """Return a stream for scripts."""
    return {
        "name": stream.name,
        "contents": CONTENTS[stream.name],
        "description": stream.schema.annotations.get("description", ""),
        "primary_key": list(stream.primary_key),
        "cursor_field": stream.cursor_field,
        "incremental": stream.cursor_field is not None,
        "records_per_request": records_per_request(stream),
        "optional": stream.optional,
        "derived_from": "chats" if stream.extraction is not None else None,
    }
