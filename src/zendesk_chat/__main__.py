"""The console scripts, and ``python -m zendesk_chat``."""

import sys

INTERRUPTED = 130  # 128 plus the number of SIGINT, as shells report it


def main() -> int:
    """Run a command and return its exit code, even if Ctrl-C comes while the modules are still being imported."""
    try:
        from zendesk_chat.cli import main as run  # noqa: PLC0415  within the try

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


def tap() -> int:
    """Run the Singer tap in the same way."""
    try:
        from zendesk_chat.tap import main as run  # noqa: PLC0415  within the try

        return run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
