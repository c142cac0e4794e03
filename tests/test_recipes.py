"""The recipes of deploy/ that run without an orchestrator; ``make recipes`` runs the others."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


account_sync = load(DEPLOY / "orchestrators" / "account_sync.py")


def manifest(name: str) -> Any:
    return yaml.safe_load((DEPLOY / "kubernetes" / name).read_text())


def test_the_cron_job_is_locked_down() -> None:
    job = manifest("base/cronjob.yaml")["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}


def test_the_cron_job_retries_what_can_be_retried_only() -> None:
    spec = manifest("base/cronjob.yaml")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    pod = spec["jobTemplate"]["spec"]
    (fail, ignore) = pod["podFailurePolicy"]["rules"]
    assert (fail["action"], fail["onExitCodes"]["values"]) == ("FailJob", list(account_sync.NEEDS_A_PERSON))
    assert ignore["action"] == "Ignore"
    assert pod["template"]["spec"]["restartPolicy"] == "Never"  # as podFailurePolicy wants it


def test_every_account_is_applied_and_has_a_minute_and_a_secret_of_its_own() -> None:
    folders = {path.name for path in (DEPLOY / "kubernetes" / "accounts").iterdir()}
    assert {name.removeprefix("accounts/") for name in manifest("kustomization.yaml")["resources"] if "/" in name} == folders
    minutes = set()
    for folder in folders:
        account = manifest(f"accounts/{folder}/kustomization.yaml")
        schedule, secret = yaml.safe_load(account["patches"][0]["patch"])
        assert account["nameSuffix"] == f"-{folder}"
        assert secret["value"] == f"zendesk-chat-{folder}"
        minutes.add(schedule["value"])
    assert len(minutes) == len(folders)


def test_the_page_names_files_and_headings_that_exist() -> None:
    page = (ROOT / "docs" / "many-accounts.md").read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) > 10
    for link in links:
        path, _, heading = link.partition("#")
        assert (ROOT / "docs" / path).exists(), link
        assert path or heading in headings, link
    for path in re.findall(r"deploy/[\w./-]+", page):
        assert (ROOT / path).exists(), path
