"""Extract everything from the Zendesk Chat API.

As a library; docs/library.md shows it at work:

    account = connect(subdomain="acme", token="...")    what to read, and with what
    check(account)                                      whether it can be read, and why not
    list_streams()                                      what there is to read
    read(account, "chats", state)                       a stream, batch by batch
    read_all(account, ["chats", "agents"], states)      several side by side
    read_arrow(...), arrow_reader(...)                  as Arrow, for pandas, Polars, DuckDB ...
    dlt_source(account, ["chats"])                      for a pipeline of dlt

Importing this imports none of it, and no other package: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from zendesk_chat._version import __version__
from zendesk_chat.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    EnvelopeError,
    NetworkError,
    PaginationStuckError,
    RateLimitedError,
    RecordShapeError,
    RequestRejectedError,
    ServerError,
    StateError,
    TransientError,
    UnavailableError,
    UnreachableError,
    needs_packages,
)

if TYPE_CHECKING:
    from zendesk_chat.library.account import Account, Verdict, check, connect
    from zendesk_chat.library.arrow import ArrowBatch, arrow_reader, read_arrow
    from zendesk_chat.library.catalog import StreamInfo, list_streams
    from zendesk_chat.library.dlt_source import dlt_source
    from zendesk_chat.library.reading import Batch, StreamsFailedError, read, read_all

__all__ = [
    "Account",
    "ArrowBatch",
    "AuthError",
    "Batch",
    "ConfigError",
    "ConnectorError",
    "DataError",
    "EnvelopeError",
    "NetworkError",
    "PaginationStuckError",
    "RateLimitedError",
    "RecordShapeError",
    "RequestRejectedError",
    "ServerError",
    "StateError",
    "StreamInfo",
    "StreamsFailedError",
    "TransientError",
    "UnavailableError",
    "UnreachableError",
    "Verdict",
    "__version__",
    "arrow_reader",
    "check",
    "connect",
    "dlt_source",
    "list_streams",
    "read",
    "read_all",
    "read_arrow",
]

_HOMES: Final = {
    "account": ("Account", "Verdict", "check", "connect"),
    "arrow": ("ArrowBatch", "arrow_reader", "read_arrow"),
    "catalog": ("StreamInfo", "list_streams"),
    "dlt_source": ("dlt_source",),
    "reading": ("Batch", "StreamsFailedError", "read", "read_all"),
}
"""The names that are loaded late, by their module in ``library``."""

if not TYPE_CHECKING:  # or every misspelt name would have a type

    def __getattr__(name: str) -> object:
        """Load a name of the library."""
        home = next((module for module, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = import_module(f"{__name__}.library.{home}")
        except ModuleNotFoundError as error:
            raise ImportError(needs_packages(name)) from error
        return getattr(module, name)


def __dir__() -> list[str]:
    """All names, those that are not loaded yet too."""
    return sorted({*globals(), *__all__})
