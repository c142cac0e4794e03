"""The log of the processes that Spark starts."""

from __future__ import annotations

import logging

from zendesk_chat.library.account import logger


def log_to_stderr() -> None:
    """Let warnings reach the log of the executor or the driver. Spark keeps what its Python processes write to stderr."""
    if not any(isinstance(handler, logging.StreamHandler) for handler in logger.handlers):
        handler = logging.StreamHandler()
        handler.setLevel(logging.WARNING)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s zendesk_chat: %(message)s"))
        logger.addHandler(handler)
