"""Runs the sandbox: ``python -m zendesk_chat_sandbox``."""

import sys

from zendesk_chat_sandbox.cli import main

sys.exit(main())
