"""Airbyte's own standard tests, those of images included, against the executable and a sandbox.

The suite expects a source written in Python with its CDK. It gets an executable: where it would call into the source, the
executable is run, and where it would start a container, ``shim/docker`` runs the executable.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account import account, config_of
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from between import seen, stand_between
from checked import checked, checked_read
from connector import CHECKOUT, EXECUTABLE, discovered, names_in, start

ROOT = Path(tempfile.gettempdir()) / "source-zendesk-chat"
"""What the suite takes for the connector's directory. It is asked for while tests are collected, before there is a sandbox."""

ROOT.mkdir()
for name in ("acceptance-test-config.yml", "metadata.yaml"):
    shutil.copy(CHECKOUT / "distribution" / "airbyte" / name, ROOT)


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[None]:
    """The account, and the configurations that acceptance-test-config.yml names."""
    with account() as served:
        config = config_of(served)
        oauth = {
            "credentials": "oauth2.0",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "access_token": served.token,
            "refresh_token": "sandbox-refresh-token",
        }
        refused = {"credentials": "access_token", "access_token": "sandbox-token-that-is-refused"}
        (ROOT / "secrets").mkdir()
        (ROOT / "secrets/config.json").write_text(json.dumps(config))
        (ROOT / "secrets/oauth_config.json").write_text(json.dumps({**config, "credentials": oauth}))
        (ROOT / "secrets/invalid_config.json").write_text(json.dumps({**config, "credentials": refused}))
        yield


def run_executable(source: object, args: list[str], **expected: object) -> EntrypointOutput:  # noqa: ARG001  the suite's signature
    """What the suite calls instead of a source's entrypoint."""
    ended = start(args)
    checked(ended.stdout)
    if args[0] == "read" and ended.returncode == 0:
        catalog = json.loads(Path(args[args.index("--catalog") + 1]).read_text())
        checked_read(ended.stdout, names_in(catalog), discovered())
    failure = subprocess.CalledProcessError(ended.returncode, args, ended.stdout, ended.stderr) if ended.returncode else None
    return EntrypointOutput(ended.stdout.decode().splitlines(), failure, stderr=ended.stderr.decode())


class Executable:
    """What the suite takes for a source: it only wants to see a ``spec``."""

    def spec(self, logger: object) -> Any:
        """Never called: `run_executable` is."""
        raise NotImplementedError


class TestStandardSuite(SourceTestSuiteBase):
    """Every test that the suite has but one: pytest.ini leaves out the comparison with the spec in Airbyte's registry."""

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT

    @classmethod
    def create_connector(cls, scenario: object) -> Executable:  # noqa: ARG003  the suite's signature
        return Executable()

    @pytest.fixture(autouse=True)
    def run_the_executable(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_executable)
        contained = stand_between(tmp_path, EXECUTABLE)
        monkeypatch.setenv("CONNECTOR", str(contained))
        yield
        for ran in seen(contained):
            checked(ran.stdout)
            if ran.catalog:
                checked_read(ran.stdout, names_in(ran.catalog), discovered())

    @pytest.fixture
    def connector_image_override(self) -> str:
        return "source-zendesk-chat:checkout"

    @pytest.fixture
    def read_from_streams(self) -> str:
        return "all"
