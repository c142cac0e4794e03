"""Nothing around a sync changes what it does: environment, settings of other tools, paths, masks of permissions."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from tests.support.sandbox import still
from tests.support.syncs import differing, execute, logged
from zendesk_chat_sandbox import Sandbox

pytestmark = [pytest.mark.long, pytest.mark.unmeasured]  # it runs complete syncs

COMMAND = Path(sys.executable).with_name("zendesk-chat")
STREAMS = "chats,chat_events,visitors,agents,departments"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with still(chats=40) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def larger() -> Iterator[Sandbox]:
    """An account of more than a megabyte."""
    with still(chats=300) as sandbox:
        yield sandbox


def run(
    sandbox: Sandbox, folder: Path, to: str, environment: Mapping[str, str] = {}, limit: Callable[[], object] | None = None
) -> subprocess.CompletedProcess[str]:
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url, "--streams", STREAMS]
    return subprocess.run(
        [COMMAND, "sync", *account, "--to", to if "://" in to else f"duckdb:///{to}"],
        cwd=folder,
        env={"PATH": os.defpath, **environment},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ENVIRONMENTS = {
    "dlt": {"DEV_MODE": "true", "LOAD__DELETE_COMPLETED_JOBS": "false", "DESTINATION__DUCKDB__CREDENTIALS": "other.duckdb"},
    "duckdb": {"DUCKDB_NO_THREADS": "1", "DUCKDB_HOME": "/none", "MOTHERDUCK_TOKEN": "x"},
    "turkish": {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0"},
    "time zone": {"TZ": "Asia/Kolkata"},
    "no home": {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
    "no temporary folder": {"TMPDIR": "/nonexistent"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_changes_nothing(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("[load]\ndev_mode = true\n[normalize]\nworkers = 'none'\n")
    (tmp_path / ".duckdbrc").write_text("this is no statement;")
    for _ in range(2):
        done = run(sandbox, tmp_path, "chats.duckdb", ENVIRONMENTS[name])
        assert done.returncode == 0, done.stderr
    assert differing(sandbox, tmp_path / "chats.duckdb", STREAMS) == []
    assert names(tmp_path) == [".dlt", ".duckdbrc", "chats.duckdb"]
    assert names(tmp_path / ".dlt") == ["config.toml"]


HOSTILE = {
    "DEV_MODE": "true",
    "DATASET_NAME": "elsewhere",
    "PIPELINES_DIR": "pipelines",
    "LOAD__DELETE_COMPLETED_JOBS": "no boolean",
    "LOAD__WORKERS": "none",
    "NORMALIZE__WORKERS": "none",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "0",
    "SCHEMA__NAMING": "direct",
    "RUNTIME__LOG_LEVEL": "DEBUG",
    "RUNTIME__SENTRY_DSN": "https://sentry.example.com/1",
    "DESTINATION__REPLACE_STRATEGY": "staging-optimized",
    "DESTINATION__FILESYSTEM__BUCKET_URL": "elsewhere",
    "DESTINATION__FILESYSTEM__LAYOUT": "{table_name}.{ext}",
    "DESTINATION__FILESYSTEM__KWARGS": '{"auto_mkdir": false}',
    "DLT_DATA_DIR": "data",
    "DLT_PROJECT_DIR": "project",
    "DLT_LOCAL_DIR": "local",
    "HOME": "home",
}
"""Settings of dlt, which would change where and how it loads."""


def test_settings_of_dlt_change_nothing_in_other_destinations(sandbox: Sandbox, tmp_path: Path) -> None:
    """Of the surroundings, dlt finds the credentials of the destination only. Here it needs none."""
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("this is no TOML")
    (tmp_path / ".dlt" / "secrets.toml").write_text("[load]\nworkers = 'none'\n[destination.filesystem]\nbucket_url = 'x'\n")
    for _ in range(2):
        done = run(sandbox, tmp_path, f"file://{tmp_path}/lake", HOSTILE)
        assert done.returncode == 0, done.stderr
        assert logged(done.stderr, "ERROR") == []
    assert names(tmp_path) == [".dlt", "lake"]
    assert names(tmp_path / "lake") == ["zendesk_chat"]
    views = (tmp_path / "lake" / "zendesk_chat" / "views.sql").read_text()
    with duckdb.connect() as connection:
        connection.execute(views)
        found = connection.execute("SELECT count(*), count(DISTINCT id) FROM chats").fetchone()
    assert found == (40, 40)


def test_a_file_of_secrets_that_cannot_be_read_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "secrets.toml").write_text("password = 'T-secret\n")
    done = run(sandbox, tmp_path, f"file://{tmp_path}/lake")
    assert done.returncode == 3
    (error,) = logged(done.stderr, "ERROR")
    assert error.startswith(".dlt/secrets.toml is not valid TOML: ")
    assert "T-secret" not in done.stderr


@pytest.mark.parametrize("name", ['it\'s "so".duckdb', "100%; DROP?x=1", ".naïve 😀.db"])
def test_any_path(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "a folder; with 'quotes'"
    folder.mkdir()
    for to in (name, f"{folder}/{name}", f"../{folder.name}/{name}"):
        done = run(sandbox, folder, to)
        assert done.returncode == 0, done.stderr
    assert names(folder) == [name]
    assert differing(sandbox, folder / name, STREAMS) == []


def test_a_symbolic_link_stays_one(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "chats.duckdb").symlink_to(tmp_path / "disk" / "real.duckdb")
    for _ in range(2):
        done = run(sandbox, tmp_path, "chats.duckdb")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "chats.duckdb").is_symlink()
    assert names(tmp_path / "disk") == ["real.duckdb"]
    assert differing(sandbox, tmp_path / "disk" / "real.duckdb", STREAMS) == []


def test_the_mask_of_permissions_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(sandbox, tmp_path, "chats.duckdb", limit=lambda: os.umask(0o077))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "chats.duckdb").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_full_disk_is_one_line_and_the_next_run_resumes(size: int, larger: Sandbox, tmp_path: Path) -> None:
    """The limit of a file's size stands for the end of the disk: writing beyond it fails."""
    path = tmp_path / "chats.duckdb"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size * 2**19, size * 2**19))

    done = run(larger, tmp_path, "chats.duckdb", limit=limit)
    assert done.returncode in (1, 3)
    assert "Traceback" not in done.stderr
    (error,) = logged(done.stderr, "ERROR")
    assert "chats.duckdb" in error
    if path.exists():
        execute(path, "FROM duckdb_tables()")
    done = run(larger, tmp_path, "chats.duckdb")
    assert done.returncode == 0, done.stderr
    assert differing(larger, path, STREAMS) == []
    assert names(tmp_path) == ["chats.duckdb"]
