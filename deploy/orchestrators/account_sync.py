"""Run ``zendesk-chat sync`` for one account of an accounts file. The exit code decides whether a scheduler should retry.

Only the standard library is needed: ``zendesk-chat`` runs as a process in its own environment. Two environment variables
configure it:

* ``ZENDESK_CHAT_ACCOUNTS``: the accounts file that docs/schedule.md describes. Default: ``/etc/zendesk-chat/accounts.toml``.
* ``ZENDESK_CHAT_COMMAND``: the path of ``zendesk-chat``. Default: ``zendesk-chat`` on the PATH.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

FILE: Final = "/etc/zendesk-chat/accounts.toml"
NEEDS_A_PERSON: Final = (2, 3)
"""Exit codes after which a retry would fail in the same way. docs/schedule.md lists all exit codes."""

STOP_SECONDS: Final = 30
LEVELS: Final = logging.getLevelNamesMapping()

Log = Callable[[int, str], object]
Figures = dict[str, float]


class SyncFailed(Exception):  # noqa: N818  not an error of the program
    """A sync is not complete.

    Attributes:
        retry: Whether another run may complete it. If not, a person must act first.
    """

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry


def account_names() -> list[str]:
    """Return the names of the accounts in the file. Raises SyncFailed if there are none."""
    path, content = _accounts_file()
    if names := list(content.get("accounts", {})):
        return names
    raise SyncFailed(f"{path} has no accounts. Add a table for each, such as [accounts.acme].", retry=False)


def token_variable(account: str) -> str | None:
    """Return the environment variable in which ``sync`` looks for the token of an account, if the file names one."""
    _, content = _accounts_file()
    table = content.get("accounts", {}).get(account, {})
    variable: str | None = table.get("token_env", content.get("token_env"))
    return variable and variable.replace("{account}", account)


class AccountSync:
    """One run of ``zendesk-chat sync`` for one account."""

    def __init__(self, account: str, variables: Mapping[str, str] | None = None) -> None:
        """Prepare a run.

        Args:
            account: Its name in the accounts file.
            variables: Added to the environment of the process, for example the token.
        """
        self.account = account
        self._environment = {**os.environ, **(variables or {})}
        self._process: subprocess.Popen[str] | None = None
        self._errors: list[str] = []
        self._last_line = "it printed nothing"
        self._figures: Figures = {}

    def run(self, log: Log) -> Figures:
        """Sync the account, and wait until it is complete.

        Args:
            log: Called with the level and the text of each log line.

        Returns:
            The numbers of records and requests, and the seconds, if the sync reports them.

        Raises:
            SyncFailed: The account is not complete. The message has the errors that ``sync`` reported.
        """
        with self._start() as process:
            self._process = process
            try:
                assert process.stderr is not None  # noqa: S101  it is a pipe
                for line in process.stderr:
                    self._read(line.rstrip(), log)
                code = process.wait()
            finally:
                _end(process)  # an exception stops the task: a timeout, or an interrupted run
        if code == 0:
            return self._figures
        reason = " ".join(self._errors) or self._last_line
        message = f"{self.account}: zendesk-chat sync ended with exit code {code}: {reason}"
        raise SyncFailed(message, retry=code not in NEEDS_A_PERSON)

    def stop(self) -> None:
        """Ask the process to save what it has and to exit. ``run`` waits for it."""
        if self._process is not None:
            self._process.terminate()

    def _start(self) -> subprocess.Popen[str]:
        command = os.environ.get("ZENDESK_CHAT_COMMAND", "zendesk-chat")
        options = ["sync", "--accounts", str(_path()), "--only", self.account, "--log-format", "json"]
        try:
            return subprocess.Popen(
                [command, *options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # signals to the scheduler's process group would reach it twice, and force its end
            )
        except OSError as error:
            message = f"{command} cannot be run: {error.strerror}. Set ZENDESK_CHAT_COMMAND to the path of zendesk-chat."
            raise SyncFailed(message, retry=False) from None

    def _read(self, line: str, log: Log) -> None:
        """Log a line, and remember what the result needs. docs/logging.md describes the fields."""
        entry = _parsed(line)
        log(LEVELS.get(str(entry["level"]).upper(), logging.INFO), entry["message"])
        self._last_line = entry["message"] or self._last_line
        if entry["level"] == "error":
            self._errors.append(entry["message"])
        if entry.get("event") == "summary":
            self._figures = _figures(entry, self.account)


def _path() -> Path:
    return Path(os.environ.get("ZENDESK_CHAT_ACCOUNTS", FILE))


def _accounts_file() -> tuple[Path, dict[str, Any]]:
    path = _path()
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        reason = error.strerror if isinstance(error, OSError) else error
        raise SyncFailed(f"{path} cannot be read: {reason}", retry=False) from None


def _parsed(line: str) -> dict[str, Any]:
    """Return a line of the JSON log, or a line that is none, such as one of a crash, in the same form."""
    try:
        entry: dict[str, Any] = json.loads(line)
        return {"level": entry["level"], "message": entry["message"], **entry}
    except (ValueError, TypeError, KeyError):
        return {"level": "info", "message": line}


def _figures(summary: Mapping[str, Any], account: str) -> Figures:
    """Return the figures of an account. Only the exit code decides how a sync ended, so another form is no failure."""
    try:
        result = summary["accounts"][account]
        requests = sum(stream["requests"] for stream in result["streams"].values())
        return {"records": result["records"], "requests": requests, "seconds": result["seconds"]}
    except (KeyError, TypeError, AttributeError):
        return {}


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs: it saves what it has. Its output is read, so that it need not wait for that."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
