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
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from between import pass_through, seen
from connector import account, checked, checked_read, config_of

from tests.support.executable import EXECUTABLE, ROOT, execute, names_in
from tests.support.sandbox import OAUTH

FOLDER = Path(tempfile.gettempdir()) / "source-zendesk-chat"
"""What the suite takes for the connector's directory. It is asked for while tests are collected, before there is a sandbox."""

FOLDER.mkdir()
for name in ("acceptance-test-config.yml", "metadata.yaml"):
    shutil.copy(ROOT / "distribution" / "airbyte" / name, FOLDER)


@pytest.fixture(scope="module", autouse=True)
def sandbox() -> Iterator[None]:
    """The account, and the configurations that acceptance-test-config.yml names."""
    with account() as served:
        config = config_of(served)
        oauth = {**OAUTH, "access_token": served.token}
        refused = {"credentials": "access_token", "access_token": "sandbox-token-that-is-refused"}
        (FOLDER / "secrets").mkdir()
        (FOLDER / "secrets/config.json").write_text(json.dumps(config))
        (FOLDER / "secrets/oauth_config.json").write_text(json.dumps({**config, "credentials": oauth}))
        (FOLDER / "secrets/invalid_config.json").write_text(json.dumps({**config, "credentials": refused}))
        yield


def run_executable(source: object, args: list[str], **expected: object) -> EntrypointOutput:  # noqa: ARG001  the suite's signature
    """What the suite calls instead of a source's entrypoint."""
    done = execute(*args)
    checked(done.stdout)
    if args[0] == "read" and done.code == 0:
        catalog = json.loads(Path(args[args.index("--catalog") + 1]).read_text())
        checked_read(done.stdout, names_in(catalog))
    failure = subprocess.CalledProcessError(done.code, args, done.stdout, done.stderr) if done.code else None
    return EntrypointOutput(done.stdout.decode().splitlines(), failure, stderr=done.stderr)


class Executable:
    """What the suite takes for a source: it only wants to see a ``spec``."""

    def spec(self, logger: object) -> Any:
        """Never called: `run_executable` is."""
        raise NotImplementedError


class TestStandardSuite(SourceTestSuiteBase):
    """Every test that the suite has but one: pytest.ini deselects the comparison with the spec in Airbyte's registry."""

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return FOLDER

    @classmethod
    def create_connector(cls, scenario: object) -> Executable:  # noqa: ARG003  the suite's signature
        return Executable()

    @pytest.fixture(autouse=True)
    def run_the_executable(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_executable)
        contained = pass_through(tmp_path, EXECUTABLE)
        monkeypatch.setenv("CONNECTOR", str(contained))
        yield
        for ran in seen(contained):
            checked(ran.stdout)
            if ran.catalog:
                checked_read(ran.stdout, names_in(ran.catalog))

    @pytest.fixture
    def connector_image_override(self) -> str:
        return "source-zendesk-chat:checkout"

    @pytest.fixture
    def read_from_streams(self) -> str:
        return "all"
