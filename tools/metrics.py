"""Print the size and the form of the connector: ``python -m tools.metrics [--against REVISION]``."""

import argparse
import ast
import io
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CONNECTOR: Final = re.compile(r"src/(?:source_)?zendesk_chat/")
SUPPRESSION: Final = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b")
SANDBOX: Final = "src/zendesk_chat_sandbox/"
TESTS: Final = ("tests/", "conformance/", "deploy/tests/")
NO_HELPERS: Final = re.compile(r"(^|/)(test_[^/]*|conftest|__init__)\.py$")
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def checkout() -> dict[str, str]:
    """Return the Python files of the checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return {name: (ROOT / name).read_text() for name in names if (ROOT / name).exists()}


def revision(name: str) -> dict[str, str]:
    """Return the Python files of a git revision."""
    archive = subprocess.run(["git", "archive", name], cwd=ROOT, check=False, capture_output=True)
    if archive.returncode:
        sys.exit(f"error: git knows no revision {name}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        python = [file for file in files if file.isfile() and file.name.endswith(".py")]
        return {file.name: content.read().decode() for file in python if (content := files.extractfile(file))}


def functions(tree: ast.AST, *, inside: bool = False) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Yield each function below a node, and whether another function contains it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FUNCTIONS):
            yield node, inside
        yield from functions(node, inside=inside or isinstance(node, FUNCTIONS))


def measure(sources: dict[str, str]) -> dict[str, str]:
    """Return the rows of the table: the name of each figure and its value."""
    code = {CONNECTOR.sub("", name): text for name, text in sources.items() if CONNECTOR.match(name)}
    lines = {name: len(text.splitlines()) for name, text in code.items()}
    total = sum(lines.values())
    trees = {name: ast.parse(text) for name, text in code.items()}
    found = [(one, nested, name) for name, tree in trees.items() for one, nested in functions(tree)]
    lengths = [((one.end_lineno or 0) - one.lineno + 1, f"{one.name} in {name}") for one, _, name in found]
    any_names = sum(isinstance(node, ast.Name) and node.id == "Any" for tree in trees.values() for node in ast.walk(tree))
    suppressions = sum(bool(SUPPRESSION.search(line)) for text in code.values() for line in text.splitlines())
    packages: Counter[str] = Counter()
    for name, count in lines.items():
        folder, slash, _ = name.partition("/")
        packages[folder + slash if slash else "*.py"] += count
    return {
        **{f"lines of {name}": f"{count:,}" for name, count in packages.items()},
        "lines of the connector": f"{total:,}",
        "lines of the sandbox": f"{sum(len(text.splitlines()) for name, text in sources.items() if SANDBOX in name):,}",
        "nested functions": str(sum(nested for _, nested, _ in found)),
        "Any per 1,000 lines": f"{1000 * any_names / total:.1f}",
        "suppressions per 1,000 lines": f"{1000 * suppressions / total:.1f}",
        "longest function": "{} lines: {}".format(*max(lengths)),
        "longest file": "{1} lines: {0}".format(*max(lines.items(), key=lambda file: file[1])),
        "helper modules of tests": str(sum(name.startswith(TESTS) and not NO_HELPERS.search(name) for name in sources)),
    }


def last_test_run() -> dict[str, str]:
    """Return what the last ``make test`` recorded."""
    command = [sys.executable, "-m", "coverage", "report", "--format=total", "--precision=1"]
    total = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = ROOT / ".cache/test-seconds"
    return {
        "coverage": f"{total.stdout.strip()}%" if total.returncode == 0 else "not measured",
        "time of make test": f"{int(seconds.read_text()) / 60:.1f} minutes" if seconds.exists() else "not recorded",
    }


def table(columns: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield the lines of a table with one column for each revision; packages come first."""
    names = {name: None for column in columns.values() for name in column}
    order = sorted(names, key=lambda name: (not name.endswith(("/", "*.py")), name if name.endswith("/") else ""))
    rows = [["", *columns], *([name, *(column.get(name, "") for column in columns.values())] for name in order)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="REVISION", help="a git revision to compare with")
    before = {name: measure(revision(name)) for name in [parser.parse_args().against] if name}
    print("\n".join(table(before | {"now": measure(checkout()) | last_test_run()})))
