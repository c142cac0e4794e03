"""The dbt package has a model for each view, and its descriptions and tests are those of the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.loaded_account import VIEWS
from tools.dbt_properties import EXPECTED_VALUES, FOLDER, IN_CHAT_FACTS, KEYS, NOT_NULL, VALUES, files, main
from zendesk_chat.streams.registry import STREAMS


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    return {model["name"]: model for model in yaml.safe_load((FOLDER / "models.yml").read_text("utf-8"))["models"]}


def test_the_files_are_those_of_the_code() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_text("utf-8") == text, "run `make dictionary`"


def test_each_view_has_a_model_and_a_description(models: dict[str, Any]) -> None:
    names = {path.stem for folder in ("facts", "measures") for path in (FOLDER / folder).glob("*.sql")}
    assert names == set(models) == set(VIEWS)
    assert all(model["description"] for model in models.values())
    assert all(column["description"] for model in models.values() for column in model["columns"])


def test_each_table_is_described_as_a_source() -> None:
    (source,) = yaml.safe_load((FOLDER / "sources.yml").read_text("utf-8"))["sources"]
    assert [table["name"] for table in source["tables"]] == list(STREAMS)
    assert all(column["description"] for table in source["tables"] for column in table["columns"])


def test_the_tests_name_columns_that_exist(models: dict[str, Any]) -> None:
    columns = {(name, column["name"]) for name, model in models.items() for column in model["columns"]}
    named = {(model, column) for tested in (KEYS, NOT_NULL) for model, listed in tested.items() for column in listed.split()}
    assert named | set(VALUES) | set(EXPECTED_VALUES) | {(model, "chat_id") for model in IN_CHAT_FACTS} <= columns


def test_the_tests_of_a_column_and_of_a_model(models: dict[str, Any]) -> None:
    chat_facts = {column["name"]: column.get("data_tests") for column in models["chat_facts"]["columns"]}
    assert chat_facts["chat_id"] == ["unique", "not_null"]
    assert chat_facts["started_by"] == [
        {"accepted_values": {"arguments": {"values": ["visitor", "agent", "trigger"]}, "config": {"severity": "warn"}}}
    ]
    assert chat_facts["comment"] is None
    assert models["chats_by_tag"]["data_tests"] == [
        {"zendesk_chat.one_row_for_each": {"arguments": {"columns": ["month", "tag"]}}}
    ]


def test_a_file_that_is_out_of_date_is_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "sources.yml").write_text("version: 2\n")
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out == "dbt/models/sources.yml is out of date. Run: make dictionary\n"
    assert main([], tmp_path) == 0
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == files()
