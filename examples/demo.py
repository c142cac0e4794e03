"""`make demo`: loads a simulated Zendesk Chat account into demo.duckdb, and queries the database.

Run it again: the account has changed in the meantime, and only the changes are loaded. Everything stays on this machine.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

DATABASE = Path("demo.duckdb")
REPORT = Path("demo.html")
TIMES = Path(".demo/times.json")  # when the account started, and when each later demo changed it
COMMAND = Path(os.path.relpath(Path(sys.executable).with_name("zendesk-chat")))  # as you can type it
CHATS = 6000
NEW_CHATS = 40
EDITED_CHATS = 25
SURNAMES = ("Sousa", "Costa", "Almeida", "Ferreira", "Pinto", "Moreira", "Teixeira")

NEXT = {
    f"status {DATABASE}": "how fresh and how complete is it?",
    f"profile {DATABASE}": "which columns are filled?",
}

QUESTIONS = {
    "Chats a day, the last week until now": """
        SELECT day, dayname(day) AS weekday, came.chats, missed, offline_messages AS offline
        FROM analytics.chats_by_day AS came LEFT JOIN analytics.missed_by_day USING (day) ORDER BY day DESC LIMIT 7""",
    "Satisfaction by department": """
        SELECT department, sum(good + bad) AS rated, round(100 * sum(good) / sum(good + bad), 1) AS "good %"
        FROM analytics.satisfaction_by_department GROUP BY department_id, department ORDER BY rated DESC LIMIT 6""",
    "First response, in seconds": """
        SELECT department, count(*) AS answered, median(first_response_seconds) AS median,
               round(quantile_cont(first_response_seconds, 0.9)) AS p90
        FROM analytics.chat_facts WHERE first_response_seconds IS NOT NULL
        GROUP BY department_id, department ORDER BY answered DESC LIMIT 6""",
}


def main() -> int:
    """Run the demo; returns the exit code of the sync."""
    console = Console(soft_wrap=True, highlight=False)
    try:
        return demo(console)
    except OSError as error:  # such as a folder that cannot be written
        console.print(f"error: {error.filename or 'demo'}: {error.strerror}", markup=False)
        return 1


def demo(console: Console) -> int:
    """Load the account, and query the database."""
    times = read_times()
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text(json.dumps(times))  # first, so that a demo that is killed continues with the same account
    console.print(f"Starting a simulated Zendesk Chat account with {CHATS:,} chats, for as long as the demo runs ...")
    with sandbox(times[0]) as url:
        if url is None:
            console.print("error: The simulated account did not start. See its message above.")
            return 1
        for time in times[1:]:
            change_the_account(url, time)
        if len(times) > 1:
            console.print(f"Since the last demo: {NEW_CHATS} new chats, {EDITED_CHATS} chats rated, one agent renamed.")
        command = [str(COMMAND), "sync", "--subdomain", "demo", "--api-url", url, "--to", str(DATABASE)]
        environment = {**clean_environment(), "ZENDESK_CHAT_TOKEN": "sandbox-token"}
        console.print(f"Loading it into {DATABASE}:\n\n[bold]$ {shlex.join(command)}[/bold]")
        code = subprocess.run(command, env=environment, check=False).returncode
    if code:
        return code
    answer_questions(console)
    command = [str(COMMAND), "report", str(DATABASE), "-o", str(REPORT)]
    console.print(f"\n[bold]$ {shlex.join(command)}[/bold]")
    if code := subprocess.run(command, env=clean_environment(), check=False).returncode:
        return code
    console.print(f"Open the report in a browser: {REPORT.resolve().as_uri()}")
    console.print(f"\nNext, explore {DATABASE} with any DuckDB client, or with:")
    for arguments, purpose in NEXT.items():
        console.print(f"  {COMMAND} {arguments:<20}  {purpose}", markup=False)
    console.print("Run `make demo` again to see an incremental sync.")
    return 0


def read_times() -> list[str]:
    """The times of earlier demos and, last, of this one; only this one's when there is no database."""
    earlier: list[str] = []
    with suppress(OSError, ValueError):  # none, or one that was killed while it wrote them
        earlier = json.loads(TIMES.read_text()) if DATABASE.exists() else []
    return [*earlier, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]


@contextmanager
def sandbox(history_until: str) -> Iterator[str | None]:
    """The simulated account, served by a process of its own for as long as the block lasts; None if it does not start."""
    options = ["--port", "0", "--chats", str(CHATS), "--history-until", history_until]
    with subprocess.Popen([COMMAND, "sandbox", *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline().split()
        try:
            yield line[-1].removesuffix("/api/v2/chat") if line else None
        finally:
            process.terminate()


def clean_environment() -> dict[str, str]:
    """The environment without the settings of another account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ZENDESK_CHAT_")}


def change_the_account(url: str, time: str) -> None:
    """Changes that a support team makes between two syncs; the same for the same time."""
    search = f"{url}/api/v2/chat/chats/search?q=type:chat+agent_ids:36"  # chats that an agent took
    request = urllib.request.Request(search, headers={"Authorization": "Bearer sandbox-token"})
    with urllib.request.urlopen(request) as response:
        chats = json.load(response)["results"]
    for chat in chats[:EDITED_CHATS]:
        admin(url, "edit", {"resource": "chats", "id": chat["id"], "changes": {"rating": "good"}, "at": time})
    admin(url, "add", {"resource": "chats", "count": NEW_CHATS, "at": time})
    name = f"Ana {SURNAMES[sum(time.encode()) % len(SURNAMES)]}"
    admin(url, "edit", {"resource": "agents", "id": 360700000001, "changes": {"display_name": name}})


def admin(url: str, call: str, body: dict[str, Any]) -> None:
    """Request a change of the sandbox's account."""
    request = urllib.request.Request(f"{url}/_sandbox/{call}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        response.read()


def answer_questions(console: Console) -> None:
    """Print the figures that interest a support lead."""
    with duckdb.connect(str(DATABASE), read_only=True) as database:
        for question, query in QUESTIONS.items():
            cursor = database.execute(query)
            columns = [column[0] for column in cursor.description or ()]
            print_rows(console, question, columns, cursor.fetchall())


def print_rows(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A small table."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column.replace("_", " "), justify="left" if number == 0 and len(rows) > 1 else "right")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print()
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
