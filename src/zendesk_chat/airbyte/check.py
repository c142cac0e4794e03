"""The ``check`` command."""

from __future__ import annotations

from zendesk_chat.airbyte.inputs import read_config
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import unknown_keys
from zendesk_chat.engine.check import check as check_account
from zendesk_chat.errors import ConfigError, ConnectorError


def check(writer: Writer, clock: Clock, config_path: str) -> int:
    """Report whether the configuration can read the account. Return the exit code: 0, whatever the status."""
    try:
        config = read_config(config_path, writer)
        verdict = check_account(config, connect(config, clock, writer.save_config), clock)
    except ConfigError as error:
        writer.connection_status(succeeded=False, message=f"Config validation error: {error}")
    except ConnectorError as error:
        writer.connection_status(succeeded=False, message=str(error))
    else:
        message = " ".join([verdict.message, *unknown_keys(config.raw)])
        writer.connection_status(succeeded=verdict.succeeded, message=message)
    return 0
