"""The pods of the chart, run by a container engine as the kubelet would: same arguments, user, limits and mounts.

``make image`` builds the image that they need. The engine is no Kubernetes: scheduling, retries and policies are not tested.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from deploy.tests.kubernetes.chart import Rendered, render, values_file
from distribution.image import engine
from tests.support.sandbox import small
from zendesk_chat_sandbox import Sandbox


def image_exists() -> bool:
    command = [*engine.found(), "image", "inspect", engine.LOADER]
    return (
        bool(engine.found())
        and not subprocess.run(command, env=engine.environment(), capture_output=True, check=False).returncode
    )


pytestmark = pytest.mark.skipif(not image_exists(), reason="no container engine has the image of the loader; run: make image")


def mounted(contents: Mapping[str, str], folder: Path) -> Path:
    """A folder as the kubelet mounts a ConfigMap or a Secret: links to a folder of the current version."""
    version = folder / "..2026_11_29"
    for name, content in contents.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "..data").symlink_to(version.name)
    for name in {name.split("/")[0] for name in contents}:
        (folder / name).symlink_to(f"..data/{name}")
    return folder


def volume(spec: Mapping[str, Any], rendered: Rendered, secrets: Mapping[str, str], folder: Path) -> Path:
    """The content of a volume of a pod. ``secrets`` has the token of each Secret."""
    claim = spec.get("persistentVolumeClaim", {}).get("claimName")
    path = folder / (claim or spec["name"])
    path.mkdir(exist_ok=True)
    path.chmod(0o777)  # as fsGroup does
    if "configMap" in spec:
        mounted(rendered.of("ConfigMap")[spec["configMap"]["name"]]["data"], path)
    if "projected" in spec:
        found = [source["secret"] for source in spec["projected"]["sources"]]
        items = [(item, secrets.get(secret["name"])) for secret in found for item in secret["items"]]
        mounted({item["path"]: token for item, token in items if token and item["key"] == "token"}, path)
    return path


def run_pod(name: str, rendered: Rendered, secrets: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the pod of a CronJob once."""
    pod = rendered.pods()[name]
    (container,) = pod["containers"]
    scratch = folder / f"{name}-pod"
    scratch.mkdir()
    shared = {one["name"]: folder if "persistentVolumeClaim" in one else scratch for one in pod["volumes"]}
    volumes = {one["name"]: volume(one, rendered, secrets, shared[one["name"]]) for one in pod["volumes"]}
    mounts = [
        f"--volume={volumes[mount['name']]}:{mount['mountPath']}{':ro' if mount.get('readOnly') else ''}"
        for mount in container["volumeMounts"]
    ]
    user, group = pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]
    memory = container["resources"]["limits"]["memory"].lower().removesuffix("i")
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    options = [
        "--read-only", f"--user={user}:{group}", "--security-opt=no-new-privileges", "--network=host",
        f"--memory={memory}", f"--memory-swap={memory}",
        *(f"--cap-drop={dropped}" for dropped in security["capabilities"]["drop"]),
    ]  # fmt: skip
    command = [*engine.command(), "run", "--rm", *options, *mounts, engine.LOADER, *container["args"]]
    return subprocess.run(command, env=engine.environment(), capture_output=True, text=True, check=False)


@pytest.fixture
def accounts() -> Iterator[dict[str, Sandbox]]:
    with small(60) as acme, small(40) as globex:
        yield {"acme": acme, "globex": globex}


def values(accounts: Mapping[str, Sandbox], **more: Any) -> dict[str, Any]:
    settings = {name: {"settings": {"api_url": sandbox.url}} for name, sandbox in accounts.items()}
    return {"accounts": settings, "metrics": {"enabled": True}, **more}


def tokens(accounts: Mapping[str, Sandbox]) -> dict[str, str]:
    return {f"zendesk-chat-{name}": f"{sandbox.token}\n" for name, sandbox in accounts.items()}


def chats(path: Path, schema: str = "main") -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {id_ for (id_,) in connection.sql(f"SELECT id FROM {schema}.chats").fetchall()}


def test_each_account_loads_into_its_volume_and_leaves_metrics(accounts: dict[str, Sandbox], tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    rendered = render(values_file(values(accounts), tmp_path))
    for account, sandbox in accounts.items():
        done = run_pod(f"zendesk-chat-{account}", rendered, tokens(accounts), tmp_path)
        assert done.returncode == 0, done.stderr
        assert chats(tmp_path / f"zendesk-chat-{account}" / f"{account}.duckdb") == set(sandbox.account.chat_ids())
    files = {path.name for path in (tmp_path / "zendesk-chat-metrics-files").iterdir()}
    assert files == {"zendesk-chat-acme.prom", "zendesk-chat-globex.prom"}


def test_one_pod_loads_all_accounts_and_names_the_one_without_a_secret(accounts: dict[str, Sandbox], tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    given = values(accounts, oneCronJob=True, settings={"to": "/data/all.duckdb", "schema": "{account}"})
    given["accounts"]["initech"] = {}
    rendered = render(values_file(given, tmp_path))
    done = run_pod("zendesk-chat", rendered, tokens(accounts), tmp_path)
    assert done.returncode == 3
    assert "/run/secrets/zendesk-chat/initech/token does not exist" in done.stderr
    for account, sandbox in accounts.items():
        assert chats(tmp_path / "zendesk-chat" / "all.duckdb", account) == set(sandbox.account.chat_ids())
