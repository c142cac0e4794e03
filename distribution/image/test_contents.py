"""The contents of the image, its labels, and how it starts."""

import json
from typing import Any

from distribution.image import engine
from distribution.image.running import ENTRYPOINT, run, shell
from distribution.release.packages import locked
from zendesk_chat import __version__

INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({found.name: found.version for found in distributions()}))
"""
PYTHON = "/opt/zendesk-chat/bin/python"


def inspected() -> dict[str, Any]:
    (image,) = json.loads(engine.ask("image", "inspect", engine.IMAGE))
    config: dict[str, Any] = image["Config"]
    return config


def test_the_entry_point_is_one_and_absolute() -> None:
    config = inspected()
    assert config["Entrypoint"] == [ENTRYPOINT]
    assert f"AIRBYTE_ENTRYPOINT={ENTRYPOINT}" in config["Env"]
    assert config["User"] == "1000:1000"
    assert not [variable for variable in config["Env"] if variable.startswith("PYTHONUNBUFFERED")]


def test_labels_say_which_version_it_is() -> None:
    labels = inspected()["Labels"]
    assert labels["io.airbyte.name"] == "source-zendesk-chat"
    assert labels["io.airbyte.version"] == labels["org.opencontainers.image.version"] == __version__
    assert run(engine.IMAGE, "--version").decode() == f"source-zendesk-chat {__version__}\n"
    assert run(engine.IMAGE).startswith(b"usage: source-zendesk-chat")


def test_it_holds_the_locked_packages_and_no_other() -> None:
    installed = json.loads(run(engine.IMAGE, "-c", INSTALLED, options=(f"--entrypoint={PYTHON}",)))
    assert installed == {package.name: package.version for package in locked()} | {"zendesk-chat": __version__}


def test_it_has_a_shell_but_nothing_to_build_with() -> None:
    found = shell("command -v sh gcc cc make pip pip3 uv git curl; python3 -c 'import pip' 2>&1; exit 0").decode().splitlines()
    assert found[0] == "/usr/bin/sh" or found[0] == "/bin/sh"
    assert [line for line in found if line.startswith("/")] == found[:1]
    assert found[-1] == "ModuleNotFoundError: No module named 'pip'"


def test_the_user_owns_the_directories_that_airbyte_knows() -> None:
    listed = shell("stat -c '%n %U %u:%g' /airbyte /config /secrets; id -un; pwd").decode().splitlines()
    owned = [f"{path} airbyte 1000:1000" for path in ("/airbyte", "/config", "/secrets")]
    assert listed == [*owned, "airbyte", "/airbyte"]


def test_no_module_is_compiled_at_a_start() -> None:
    """Nobody can write bytecode to a read-only root, so what is not compiled would be compiled at every start."""
    line = f"{PYTHON} -v -c 'import zendesk_chat.cli, zendesk_chat.airbyte.read, urllib3' 2>&1"
    logged = shell(line).decode().splitlines()
    assert [entry for entry in logged if entry.startswith("# code object from") and entry.rstrip("'").endswith(".py")] == []
    assert sum(entry.startswith("# code object from") for entry in logged) > 100


def test_it_is_small() -> None:
    """Airbyte's own connector needs 337 MB of Python packages alone."""
    assert engine.size_bytes(engine.IMAGE) < 150e6
