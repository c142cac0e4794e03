"""Settings of dlt that happen to be around change nothing, except credentials that the URL lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations.content import check_content
from tests.destinations.reading_postgres import rows as rows_of_postgres
from tests.destinations.servers.postgres import Postgres
from tests.destinations.test_sqlite import rows
from tests.support.commands import run_here
from tests.support.sandbox import still

pytestmark = pytest.mark.quick

VARIABLES = {
    "DATA_WRITER__BUFFER_MAX_ITEMS": "1",
    "DATASET_NAME": "elsewhere",
    "DESTINATION__CREDENTIALS": "sqlite:///elsewhere.sqlite",
    "DESTINATION__DATASET_NAME": "elsewhere",
    "DESTINATION__REPLACE_STRATEGY": "truncate-and-insert",
    "DESTINATION__SQLALCHEMY__CREDENTIALS__DATABASE": "elsewhere.sqlite",
    "DESTINATION__POSTGRES__CREDENTIALS__DATABASE": "elsewhere",
    "DESTINATION__POSTGRES__CREDENTIALS__HOST": "elsewhere.invalid",
    "DEV_MODE": "true",
    "EXTRACT__WORKERS": "none",
    "LOAD__DELETE_COMPLETED_JOBS": "false",
    "LOAD__WORKERS": "50",
    "NORMALIZE__LOADER_FILE_FORMAT": "jsonl",
    "PIPELINES_DIR": "pipelines",
    "RUNTIME__LOG_LEVEL": "DEBUG",
    "SCHEMA__NAMING": "direct",
    "ZENDESK_CHAT__DATASET_NAME": "elsewhere",
}
CONFIG = """
dev_mode = true
dataset_name = "elsewhere"
[schema]
naming = "direct"
[load]
workers = "none"
[destination.sqlalchemy]
credentials = "sqlite:///elsewhere.sqlite"
"""


def arguments(token: str, api_url: str, to: str) -> list[str]:
    return [
        "sync",
        "--subdomain",
        "acme",
        "--token",
        token,
        "--api-url",
        api_url,
        "--to",
        to,
        "--streams",
        "chats,goals,visitors",
    ]


def test_variables_and_files_have_no_effect(tmp_path: Path) -> None:
    (tmp_path / ".dlt").mkdir()
    for name in ("config.toml", "secrets.toml"):
        (tmp_path / ".dlt" / name).write_text(CONFIG)
    with still(chats=30) as sandbox:
        for _ in range(2):
            done = run_here(arguments(sandbox.token, sandbox.url, "sqlite:///chats.sqlite"), tmp_path, **VARIABLES)
            assert done.returncode == 0, done.stderr
        check_content(sandbox, lambda table: rows(f"sqlite:///{tmp_path}/chats.sqlite", table), ["chats", "goals", "visitors"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".dlt", "chats.sqlite"]


@pytest.mark.parametrize("source", ["variable", "file", "PGPASSWORD"])
def test_a_password_that_the_url_lacks_is_found(source: str, postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database(f"password from {source}")
    assert ":secret@" in url
    variables = dict(VARIABLES)
    match source:
        case "variable":
            variables["DESTINATION__POSTGRES__CREDENTIALS__PASSWORD"] = "secret"
        case "PGPASSWORD":
            variables["PGPASSWORD"] = "secret"
        case _:
            (tmp_path / ".dlt").mkdir()
            (tmp_path / ".dlt" / "secrets.toml").write_text('[destination.postgres.credentials]\npassword = "secret"\n')
    with still(chats=20) as sandbox:
        without = url.replace(":secret@", "@").replace(" ", "%20")
        done = run_here(arguments(sandbox.token, sandbox.url, without), tmp_path, **variables)
        assert done.returncode == 0, done.stderr
        check_content(sandbox, lambda table: rows_of_postgres(url.replace(" ", "%20"), table), ["chats", "goals", "visitors"])
