"""The metrics of the chart: node_exporter serves the files of all accounts, and Prometheus' own tool checks the alerts."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from deploy.tests.kubernetes.chart import Rendered, render, values_file
from tests.support.executable import ROOT
from zendesk_chat_sandbox import Sandbox

EXPORTER = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
PROMTOOL = shutil.which("promtool")
ACCOUNTS: dict[str, Any] = {"acme": {}, "globex": {}, "paused": {"suspend": True}, "slow": {"lateAfterHours": 9}}
HOUR = 3600


@pytest.fixture
def rendered(tmp_path: Path) -> Rendered:
    return render(values_file({"accounts": ACCOUNTS, "metrics": {"enabled": True}, "alerts": {"enabled": True}}, tmp_path))


@contextmanager
def exporter(container: dict[str, Any], folder: Path, log: Path) -> Iterator[str]:
    """node_exporter with the arguments of the Deployment, but another address and folder."""
    assert EXPORTER is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (mount,) = container["volumeMounts"]
    changed = {"--web.listen-address=:9100": f"--web.listen-address={address}"}
    arguments = [changed.get(one, one.replace(f"={mount['mountPath']}", f"={folder}")) for one in container["args"]]
    assert arguments[0] != container["args"][0]
    assert arguments[-1] != container["args"][-1]
    with log.open("wb") as stderr:
        process = subprocess.Popen([EXPORTER, *arguments], stderr=stderr)
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(10)


def fetched(url: str) -> str:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


def sync(account: str, token: str, sandbox: Sandbox, folder: Path) -> int:
    """What the CronJob of an account runs."""
    (folder / account).write_text(token)
    file = folder / f"{account}.toml"
    settings = {"token_file": "{account}", "to": "{account}.duckdb", "api_url": sandbox.url, "streams": ["goals"]}
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    file.write_text("\n".join([*lines, f"[accounts.{account}]", ""]))
    options = [f"--accounts={file}", f"--metrics-file={folder}/metrics/{account}.prom"]
    return subprocess.run([ROOT / ".venv/bin/zendesk-chat", "sync", "--quiet", *options], check=False).returncode


@pytest.mark.skipif(EXPORTER is None, reason="node_exporter is not installed")
def test_one_scrape_has_the_metrics_of_all_accounts(rendered: Rendered, tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    with Sandbox(chats=5) as sandbox:
        assert sync("acme", sandbox.token, sandbox, tmp_path) == 0
        assert sync("globex", "wrong", sandbox, tmp_path) == 3
    (deployment,) = rendered.of("Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    log = tmp_path / "exporter.log"
    with exporter(container, tmp_path / "metrics", log) as url:
        fetched(f"{url}{container['readinessProbe']['httpGet']['path']}")
        families = {family.name: family for family in text_string_to_metric_families(fetched(f"{url}/metrics"))}
    codes = {sample.labels["account"]: sample.value for sample in families["zendesk_chat_last_run_exit_code"].samples}
    assert codes == {"acme": 0, "globex": 3}
    assert {sample.labels["account"] for sample in families["zendesk_chat_build_info"].samples} == {"acme", "globex"}
    assert families["node_textfile_scrape_error"].samples[0].value == 0
    assert "level=error" not in log.read_text()


def test_the_pod_monitor_selects_the_pod_and_the_port_of_the_exporter(rendered: Rendered) -> None:
    (monitor,) = rendered.of("PodMonitor").values()
    (template,) = [one["spec"]["template"] for one in rendered.of("Deployment").values()]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (container,) = template["spec"]["containers"]
    assert {"name": endpoint["port"], "containerPort": 9100} in container["ports"]


def test_each_sync_writes_a_file_of_its_own_into_the_folder_that_is_served(rendered: Rendered) -> None:
    (deployment,) = rendered.of("Deployment").values()
    served = deployment["spec"]["template"]["spec"]["volumes"]
    files = set()
    for name, pod in rendered.pods().items():
        (container,) = pod["containers"]
        assert served[0] in pod["volumes"]
        (option,) = [one for one in container["args"] if one.startswith("--metrics-file=")]
        assert option == f"--metrics-file=/metrics/{name}.prom"
        files.add(option)
    assert len(files) == len(ACCOUNTS)


def of_cronjob(metric: str, account: str, value: str) -> dict[str, str]:
    labels = f'namespace="zendesk-chat", cronjob="zendesk-chat-{account}"'
    return {"series": f"{metric}{{{labels}}}", "values": value}


def of_job(metric: str, job: str, value: str, more: str = "") -> dict[str, str]:
    return {"series": f'{metric}{{namespace="zendesk-chat", job_name="{job}"{more}}}', "values": value}


def job(name: str, account: str, start: int, *, failed: bool) -> list[dict[str, str]]:
    owner = f', owner_kind="CronJob", owner_name="zendesk-chat-{account}", owner_is_controller="true"'
    return [
        of_job("kube_job_status_start_time", name, f"{start}x1000"),
        of_job("kube_job_owner", name, "1x1000", owner),
        of_job("kube_job_failed", name, f"{int(failed)}x1000", ', condition="true"'),
    ]


def of_account(metric: str, account: str, value: str) -> dict[str, str]:
    return {"series": f'zendesk_chat_{metric}{{namespace="zendesk-chat", account="{account}"}}', "values": value}


Firing = set[tuple[str, str, str]]
"""Alerts: the name, and the label that names what it is about."""

SITUATIONS: dict[str, tuple[list[dict[str, str]], Firing]] = {
    "every sync succeeds": (
        [
            of_cronjob("kube_cronjob_created", "acme", "0x1000"),
            of_cronjob("kube_cronjob_spec_suspend", "acme", "0x1000"),
            of_cronjob("kube_cronjob_status_last_successful_time", "acme", f"{9 * HOUR}x1000"),
            *job("earlier", "acme", 8 * HOUR, failed=True),
            *job("last", "acme", 9 * HOUR, failed=False),
            of_account("last_run_exit_code", "acme", "0x1000"),
            of_account("last_run_timestamp_seconds", "acme", f"{9 * HOUR}x1000"),
            of_account("last_success_timestamp_seconds", "acme", f"{9 * HOUR}x1000"),
        ],
        set(),
    ),
    "no sync has succeeded for long": (
        [
            of_cronjob("kube_cronjob_created", "acme", "0x1000"),
            of_cronjob("kube_cronjob_status_last_successful_time", "acme", f"{6 * HOUR}x1000"),
            of_cronjob("kube_cronjob_created", "of-another-release", "0x1000"),
        ],
        {("ZendeskChatLate", "cronjob", "zendesk-chat-acme")},
    ),
    "no sync has ever succeeded": (
        [
            of_cronjob("kube_cronjob_created", "acme", "0x1000"),
            of_cronjob("kube_cronjob_created", "globex", f"{9 * HOUR}x1000"),
        ],
        {("ZendeskChatLate", "cronjob", "zendesk-chat-acme")},
    ),
    "an account with fewer syncs may be later": (
        [
            of_cronjob("kube_cronjob_created", "slow", "0x1000"),
            of_cronjob("kube_cronjob_status_last_successful_time", "slow", f"{2 * HOUR}x1000"),
            of_account("last_run_timestamp_seconds", "slow", f"{2 * HOUR}x1000"),
            of_account("last_success_timestamp_seconds", "slow", f"{2 * HOUR}x1000"),
        ],
        set(),
    ),
    "an account with fewer syncs is late too": (
        [
            of_cronjob("kube_cronjob_created", "slow", "0x1000"),
            of_account("last_run_timestamp_seconds", "slow", "0x1000"),
            of_account("last_success_timestamp_seconds", "slow", "0x1000"),
        ],
        {("ZendeskChatLate", "cronjob", "zendesk-chat-slow"), ("ZendeskChatAccountLate", "account", "slow")},
    ),
    "a suspended account is late": (
        [
            of_cronjob("kube_cronjob_created", "paused", "0x1000"),
            of_cronjob("kube_cronjob_spec_suspend", "paused", "1x1000"),
            of_account("last_run_timestamp_seconds", "paused", "0x1000"),
            of_account("last_success_timestamp_seconds", "paused", "0x1000"),
        ],
        set(),
    ),
    "the last sync failed": (
        [
            of_cronjob("kube_cronjob_created", "acme", "0x1000"),
            of_cronjob("kube_cronjob_status_last_successful_time", "acme", f"{8 * HOUR}x1000"),
            *job("last", "acme", 9 * HOUR, failed=True),
        ],
        {("ZendeskChatFailed", "owner_name", "zendesk-chat-acme")},
    ),
    "the first sync failed": (
        [of_cronjob("kube_cronjob_created", "globex", f"{8 * HOUR}x1000"), *job("first", "globex", 9 * HOUR, failed=True)],
        {("ZendeskChatFailed", "owner_name", "zendesk-chat-globex")},
    ),
    "an account needs a person": (
        [
            of_account("last_run_exit_code", "acme", "3x1000"),
            of_account("last_run_exit_code", "globex", "1x1000"),
            of_account("last_run_exit_code", "removed", "3x1000"),
        ],
        {("ZendeskChatNeedsAPerson", "account", "acme")},
    ),
    "an account of several is late": (
        [
            of_account("last_run_timestamp_seconds", "acme", f"{9 * HOUR}x1000"),
            of_account("last_success_timestamp_seconds", "acme", f"{5 * HOUR}x1000"),
            of_account("last_run_timestamp_seconds", "globex", f"{9 * HOUR}x1000"),
            of_account("last_success_timestamp_seconds", "removed", f"{1 * HOUR}x1000"),
        ],
        {("ZendeskChatAccountLate", "account", "acme"), ("ZendeskChatNeverSucceeded", "account", "globex")},
    ),
}
"""Metrics that do not change, and the alerts that fire after ten hours."""


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_alerts_fire_when_they_should(situation: str, rendered: Rendered, tmp_path: Path) -> None:
    series, firing = SITUATIONS[situation]
    (rule,) = rendered.of("PrometheusRule").values()
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    labels = [f'{{alertname="{name}", {label}="{value}"}}' for name, label, value in sorted(firing)]
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": 'count by (alertname, cronjob, owner_name, account) (ALERTS{alertstate="firing"})',
                "eval_time": "10h",
                "exp_samples": [{"labels": one, "value": 1} for one in labels],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [test]}))
    done = subprocess.run([str(PROMTOOL), "test", "rules", tmp_path / "test.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
