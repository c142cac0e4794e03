"""Documents whose console examples run as a user would run them, with the sandbox in place of the account."""

from __future__ import annotations

import calendar
import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.commands import run_here
from zendesk_chat_sandbox import Sandbox

ROOT = Path(__file__).parents[2]
HASH_KEY = "a-long-text-that-nobody-can-guess"
NUMBERS = re.compile(r"\d[\d,.:]*")
AGES = re.compile(r"# (?:ms|s|min|h)\b")
MONTHS = re.compile("|".join(calendar.month_name[1:]))


@dataclass(frozen=True)
class Example:
    """A command of a document, and the output below it."""

    page: str
    command: str
    shown: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.command}"

    @property
    def runs(self) -> bool:
        """Whether a test can run it: one of our commands that ends."""
        return re.match(r"(source-)?zendesk-chat (?!sandbox|login)", self.command) is not None


def examples(page: str) -> list[Example]:
    """Return the commands in the console blocks of a document, without comments."""
    found: list[Example] = []
    for block in re.findall(r"^```console\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            found.append(Example(page, re.sub(r" +# .*", "", command).strip(), tuple(filter(None, shown))))
    return found


def form(line: str) -> str:
    """Return the words of a line of output, as in a terminal. Numbers, months, bars and widths depend on the data."""
    undated = re.sub(r"^\S+Z [A-Z]+ ", "", line)
    numberless = AGES.sub("# s", NUMBERS.sub("#", MONTHS.sub("month", undated)))
    return " ".join(re.sub(r"[━╸╺]+", "━", numberless).split())


def environment(folder: Path, sandbox: Sandbox) -> dict[str, str]:
    """Write the files that examples name, and return the variables that a user sets."""
    credentials = {"credentials": "access_token", "access_token": sandbox.token}
    config = {"start_date": "2020-01-01T00:00:00Z", "subdomain": "acme", "credentials": credentials, "api_url": sandbox.url}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps({"streams": [{"stream": {"name": "goals"}, "sync_mode": "full_refresh"}]}))
    (folder / "state.json").write_text("[]")
    return {
        "ZENDESK_CHAT_SUBDOMAIN": "acme",
        "ZENDESK_CHAT_TOKEN": sandbox.token,
        "ZENDESK_CHAT_API_URL": sandbox.url,
        "ZENDESK_CHAT_HASH_KEY": HASH_KEY,
        "HOME": str(folder),
        "COLUMNS": "120",
    }


def run(command: str, folder: Path, sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, in this process. A ``>`` writes a file."""
    words = shlex.split(command.replace("/data/", f"{folder}/"))
    target = words[words.index(">") + 1] if ">" in words else ""
    program, *arguments = words[: words.index(">")] if target else words
    done = run_here(arguments, folder, program=program, **environment(folder, sandbox))
    if target:
        (folder / target).write_text(done.stdout)
    return done
