"""The lines of a log: dated lines for people, and JSON for machines. Each event is one line, whatever its message contains."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from zendesk_chat.printable import LONGEST_REPORT, printable


class DatedLines(logging.Formatter):
    """Formats a date, a level and a message: ``2026-11-28T12:00:00Z INFO Stopping and saving ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        level = record.levelname if record.levelno in (logging.DEBUG, logging.WARNING, logging.ERROR) else "INFO"
        return f"{_utc(record).isoformat(timespec='seconds').replace('+00:00', 'Z')} {level} {message_of(record)}"


class JsonLines(logging.Formatter):
    """Formats one JSON object with the fields that docs/logging.md lists. It is ASCII, so that no encoding can damage it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        level = record.levelname.lower() if record.levelno in (logging.DEBUG, logging.WARNING, logging.ERROR) else "info"
        account = getattr(record, "account", "")
        content = {
            "time": _utc(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "event": getattr(record, "event", ""),
            **({"account": account} if account else {}),
            "message": printable(record.msg, LONGEST_REPORT),
            **getattr(record, "fields", {}),
        }
        return json.dumps(content, default=str)


class ShortLines(logging.Formatter):
    """Formats a line for a terminal: the message, after ``warning:`` or ``error:``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        return level + message_of(record)


def message_of(record: logging.LogRecord) -> str:
    """Return the message for people, on one line, after the name of its account if there are several."""
    account = getattr(record, "account", "")
    return printable(f"{account}: {record.msg}" if account else record.msg, LONGEST_REPORT)


def _utc(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
