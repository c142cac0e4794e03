"""The account as a dlt source, for your own pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource
from dlt.extract.items import ResolvablePipeItem

from zendesk_chat.library.account import Account
from zendesk_chat.library.catalog import chosen
from zendesk_chat.library.dlt_hints import MERGED, Adapter, needs_table
from zendesk_chat.library.dlt_reading import STATE, Feed, Read
from zendesk_chat.tables.arrow import naming_rows
from zendesk_chat.tables.merging import table_hints
from zendesk_chat.tables.table import StreamTable

SOURCE: Final = "zendesk_chat"


@dlt.source(name=SOURCE, section=SOURCE)
def dlt_source(account: Account, streams: Sequence[str] | None = None) -> list[DltResource]:
    """Return a dlt source with a resource for each stream, with its key and types.

    Streams with a cursor are merged by key and resume where the pipeline's last run ended: dlt stores the state in the same
    load package as the records. If the destination merges by SQL, the records of an edited chat replace its previous ones, and
    the visitor of a later chat replaces that of an earlier one. In other destinations, dlt merges by key or appends. Streams
    without a cursor replace their table. With the write disposition "replace", a stream is read from the start. If a stream
    fails, the run fails and loads nothing.

    Args:
        account: The account to read. A pipeline loads one account.
        streams: Names of streams. Default: all streams that the account has.
    """
    return _resources(account, streams)


@dlt.source(name=SOURCE, section=SOURCE)
def zendesk_chat_source(  # noqa: PLR0913  one argument for each setting, each with a default
    subdomain: str = dlt.config.value,
    access_token: TSecretStrValue = dlt.secrets.value,
    streams: Sequence[str] | None = None,
    *,
    start_date: str | None = None,
    end_date: str | None = None,
    redact: Mapping[str, Any] | None = None,
    lookback_minutes: int | None = None,
    requests_per_minute: int | None = None,
    request_timeout_seconds: int | None = None,
    api_url: str | None = None,
) -> list[DltResource]:
    """Return ``dlt_source`` for the account in dlt's configuration.

    dlt looks for arguments that you omit in ``[sources.zendesk_chat]`` of ``config.toml`` and ``secrets.toml``, and in
    variables such as ``SOURCES__ZENDESK_CHAT__SUBDOMAIN``.

    Args:
        subdomain: The subdomain of the account.
        access_token: Its token. Keep it in ``secrets.toml`` or in ``SOURCES__ZENDESK_CHAT__ACCESS_TOKEN``.
        streams: Names of streams. Default: all streams that the account has.
        start_date: As in ``Account``, like all other arguments.
        end_date: Times at or after it are excluded.
        redact: The redaction rules.
        lookback_minutes: How long before its state a read starts.
        requests_per_minute: The maximum number of requests in any minute.
        request_timeout_seconds: Seconds without data before a request is retried.
        api_url: Another server with the same API.
    """
    settings = {
        "subdomain": subdomain,
        "access_token": access_token,
        "start_date": start_date,
        "end_date": end_date,
        "redact": redact,
        "lookback_minutes": lookback_minutes,
        "requests_per_minute": requests_per_minute,
        "request_timeout_seconds": request_timeout_seconds,
        "api_url": api_url,
    }
    return _resources(Account(config={name: value for name, value in settings.items() if value is not None}), streams)


def _resources(account: Account, streams: Sequence[str] | None) -> list[DltResource]:
    tables = [StreamTable.of(stream) for stream in chosen(account, streams)]
    feed = Feed(account, tables, required=streams is not None)
    resources = []
    for table in tables:
        rows = partial(_rows, feed, table, Adapter(table))
        hints = table_hints(table, "replace" if table.mirrors else MERGED)
        resources.append(DltResource.from_data(rows, table.name, SOURCE, hints))
    return resources


def _rows(feed: Feed, table: StreamTable, adapter: Adapter) -> Iterator[object]:
    """Yield the rows of a stream as Arrow tables, and then store the state after them."""
    resource = dlt.current.resource()
    read = feed.take(table.name)
    if read.state is None:
        return  # the account lacks the stream, or the limit allows no page
    try:
        yield from _items(table, read, resource, adapter)
    except GeneratorExit:
        if not read.is_limited:
            feed.discard()  # the run has failed
        raise
    finally:
        read.close()


def _items(table: StreamTable, read: Read, resource: DltResource, adapter: Adapter) -> Iterator[object]:
    memory = dlt.current.resource_state()
    rows = read.spool.rows()
    if adapter.adapt(resource, rows.parents) and rows.parents is not None and rows.parents.num_rows:
        yield _after_all_steps(naming_rows(table, rows.parents))
    tables = (batch for batch in rows.batches if batch.num_rows or needs_table(resource))
    if read.is_limited:  # dlt ends the resource at its limit, so all rows are one item, and the state is stored before it
        item = list(tables)
        _store(read, memory)
        yield from [item] if item else []
    else:
        yield from tables
        _store(read, memory)


def _after_all_steps(rows: pa.Table) -> Iterator[ResolvablePipeItem]:
    """Return an item that dlt writes as it is, after the maps, filters and limits of the resource."""
    pipe = dlt.current.pipe()
    return iter([ResolvablePipeItem(rows, len(pipe) - 1, pipe, None)])


def _store(read: Read, memory: dict[str, object]) -> None:
    if read.state:
        memory[STATE] = json.dumps(read.state)
