"""Accounts that must not be loaded in one run: they would share tables, a file under two names, a token, or a rate limit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from zendesk_chat.analytics.definitions import views_schema
from zendesk_chat.config import OAuth
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.running import Job
from zendesk_chat.load.destination import Destination, real_path

Conflict: TypeAlias = Callable[[Job, Job], str]
"""Describes what two accounts must not share, and what to do about it; "" if they may share it."""


def check_conflicts(jobs: Sequence[Job], file: Path) -> None:
    """Check that each account has tables and a rate limit of its own, in time that is linear in the number of accounts.

    Raises:
        ConfigError: Two accounts share one. The message names both.
    """
    owners: dict[Hashable, Job] = {}
    for job in jobs:
        for conflict, what in _needs(job):
            owner = owners.setdefault((conflict, what), job)
            if owner is not job and (problem := conflict(owner, job)):
                raise ConfigError(f"{file}: the accounts {owner.account} and {job.account} {problem}")


def _needs(job: Job) -> Iterator[tuple[Conflict, Hashable]]:
    """Yield what an account needs for itself, with the function that describes the conflict if another one has it."""
    destination = job.plan.destination
    yield _same_subdomain, job.plan.config.subdomain
    if _refreshes(job) and (tokens := _identity(str(job.plan.config_file))):
        yield _same_tokens, tokens
    if destination.path and (identity := _identity(destination.path)):
        yield _two_names, identity
    for schema in _schemas(destination):
        yield _same_tables, (_database(destination), schema)


def _same_subdomain(one: Job, _other: Job) -> str:
    return f"have the same subdomain, {one.plan.config.subdomain}, so they would share one rate limit. Remove one of them."


def _same_tokens(one: Job, _other: Job) -> str:
    return (
        f"keep their OAuth tokens in the same file, {one.plan.config_file}. A refresh token works once, so give each "
        "account a file of its own, as `zendesk-chat login --config` writes it."
    )


def _two_names(one: Job, other: Job) -> str:
    """Describe two names of one file, or return "" for two accounts that use the same name."""
    first, second = one.plan.destination, other.plan.destination
    if _database(first) == _database(second):
        return ""
    return f"load into the same file under two names, {first.path} and {second.path}. Use one name for it."


def _same_tables(one: Job, _other: Job) -> str:
    return (
        f"would load into the same tables, in {one.plan.destination.shown}. Use a file for each, such as "
        'to = "{account}.duckdb", or a schema, such as schema = "{account}".'
    )


def _database(destination: Destination) -> Hashable:
    """Return what two destinations in the same database have in common."""
    if destination.path is not None:
        return real_path(destination.path)
    parts = urlsplit(destination.url)
    return parts.scheme.replace("postgresql", "postgres"), parts.hostname, parts.port, parts.path


def _identity(path: str) -> tuple[int, int] | None:
    """Return what all names of a file have in common, or None if there is no such file."""
    with suppress(OSError):
        status = Path(path).stat()
        return status.st_dev, status.st_ino
    return None


def _refreshes(job: Job) -> bool:
    return job.plan.config_file is not None and isinstance(job.plan.config.credentials, OAuth)


def _schemas(destination: Destination) -> set[str]:
    """Return the schemas that a load writes. DuckDB does not distinguish their case."""
    if destination.path is None:
        return {(destination.schema or "").lower()}
    schema = (destination.schema or "main").lower()
    return {schema, views_schema(schema).lower()}
