"""metadata.yaml agrees with the code: version, streams, hosts, heartbeat and memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.support.executable import EXECUTABLE, environment, files
from tests.support.in_process import catalog_of
from tests.support.sandbox import config_of
from zendesk_chat import __version__
from zendesk_chat.airbyte.read import KEEP_ALIVE_SECONDS
from zendesk_chat.clock import POLL_SECONDS
from zendesk_chat.config import parse_config
from zendesk_chat.engine.run import HEARTBEAT_SECONDS
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Fault, Sandbox, Switches

ROOT = Path(__file__).parent.parent
METADATA: dict[str, Any] = msgspec.yaml.decode((ROOT / "distribution/airbyte/metadata.yaml").read_bytes())
DATA: dict[str, Any] = METADATA["data"]
SPEC = json.loads((ROOT / "src/zendesk_chat/airbyte/spec.json").read_bytes())
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
COMMANDS = {"spec": "get_spec", "check": "check_connection", "discover": "discover_schema", "read": "sync"}
MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
sys.stderr.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
"""
THEIR_DEFINITION = UUID("40d24d0f-b8f9-4fe0-9e6c-b06c0f3f45e4")


def resources(job: str) -> dict[str, str]:
    (found,) = [entry for entry in DATA["resourceRequirements"]["jobSpecific"] if entry["jobType"] == job]
    return dict(found["resourceRequirements"])


def in_bytes(quantity: str) -> int:
    (parts,) = re.findall(r"^(\d+)(Ki|Mi|Gi)$", quantity)
    return int(parts[0]) * UNITS[parts[1]]


def test_the_version_is_the_packages() -> None:
    assert DATA["dockerImageTag"] == __version__


def test_what_the_registry_requires_is_there() -> None:
    assert METADATA["metadataSpecVersion"] == "1.0"
    assert (DATA["connectorType"], DATA["connectorSubtype"]) == ("source", "api")
    assert (DATA["dockerRepository"], DATA["githubIssueLabel"]) == ("source-zendesk-chat", "source-zendesk-chat")
    assert (DATA["name"], DATA["releaseStage"], DATA["supportLevel"]) == ("Zendesk Chat (community)", "alpha", "community")
    assert "language:python" in DATA["tags"]
    assert DATA["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_it_is_another_definition_than_airbytes_own_connector() -> None:
    assert UUID(DATA["definitionId"]) != THEIR_DEFINITION


def test_it_agrees_with_the_spec() -> None:
    assert DATA["documentationUrl"] == SPEC["documentationUrl"]
    assert DATA["protocolVersion"] == SPEC["protocol_version"]


def test_every_stream_is_suggested() -> None:
    assert DATA["suggestedStreams"]["streams"] == list(STREAMS)


@pytest.mark.parametrize("subdomain", ["acme", "acme.zendesk.com", "https://acme.zendesk.com/"])
def test_the_host_that_is_asked_is_allowed_and_no_other(subdomain: str) -> None:
    token = {"credentials": "access_token", "access_token": "sandbox-token"}
    config = parse_config({"start_date": "2026-01-01T00:00:00Z", "subdomain": subdomain, "credentials": token})
    host = config.origin.removeprefix("https://")
    assert [pattern for pattern in DATA["allowedHosts"]["hosts"] if fnmatchcase(host, pattern)] == ["*.zendesk.com"]
    assert len(DATA["allowedHosts"]["hosts"]) == 1


def test_the_heartbeat_is_longer_than_the_keep_alive() -> None:
    longest = KEEP_ALIVE_SECONDS + HEARTBEAT_SECONDS + POLL_SECONDS  # due, but noticed only by the next event or heartbeat
    (documented,) = re.findall(r"at least every (\d+) seconds", (ROOT / "distribution/airbyte/metadata.yaml").read_text())
    assert longest <= int(documented) <= 0.75 * DATA["maxSecondsBetweenMessages"]


@pytest.mark.parametrize("job", COMMANDS.values())
def test_no_request_is_above_its_limit(job: str) -> None:
    given = resources(job)
    assert in_bytes(given["memory_request"]) <= in_bytes(given["memory_limit"])
    assert float(given["cpu_request"]) <= float(given["cpu_limit"])


def peak_bytes(*command: str) -> int:
    """The largest resident memory of a command that succeeds, started from a process smaller than this one: a fork inherits."""
    launcher = [sys.executable, "-c", MEASURED, str(EXECUTABLE), *command]
    done = subprocess.run(launcher, capture_output=True, text=True, env=environment(), check=True)
    return int(done.stderr) * 1024


@pytest.mark.long
def test_each_command_fits_into_the_memory_that_it_requests(tmp_path: Path) -> None:
    """`read` with all streams, side by side, and chats from an API slow enough to be read in several windows."""
    with Sandbox(chats=8000, switches=Switches(rate_limit=0)) as sandbox:
        sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=0.3, times=None))
        options = files(tmp_path, config=config_of(sandbox), catalog=catalog_of())
        peaks = {
            "spec": peak_bytes("spec"),
            "discover": peak_bytes("discover", *options[:2]),
            "check": peak_bytes("check", *options[:2]),
            "read": peak_bytes("read", *options),
        }
    requested = {command: in_bytes(resources(job)["memory_request"]) for command, job in COMMANDS.items()}
    assert {command: peak for command, peak in peaks.items() if peak > requested[command]} == {}


def test_the_icon_is_a_square_picture_of_our_own() -> None:
    icon = ET.parse(ROOT / "distribution/airbyte" / DATA["icon"]).getroot()
    assert icon.tag == "{http://www.w3.org/2000/svg}svg"
    assert icon.get("viewBox") == f"0 0 {icon.get('width')} {icon.get('height')}"
    assert icon.get("width") == icon.get("height")
    assert not [element for element in icon.iter() if any("href" in name for name in element.attrib)], "it loads nothing"


def test_the_scenarios_name_the_configs_of_the_standard_tests() -> None:
    standard = msgspec.yaml.decode((ROOT / "distribution/airbyte/acceptance-test-config.yml").read_bytes())
    used = {test["config_path"] for part in standard["acceptance_tests"].values() for test in part["tests"]}
    smoke = [suite for suite in DATA["connectorTestSuitesOptions"] if suite["suite"] == "smokeTests"]
    assert {scenario["configFile"] for suite in smoke for scenario in suite["scenarios"]} <= used
