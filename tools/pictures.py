"""Draw the terminal in docs/images/terminal.svg from a real run on the sandbox: ``python -m tools.pictures``."""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from zendesk_chat_sandbox import Sandbox, Switches

PICTURE: Final = Path(__file__).parents[1] / "docs/images/terminal.svg"
COLUMNS: Final = 84
CHATS: Final = 6000
UNTIL: Final = "2026-11-28T12:00:00Z"
COMMAND: Final = "zendesk-chat sync"
THEME: Final = TerminalTheme(
    (27, 32, 38),
    (222, 228, 234),
    [
        (84, 94, 105),
        (240, 113, 120),
        (126, 211, 150),
        (232, 191, 106),
        (112, 176, 240),
        (198, 146, 233),
        (95, 208, 208),
        (200, 206, 212),
    ],
    [
        (120, 130, 140),
        (255, 138, 145),
        (150, 230, 170),
        (248, 212, 140),
        (140, 196, 252),
        (215, 170, 245),
        (130, 225, 225),
        (240, 244, 248),
    ],
)


def output() -> str:
    """Return what a first sync prints, in colour."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(chats=CHATS, history_until=UNTIL, switches=Switches(rate_limit=0)) as sandbox,
    ):
        account = {"SUBDOMAIN": "acme", "TOKEN": sandbox.token, "API_URL": sandbox.url}
        environment = {
            **os.environ,
            **{f"ZENDESK_CHAT_{name}": value for name, value in account.items()},
            "COLUMNS": str(COLUMNS),
            "FORCE_COLOR": "1",
            "HOME": folder,
            "TERM": "xterm-256color",
        }
        command = [sys.executable, "-m", *COMMAND.replace("-", "_").split()]
        done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def draw(printed: str) -> str:
    """Return a picture of a terminal. It loads no fonts from other hosts."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (COMMAND, "bold")))
    console.print(Text.from_ansi(printed.rstrip()))
    svg = console.export_svg(title="", theme=THEME, unique_id="terminal")
    svg = re.sub(r"@font-\w+ \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(
        r"[ \t]+$", "", svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"), flags=re.MULTILINE
    )


def main() -> None:
    """Draw the picture."""
    PICTURE.write_text(draw(output()), encoding="utf-8")


if __name__ == "__main__":
    main()
