"""The ``verify`` command: checks through other endpoints than the export whether a DuckDB file matches the account."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import replace
from functools import partial

from zendesk_chat.api.client import connect
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Clock, Stopped, SystemClock
from zendesk_chat.config import Config
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.load.configuration import Configuration, gather
from zendesk_chat.load.console import PlainConsole
from zendesk_chat.load.database import chosen_database
from zendesk_chat.load.file.opening import open_file
from zendesk_chat.load.file.stored import open_stored, stored_file
from zendesk_chat.load.log import SUMMARY, Log, run_logged
from zendesk_chat.load.named_files import check_written
from zendesk_chat.load.run_log import log_settings
from zendesk_chat.load.verify.answers import Requests
from zendesk_chat.load.verify.recheck import after_repair
from zendesk_chat.load.verify.repair import Repair, about_incomplete, prepare, write
from zendesk_chat.load.verify.report import conclusion, print_verification
from zendesk_chat.load.verify.results import Verification
from zendesk_chat.load.verify.summary import sentences
from zendesk_chat.load.verify.verifying import Choices, Verifying
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.records import iso_seconds


def run_verify(options: argparse.Namespace, clock: SystemClock) -> int:
    """Compare a file with the account. Returns the exit code: 0 if there is no difference."""
    return run_logged(options, clock, partial(_run, options, clock))


def _run(options: argparse.Namespace, clock: Clock, log: Log) -> int:
    try:
        configuration = gather(options, os.environ)
        catalog = Catalog(configuration.parse().redaction)
        database = chosen_database(options, configuration.settings)
        path = stored_file(database.file, "verify")
        check_written(options, os.environ, {**configuration.files, "the database": path}, log)
    except ConfigError as error:
        log.fail(str(error), kind=type(error).__name__)
        return ExitCode.USAGE
    log_settings(log, configuration.origins)
    try:
        options.schema, options.wait = database.schema, configuration.settings.wait
        found = _verify(options, configuration, catalog, path, clock, log)
    except Stopped:  # by a request, so before anything is written
        log.caution("Interrupted. The file is unchanged.", "interrupted")
        return ExitCode.INCOMPLETE
    if options.json:
        sys.stdout.write(found.to_json().decode())
    elif not log.quiet:
        print_verification(found, PlainConsole())
    level = logging.INFO if found.exit_code == ExitCode.COMPLETE else logging.ERROR
    log.write(level, conclusion(found)[0], SUMMARY, exit_code=int(found.exit_code), requests=found.requests)
    return found.exit_code


def _verify(
    options: argparse.Namespace, configuration: Configuration, catalog: Catalog, path: str, clock: Clock, log: Log
) -> Verification:
    began, config = clock.monotonic(), configuration.parse()
    store = ConfigFile(configuration.store, clock) if configuration.store else None
    fetch = Requests(connect(config, clock, lambda _config: None, store), clock, log)
    try:
        found = _compare(options, config, catalog, path, fetch, clock)
    finally:
        fetch.settle()
    return replace(found, requests=fetch.count, seconds=clock.monotonic() - began)


def _compare(
    options: argparse.Namespace, config: Config, catalog: Catalog, path: str, fetch: Requests, clock: Clock
) -> Verification:
    choices = Choices(options.sample, options.seed, options.all, config.lookback, config.end)
    with open_stored(path, options.schema) as stored:
        verifying = Verifying(stored, catalog, fetch, choices)
        account = verifying.run(config.subdomain)
        results = tuple(verifying.results())
        found = Verification(
            file=path,
            schema=options.schema,
            subdomain=account.subdomain,
            account_key=account.account_key,
            complete_until=iso_seconds(verifying.chats.loaded.until) if verifying.chats else None,
            streams=results,
            total=verifying.total,
            sample=None if choices.everything else choices.sample,
            sentences=tuple(sentences(verifying, results)),
            requests=0,
            seconds=0,
            errors=tuple(verifying.errors.values()),
        )
        repair = prepare(verifying) if options.repair else Repair({})
    if not repair.is_empty:
        with open_file(path, clock, options.wait, fetch.note) as connection:
            written = write(connection, options.schema, repair)
        with open_stored(path, options.schema) as stored:
            found = after_repair(found, verifying, stored, written)
        found = replace(found, sentences=(*found.sentences, *about_incomplete(repair)))
    return found
