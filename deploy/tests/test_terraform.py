"""The Terraform files: their syntax, that every name in them exists, and the provider's attributes.

Terraform itself and its registry are not needed, and are not tried.
"""

from __future__ import annotations

import re
from typing import Any

import hcl2

from tests.support.executable import ROOT, execute, files

FOLDER = ROOT / "deploy" / "terraform"
REQUIRED = {
    "airbyte_source_definition": {"docker_image_tag", "docker_repository", "name", "workspace_id"},
    "airbyte_source": {"configuration", "name", "workspace_id"},
    "airbyte_connection": {"destination_id", "source_id"},
}
"""Of the provider airbytehq/airbyte 1.3, read in its documentation in June 2026; OPTIONAL likewise."""
OPTIONAL = {
    "airbyte_source_definition": {"documentation_url"},
    "airbyte_source": {"definition_id", "resource_allocation", "secret_id"},
    "airbyte_connection": {
        "configurations",
        "data_residency",
        "name",
        "namespace_definition",
        "namespace_format",
        "non_breaking_schema_updates_behavior",
        "prefix",
        "schedule",
        "status",
        "tags",
    },
}
SYNC_MODES = {"full_refresh_overwrite", "full_refresh_append", "incremental_append", "incremental_deduped_history"}


def text() -> str:
    return "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.tf")))


def bare(value: Any) -> Any:
    """The parser keeps quotes and markers of its own; without them."""
    if isinstance(value, dict):
        return {bare(key): bare(inner) for key, inner in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [bare(inner) for inner in value]
    return value.strip('"') if isinstance(value, str) else value


def parsed() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = bare(hcl2.loads(text()))
    return found


def resources() -> dict[str, dict[str, Any]]:
    return {kind: body for block in parsed()["resource"] for kind, named in block.items() for body in named.values()}


def test_each_resource_has_the_attributes_that_the_provider_knows() -> None:
    found = resources()
    assert found.keys() == REQUIRED.keys()
    for kind, body in found.items():
        assert body.keys() - {"for_each"} <= REQUIRED[kind] | OPTIONAL[kind], kind
        assert body.keys() >= REQUIRED[kind], kind


def test_every_name_that_is_used_is_declared_and_every_declared_one_is_used() -> None:
    everything = re.sub(r"#.*", "", text())
    variables = {name for block in parsed()["variable"] for name in block}
    local = {name for block in parsed()["locals"] for name in block}
    assert set(re.findall(r"\bvar\.(\w+)", everything)) == variables
    assert set(re.findall(r"\blocal\.(\w+)", everything)) == local
    declared = {f"{kind}.{name}" for block in parsed()["resource"] for kind, named in block.items() for name in named}
    assert set(re.findall(r"\bairbyte_\w+\.\w+", everything)) <= declared


def test_secrets_are_sensitive_and_are_not_in_the_example() -> None:
    sensitive = {name for block in parsed()["variable"] for name, body in block.items() if body.get("sensitive")}
    assert sensitive == {"airbyte_client_id", "airbyte_client_secret", "access_tokens"}
    example = (FOLDER / "accounts.tfvars.example").read_text()
    given = set(bare(hcl2.loads(example)))
    assert given == {name for block in parsed()["variable"] for name in block} - sensitive
    assert all(f"TF_VAR_{name}=" in example for name in sensitive)


def test_the_streams_and_their_sync_modes_are_those_of_the_source(tmp_path: Any) -> None:
    credentials = {"credentials": "access_token", "access_token": "sandbox-token"}
    config = {"start_date": "2026-01-01T00:00:00Z", "subdomain": "demo", "credentials": credentials}
    (catalog,) = execute("discover", *files(tmp_path, config=config)).output.payloads("CATALOG")
    can = {stream["name"]: "incremental" in stream["supported_sync_modes"] for stream in catalog["streams"]}
    (modes,) = (block["sync_modes"] for block in parsed()["locals"])
    assert {name: mode.startswith("incremental") for name, mode in modes.items()} == can
    assert set(modes.values()) <= SYNC_MODES
    (accounts,) = (block["accounts"] for block in parsed()["variable"] if "accounts" in block)
    assert set(re.findall(r'"([a-z_]+)"', str(accounts["type"]))) >= can.keys()
