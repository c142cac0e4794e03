"""Accounts that must not be loaded in one run: they would share tables, a file under two names, a token, or a rate limit."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from zendesk_chat.analytics.definitions import views_schema
from zendesk_chat.config import OAuth
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.running import Job
from zendesk_chat.load.destination import Destination, real_path


def check_conflicts(jobs: Sequence[Job], file: Path) -> None:
    """Check that each account has tables and a rate limit of its own.

    Raises:
        ConfigError: Two accounts share one. The message names both.
    """
    for one, other in combinations(jobs, 2):
        for what in _conflicts(one, other):
            raise ConfigError(f"{file}: the accounts {one.account} and {other.account} {what}")


def _conflicts(one: Job, other: Job) -> Iterator[str]:
    """Yield what two accounts must not share, and what to do about it."""
    subdomain = one.plan.config.subdomain
    if subdomain == other.plan.config.subdomain:
        yield f"have the same subdomain, {subdomain}, so they would share one rate limit. Remove one of them."
    if _refreshes(one) and _refreshes(other) and _is_same_file(str(one.plan.config_file), str(other.plan.config_file)):
        yield (
            f"keep their OAuth tokens in the same file, {one.plan.config_file}. A refresh token works once, so give each "
            "account a file of its own, as `zendesk-chat login --config` writes it."
        )
    first, second = one.plan.destination, other.plan.destination
    if _database(first) != _database(second):
        if first.path and second.path and _is_same_file(first.path, second.path):
            yield f"load into the same file under two names, {first.path} and {second.path}. Use one name for it."
        return
    if _schemas(first) & _schemas(second):
        yield (
            f'would load into the same tables, in {first.shown}. Use a file for each, such as to = "{{account}}.duckdb", or a '
            'schema, such as schema = "{account}".'
        )


def _database(destination: Destination) -> Hashable:
    """Return what two destinations in the same database have in common."""
    if destination.path is not None:
        return real_path(destination.path)
    parts = urlsplit(destination.url)
    return parts.scheme.replace("postgresql", "postgres"), parts.hostname, parts.port, parts.path


def _is_same_file(one: str, other: str) -> bool:
    with suppress(OSError):
        return Path(one).samefile(other)
    return False


def _refreshes(job: Job) -> bool:
    return job.plan.config_file is not None and isinstance(job.plan.config.credentials, OAuth)


def _schemas(destination: Destination) -> set[str]:
    """Return the schemas that a load writes. DuckDB does not distinguish their case."""
    if destination.path is None:
        return {(destination.schema or "").lower()}
    schema = (destination.schema or "main").lower()
    return {schema, views_schema(schema).lower()}
