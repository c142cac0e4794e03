"""The values and the network policy for Airbyte's chart. The chart itself is not rendered: no package contains it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy.tests.kubernetes.chart import NEWEST, OLDEST, problems
from tests.support.executable import ROOT

FOLDER = ROOT / "deploy" / "airbyte"
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


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_accepts_the_network_policy(version: str) -> None:
    (policy,) = yaml.safe_load_all((FOLDER / "networkpolicy.yaml").read_text())
    assert list(problems(policy, version)) == []


def test_the_values_have_only_keys_that_the_chart_reads() -> None:
    values = yaml.safe_load((FOLDER / "values.yaml").read_text())
    for path, keys in KNOWN.items():
        found: Any = values
        for part in path.split("."):
            found = found[part]
        assert set(found) <= keys, path
    for container in values["global"]["workloads"]["resources"].values():
        assert set(container) <= {"cpu", "memory"}
        amounts = [amount for resource in container.values() for amount in resource.items()]
        assert all(kind in {"request", "limit"} and re.fullmatch(r"\d+(m|Mi|Gi)", amount) for kind, amount in amounts)
