"""Run the cells of the notebook in ``examples/`` in a new kernel, and compare their outputs with those that it contains.

``--store`` writes the new outputs into the notebook.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import nbformat  # type: ignore[import-not-found]  # only the notebook's own environment has it
from nbclient import NotebookClient  # type: ignore[import-not-found]  # likewise

NOTEBOOK: Final = Path(__file__).parent.parent / "examples/zendesk_chat.ipynb"
_SHOWN: Final = ("text/plain", "text/html")


def main() -> int:
    """Return 0 if the outputs are those in the notebook, or were stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help="write the new outputs into the notebook")
    arguments = parser.parse_args()
    stored = nbformat.read(NOTEBOOK, as_version=4)
    fresh = executed(stored)
    if arguments.store:
        nbformat.write(fresh, NOTEBOOK)
        return 0
    differences = [
        f"Cell {number} prints\n{_text(new)}\nbut contains\n{_text(old)}"
        for number, (new, old) in enumerate(zip(fresh.cells, stored.cells, strict=True))
        if new != old
    ]
    print("\n".join(differences) or f"{NOTEBOOK.name}: all outputs are as stored.")
    return bool(differences)


def executed(notebook: Any) -> Any:  # noqa: ANN401  nbformat has no types
    """Return a copy of a notebook with new outputs, without anything that differs from run to run."""
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(quiet | {"DLT_DATA_DIR": folder, "IPYTHONDIR": folder, "JUPYTER_CONFIG_DIR": folder})
        fresh = nbformat.from_dict(notebook)
        NotebookClient(fresh, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    for number, cell in enumerate(fresh.cells):
        cell["id"] = f"cell-{number}"
        cell["metadata"] = {}
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = {kind: output["data"][kind] for kind in _SHOWN if kind in output["data"]}
                output["metadata"] = {}
    fresh["metadata"] = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return fresh


def _text(cell: Any) -> str:  # noqa: ANN401  nbformat has no types
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", []))


if __name__ == "__main__":
    sys.exit(main())
