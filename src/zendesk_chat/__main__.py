"""The console script, and ``python -m zendesk_chat``."""

import sys

INTERRUPTED = 130  # as shells have it


def main() -> int:
    """Run a command and return the exit code, also when Ctrl-C comes before the command line handles it itself."""
    try:
        from zendesk_chat.cli import main as run  # noqa: PLC0415  within the try

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
