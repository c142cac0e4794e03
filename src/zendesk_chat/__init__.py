"""Extract everything from the Zendesk Chat API. docs/library.md is the guide to using this as a library.

    account = Account(subdomain="acme", token="...")    an account to read
    check(account)                                      whether you can read it, and if not, why
    list_streams()                                      the streams
    read(account, "chats", state)                       read a stream in batches
    read_all(account, ["chats", "agents"], states)      read several streams in parallel
    read_arrow(...), arrow_reader(...)                  the same as Arrow, for pandas, Polars, DuckDB
    arrow_schema("chats")                               its columns and types, without reading
    latest_state(account, "chats")                      the state of a read that ends now: ``read(..., until=...)``
    state_at(account, "chats", "2026-01-01")            the state of a read that ended at a time
    dlt_source(account, ["chats"])                      a source for a dlt pipeline
    zendesk_chat_source()                               the same, with the account in dlt's configuration

Importing this package imports nothing else: each name is loaded when you first use it.
"""

from __future__ import annotations

from zendesk_chat._version import __version__

TYPE_CHECKING = False  # what type checkers take as true; importing `typing` would take longer than everything else
if TYPE_CHECKING:
    from zendesk_chat.errors import (
        AddressError,
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
    )
    from zendesk_chat.library.account import Account, Verdict, check
    from zendesk_chat.library.arrow import ArrowBatch, arrow_reader, arrow_schema, read_arrow
    from zendesk_chat.library.catalog import StreamInfo, list_streams
    from zendesk_chat.library.dlt_source import dlt_source, zendesk_chat_source
    from zendesk_chat.library.reading import Batch, StreamsFailedError, read, read_all
    from zendesk_chat.library.states import latest_state, state_at

__all__ = [
    "Account",
    "AddressError",
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
    "arrow_schema",
    "check",
    "dlt_source",
    "latest_state",
    "list_streams",
    "read",
    "read_all",
    "read_arrow",
    "state_at",
    "zendesk_chat_source",
]

_MODULES = {
    "library.account": ("Account", "Verdict", "check"),
    "library.arrow": ("ArrowBatch", "arrow_reader", "arrow_schema", "read_arrow"),
    "library.catalog": ("StreamInfo", "list_streams"),
    "library.dlt_source": ("dlt_source", "zendesk_chat_source"),
    "library.reading": ("Batch", "StreamsFailedError", "read", "read_all"),
    "library.states": ("latest_state", "state_at"),
}
"""The module of each name that is not an error."""

if not TYPE_CHECKING:  # otherwise a misspelt name would have a type

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module = next((module for module, names in _MODULES.items() if name in names), "errors")
        try:
            return getattr(import_module(f"{__name__}.{module}"), name)
        except ModuleNotFoundError as error:
            from zendesk_chat.errors import needs_packages

            raise ImportError(needs_packages(name)) from error


def __dir__() -> list[str]:
    """Return all names, including those that are not loaded yet."""
    return sorted({*globals(), *__all__})
