"""docs/schedule.md: its crontab lines, units, workflow, alert rules and accounts file are valid, and its commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from croniter import croniter  # type: ignore[import-untyped]  # dlt brings it, without types

from tests.support.executable import ROOT
from zendesk_chat.cli import make_parser
from zendesk_chat.errors import ExitCode
from zendesk_chat.load.accounts.accounts_file import CREDENTIALS, read_accounts
from zendesk_chat.load.metrics import METRICS

DOCUMENT = ROOT / "docs" / "schedule.md"
TEXT = DOCUMENT.read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def units() -> dict[str, str]:
    return dict(re.findall(r"^`/etc/systemd/system/([\w.-]+)`:\n\n```ini\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


def crontab_lines() -> list[str]:
    lines = [line for block in blocks("crontab") for line in block.splitlines() if line]
    return [line for line in lines if not re.match(r"[A-Z_]+=", line)]


def commands() -> Iterator[list[str]]:
    """Each command of ours on the page, as arguments."""
    text = "\n".join(content for _, content in re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
    for line in text.splitlines():
        if found := re.search(r"(?:^|[\s/\\=\"])zendesk-chat(?:\.exe)? ((?:sync|status|check)\b[^#>|\"]*)", line):
            yield shlex.split(found[1], posix="\\" not in found[1])


def test_each_crontab_line_has_a_valid_time_and_an_absolute_command() -> None:
    lines = crontab_lines()
    assert len(lines) == 3
    for line in lines:
        *time, command = line.split(maxsplit=5)
        assert croniter.is_valid(" ".join(time))
        assert command.startswith("/")
        assert "%" not in command.replace("\\%", "")
        assert "--token" not in command


def test_each_command_on_the_page_parses() -> None:
    found = list(commands())
    assert {arguments[0] for arguments in found} == {"sync", "status", "check"}
    for arguments in found:
        assert make_parser().parse(arguments).run


def test_the_units_say_what_systemd_knows() -> None:
    assert list(units()) == ["zendesk-chat.service", "zendesk-chat.timer"]
    service, timer = (_parsed(unit) for unit in units().values())
    assert service["Service"]["LoadCredential"] == "token:/etc/zendesk-chat/token"
    assert service["Service"]["RestartPreventExitStatus"] == f"{ExitCode.USAGE:d} {ExitCode.ACTION_NEEDED:d}"
    assert timer["Timer"]["Persistent"] == "yes"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name, content in units().items():
        (tmp_path / name).write_text(content.replace("/opt/zendesk-chat/bin/zendesk-chat", sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *(str(tmp_path / name) for name in units())],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in verified.stderr.splitlines() if "zendesk-chat" in line]
    assert complaints == []


def test_the_workflow_saves_the_file_also_after_a_failure_and_no_two_runs_overlap() -> None:
    workflow, _ = (yaml.safe_load(block) for block in blocks("yaml"))
    assert croniter.is_valid(workflow[True]["schedule"][0]["cron"])  # YAML takes the key `on` for a boolean
    assert workflow["concurrency"]
    steps: list[dict[str, Any]] = workflow["jobs"]["sync"]["steps"]
    restore, sync, save = steps[-3:]
    assert restore["with"]["path"] == save["with"]["path"] == shlex.split(sync["run"])[-1]
    assert restore["with"]["key"] == save["with"]["key"]
    assert restore["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert save["if"] == "always()"
    assert sync["env"]["ZENDESK_CHAT_TOKEN"].startswith("${{ secrets.")


def test_the_alert_rules_use_metrics_that_exist() -> None:
    _, rules = (yaml.safe_load(block) for block in blocks("yaml"))
    (group,) = rules["groups"]
    for rule in group["rules"]:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys()
        used = set(re.findall(r"zendesk_chat_\w+", rule["expr"]))
        assert used
        assert used <= METRICS.keys()


def test_the_table_has_each_metric() -> None:
    assert sorted(re.findall(r"^\| `(zendesk_chat_\w+)` \|", TEXT, re.MULTILINE)) == sorted(METRICS)


def test_the_accounts_file_is_valid_and_its_keys_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    (content,) = blocks("toml")
    path.write_text(content)
    file = read_accounts(path)
    assert [entry.account for entry in file.entries] == ["acme", "globex", "initech"]
    assert file.entries[1].values["to"] == f"duckdb:///{tmp_path}/data/globex.duckdb"
    listed = re.findall(r"^\| `(\w+)` \| (?:top|account)", TEXT, re.MULTILINE)
    assert set(listed) >= {"parallel", "to", "subdomain", *CREDENTIALS} - {"access_token", "credentials"}


def _parsed(unit: str) -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as the documentation of configparser does
    parser.read_string(unit)
    return parser
