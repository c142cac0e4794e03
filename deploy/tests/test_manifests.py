"""The manifests: what kubectl makes of them, against Kubernetes' own schemas."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.executable import ROOT

DEPLOY = ROOT / "deploy"
FOLDER = DEPLOY / "kubernetes"
KNOWN = {
    "global": {"jobs", "workloads"},
    "global.jobs": {"kube"},
    "global.jobs.kube": {"mainContainerImagePullSecret", "labels"},
    "global.workloads": {"resources"},
    "global.workloads.resources": {"mainContainer", "check", "discover"},
    "worker": {"maxSyncWorkers"},
    "workloadLauncher": {"parallelism"},
}
"""Keys of Airbyte's chart 2, read in its values and templates in August 2026, as far as they are used here."""


def documents(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


def built() -> list[Any]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl, which holds kustomize, is not installed")
    return documents(subprocess.run([kubectl, "kustomize", FOLDER], check=True, capture_output=True, text=True).stdout)


def plain() -> list[Any]:
    files = [
        *FOLDER.glob("base/*.yaml"),
        FOLDER / "namespace.yaml",
        FOLDER / "networkpolicy.yaml",
        DEPLOY / "airbyte/networkpolicy.yaml",
    ]
    return [one for file in files for one in documents(file.read_text()) if one["kind"] != "Kustomization"]


@pytest.mark.parametrize("version", ["1.30.0", kubernetes_validate.latest_version()])
def test_kubernetes_takes_every_manifest(version: str) -> None:
    given = plain()
    assert {one["kind"] for one in given} == {"CronJob", "PersistentVolumeClaim", "Namespace", "NetworkPolicy"}
    for one in given:
        kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_would_notice_a_wrong_field() -> None:
    (job,) = (one for one in plain() if one["kind"] == "CronJob")
    job["spec"]["concurencyPolicy"] = job["spec"].pop("concurrencyPolicy")
    with pytest.raises(kubernetes_validate.ValidationError, match="concurencyPolicy"):
        kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)


def test_kustomize_gives_each_account_its_own_of_everything() -> None:
    made = built()
    for one in made:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    jobs = {one["metadata"]["name"]: one["spec"] for one in made if one["kind"] == "CronJob"}
    volumes = {one["metadata"]["name"] for one in made if one["kind"] == "PersistentVolumeClaim"}
    assert set(jobs) == volumes == {"zendesk-chat-acme", "zendesk-chat-globex"}
    for name, spec in jobs.items():
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": name}}]
        assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": name}
        assert container["image"].startswith("ghcr.io/acme/zendesk-chat-sync:")
    assert len({spec["schedule"] for spec in jobs.values()}) == 2


def test_the_network_policy_selects_the_pods_of_the_jobs() -> None:
    made = built()
    (policy,) = (one["spec"] for one in made if one["kind"] == "NetworkPolicy")
    pods = [one["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] for one in made if one["kind"] == "CronJob"]
    assert all(policy["podSelector"]["matchLabels"].items() <= labels.items() for labels in pods)
    cilium = yaml.safe_load((FOLDER / "cilium.yaml").read_text())["spec"]
    assert cilium["endpointSelector"] == policy["podSelector"]


def test_the_values_have_only_keys_that_the_chart_reads() -> None:
    values = yaml.safe_load((DEPLOY / "airbyte" / "values.yaml").read_text())
    for path, keys in KNOWN.items():
        found: Any = values
        for part in path.split("."):
            found = found[part]
        assert set(found) <= keys, path
    for container in values["global"]["workloads"]["resources"].values():
        assert set(container) <= {"cpu", "memory"}
        amounts = [amount for resource in container.values() for amount in resource.items()]
        assert all(kind in {"request", "limit"} and re.fullmatch(r"\d+(m|Mi|Gi)", amount) for kind, amount in amounts)
