"""The sdist and the wheel hold what they should; the wheel works in an empty environment, without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import duckdb
import pytest

from distribution.release.packages import locked
from zendesk_chat import __version__
from zendesk_chat.errors import needs_packages
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools/bin/uv"
UVX = (UV, "tool", "run", "--refresh-package", "zendesk-chat")  # uv would take a build of an older checkout from its cache
MINUTES = 5 * 60
COMMANDS = ("zendesk-chat", "source-zendesk-chat")
SCRIPTS = (*COMMANDS, "tap-zendesk-chat")
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")


def run(
    *command: str | Path, cwd: Path, check: bool = True, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as on a stranger's machine: nothing of this checkout on its path."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | (variables or {})
    done = subprocess.run(
        [*map(str, command)], check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=MINUTES
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--wheel", "--quiet", "--out-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The bin directory of an environment that holds the wheel and what it requires, and nothing else."""
    environment = wheel.parent / "empty"
    run(sys.executable, "-m", "venv", environment, cwd=wheel.parent)
    run(environment / "bin/python", "-m", "pip", "install", "--quiet", wheel, cwd=wheel.parent)
    return environment / "bin"


def sources() -> set[str]:
    return {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.*") if "__pycache__" not in path.parts}


def test_the_wheel_holds_both_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    metadata = {f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/{name}" for name in METADATA}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert names == sources() | metadata
    assert {"zendesk_chat/py.typed", "zendesk_chat/airbyte/spec.json"} <= names
    assert {"zendesk_chat/streams/schemas/chats.json", "zendesk_chat_sandbox/py.typed"} <= names


def test_the_sdist_holds_what_the_wheel_is_made_of_and_nothing_else(tmp_path: Path) -> None:
    run(UV, "build", "--sdist", "--quiet", "--out-dir", tmp_path, ROOT, cwd=tmp_path)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {member.name.split("/", 1)[1] for member in archive if member.isfile()}
    top = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert names == {f"src/{name}" for name in sources()} | top


@pytest.mark.timeout(MINUTES)
def test_pip_installs_only_light_packages(installed: Path) -> None:
    listed = run(installed / "python", "-m", "pip", "list", "--format=json", cwd=installed)
    names = {package["name"] for package in json.loads(listed.stdout)}
    assert names - {"pip", "setuptools", "wheel"} == {package.name for package in locked()} | {"zendesk-chat"}
    assert not names & {"dlt", "duckdb", "pyarrow", "rich"}


@pytest.mark.timeout(MINUTES)
@pytest.mark.parametrize("command", COMMANDS)
def test_both_commands_are_the_same_program(command: str, installed: Path, tmp_path: Path) -> None:
    assert run(installed / command, "--version", cwd=tmp_path).stdout == f"{command} {__version__}\n"
    message = json.loads(run(installed / command, "spec", cwd=tmp_path).stdout)
    assert "connectionSpecification" in message["spec"]


@pytest.mark.timeout(MINUTES)
def test_uvx_runs_the_checkout(tmp_path: Path) -> None:
    tools = {"UV_TOOL_DIR": str(tmp_path / "tools")}
    shown = run(*UVX, "--from", ".", "zendesk-chat", "--version", cwd=ROOT, variables=tools).stdout
    assert shown == f"zendesk-chat {__version__}\n"
    to = f"duckdb:///{tmp_path}/chats.duckdb"
    with Sandbox(chats=30) as sandbox:
        account = {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": sandbox.token, "ZENDESK_CHAT_API_URL": sandbox.url}
        command = ("zendesk-chat", "sync", "--streams", "chats", "--to", to)
        run(*UVX, "--from", ".[load]", *command, cwd=ROOT, variables=tools | account)
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        assert database.execute("SELECT count(*) FROM chats").fetchone() == (30,)


@pytest.mark.timeout(MINUTES)
def test_pipx_installs_all_commands(tmp_path: Path) -> None:
    folders = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "USE_EMOJI": "0"}
    run(UV, "tool", "run", "pipx", "install", "--python", sys.executable, ROOT, cwd=tmp_path, variables=folders)
    assert {path.name for path in (tmp_path / "bin").iterdir()} == set(SCRIPTS)
    for command in SCRIPTS:
        assert run(tmp_path / "bin" / command, "--version", cwd=tmp_path).stdout == f"{command} {__version__}\n"


@pytest.mark.timeout(MINUTES)
def test_it_reads_an_account(installed: Path, tmp_path: Path) -> None:
    command = installed / "source-zendesk-chat"
    with Sandbox(chats=300) as sandbox:
        config = {"subdomain": "acme", "start_date": "2020-01-01T00:00:00Z", "api_url": sandbox.url}
        config["access_token"] = sandbox.token
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text('{"streams": [{"stream": {"name": "chats"}, "sync_mode": "incremental"}]}')
        discovered = run(command, "discover", "--config", "config.json", cwd=tmp_path)
        assert [stream["name"] for stream in json.loads(discovered.stdout)["catalog"]["streams"]] == list(STREAMS)
        read = run(command, "read", "--config", "config.json", "--catalog", "catalog.json", cwd=tmp_path)
        messages = [json.loads(line) for line in read.stdout.splitlines()]
        ids = [message["record"]["data"]["id"] for message in messages if message["type"] == "RECORD"]
        assert sorted(ids) == sorted(sandbox.account.chat_ids())


@pytest.mark.timeout(MINUTES)
def test_sync_without_its_packages_prints_what_to_install(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "zendesk-chat", "sync", "--subdomain", "acme", "--token", "x", cwd=tmp_path, check=False)
    assert done.returncode == 3
    assert done.stderr == f"{needs_packages('sync')}\n"
