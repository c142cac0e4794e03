"""Before anything of Airbyte is imported: no telemetry, no registry, nothing written outside of a folder that is deleted."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="conformance-"))
_folder.chmod(0o755)  # another user runs the source in the pod's tests
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ.update(
    DO_NOT_TRACK="1",
    AIRBYTE_OFFLINE_MODE="1",
    AIRBYTE_NO_UV="1",
    AIRBYTE_LOGGING_ROOT=f"{_folder}/logs",
    AIRBYTE_PROJECT_DIR=str(_folder),
    HOME=str(_folder),
    TMPDIR=str(_folder),
    # Airbyte's suite asks while it is imported whether there is a docker.
    PATH=f"{Path(__file__).parent / 'shim'}:{os.environ.get('PATH', os.defpath)}",
)
tempfile.tempdir = str(_folder)

pytest_plugins = ("airbyte_cdk.test.standard_tests.pytest_hooks",)
