"""The notebook in examples/ can be read and run anywhere; ``make notebook`` runs it and compares its outputs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import zendesk_chat
from zendesk_chat_sandbox import DEFAULT_TOKEN

NOTEBOOK = Path(__file__).parent.parent.parent / "examples/zendesk_chat.ipynb"
CELLS = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]


def test_its_code_is_valid_and_uses_names_that_exist() -> None:
    for code in CODE:
        ast.parse(code)
    names = set(re.findall(r"zendesk_chat\.(\w+)", "\n".join(CODE)))
    assert names >= {"Account", "arrow_reader", "dlt_source", "read"}
    assert names <= set(zendesk_chat.__all__)


def test_its_outputs_contain_no_error_path_or_token() -> None:
    outputs = [output for cell in CELLS for output in cell.get("outputs", [])]
    assert {output["output_type"] for output in outputs} == {"execute_result", "stream"}
    assert {output["name"] for output in outputs if output["output_type"] == "stream"} == {"stdout"}
    shown = json.dumps(outputs)
    assert DEFAULT_TOKEN not in shown
    assert not re.search(r"/tmp|/home|/root|/work|127\.0\.0\.1", shown)
