"""``python -m source_zendesk_chat``: the same as the command."""

import sys

from source_zendesk_chat.cli import main

if __name__ == "__main__":
    sys.exit(main())
