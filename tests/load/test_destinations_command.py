"""`zendesk-chat destinations`, and the table of the same in the documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zendesk_chat.cli import main
from zendesk_chat.load.completion import complete_destinations, complete_kinds
from zendesk_chat.load.destination import duckdb_path
from zendesk_chat.load.destinations_command import DUCKDB, NAMES, guarantees
from zendesk_chat.load.warehouse.address import example_of, parse_address
from zendesk_chat.load.warehouse.drivers import install_command, missing_modules
from zendesk_chat.load.warehouse.kinds import FORMATS, KINDS, SCHEMES, STORAGES, Kind

DOCUMENT = Path(__file__).parents[2] / "docs" / "destinations.md"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["destinations", *arguments]) == 0
    return capsys.readouterr().out


def test_the_table_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    for line, kind in zip(lines[1:], (DUCKDB, *KINDS), strict=False):
        assert line.startswith(f"{kind.title} ")
        assert line.endswith(guarantees(kind).summary)
        assert ("installed" in line) == (missing_modules(kind) == [])


@pytest.mark.parametrize("name", NAMES)
def test_each_is_shown_in_detail(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, name)
    assert "guarantees:" in shown
    assert "zendesk-chat sync --to '" in shown
    url = shown.rpartition("--to '")[2].rstrip("'\n")
    assert (duckdb_path(url) is None) == (name != "duckdb")
    described = json.loads(printed(capsys, name, "--json"))
    assert described["url"] == url
    assert described["install"].startswith("pip install 'zendesk-chat[")


def test_secrets_of_a_bucket_are_those_of_its_storage(capsys: pytest.CaptureFixture[str]) -> None:
    assert "AWS_ACCESS_KEY_ID" in printed(capsys, "s3")
    assert "AWS_ACCESS_KEY_ID" not in printed(capsys, "gs")
    assert "AZURE" in printed(capsys, "delta")


@pytest.mark.parametrize("kind", [DUCKDB, *KINDS], ids=lambda kind: kind.name)
def test_a_title_works_like_a_name(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, kind.title) == printed(capsys, kind.name)


def test_an_unknown_name_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["destinations", "postgress"]) == 2
    assert capsys.readouterr().err == (
        "error: There is no destination postgress. Did you mean postgres? To list them, run: zendesk-chat destinations\n"
    )


def test_the_document_has_the_same_table() -> None:
    text = DOCUMENT.read_text()
    for kind in (DUCKDB, *KINDS):
        tested = "DuckDB 1.2 and later" if kind is DUCKDB else kind.tested or "SQL only"
        columns = (kind.title, f"`{kind.example}`", f"`{install_command(kind)}`", guarantees(kind).summary, tested)
        assert text.count(f"| {columns[0]} | {columns[1]} |") == 1
        assert f"\n| {' | '.join(columns)} |\n" in text
    for block in text.split("```")[1::2]:
        assert " | destination | " not in block


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_example_is_a_url_of_its_kind(kind: Kind) -> None:
    assert parse_address(kind.example).kind is kind
    for scheme in kind.schemes:
        assert parse_address(example_of(scheme)).scheme == scheme


def test_a_driver_needs_the_extras_of_storage_and_format() -> None:
    assert install_command(FORMATS["delta"], "s3") == "pip install 'zendesk-chat[s3,delta]'"
    assert install_command(FORMATS["iceberg"], "file") == "pip install 'zendesk-chat[iceberg]'"
    assert install_command(FORMATS["parquet"], "file") == "pip install 'zendesk-chat[load]'"
    assert {"s3", "gs", "az", ""} == set(STORAGES.values())


def test_shells_complete_schemes_and_names() -> None:
    assert complete_destinations("post") == ["postgres://", "postgresql://"]
    assert complete_kinds("par") == ["parquet"]
    assert "md" in SCHEMES
