"""Runs the sandbox: ``python -m zendesk_chat_sandbox``."""

import sys

INTERRUPTED = 130  # as shells have it

if __name__ == "__main__":
    try:
        from zendesk_chat_sandbox.cli import main

        sys.exit(main())
    except KeyboardInterrupt:  # while the data is generated
        sys.exit(INTERRUPTED)
