"""Importing the library is light, its names are all there, and it is silent."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zendesk_chat
from tests.support.sandbox import small
from zendesk_chat.errors import needs_packages
from zendesk_chat_sandbox import Fault

LOADED = """
import sys
before = set(sys.modules)
{script}
new = {{name.partition('.')[0] for name in set(sys.modules) - before}} - set(sys.stdlib_module_names)
print(len(set(sys.modules) - before), *sorted(new))
"""


def python(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)


def loaded(script: str) -> tuple[int, set[str]]:
    """How many modules a script loads, and the packages among them that are not Python's own."""
    done = python(LOADED.format(script=script))
    assert done.returncode == 0, done.stderr
    count, *packages = done.stdout.split()
    return int(count), set(packages)


def test_importing_loads_nothing_else() -> None:
    count, packages = loaded("import zendesk_chat")
    assert packages == {"zendesk_chat"}
    assert count < 60  # nearly all of them Python's own, for `traceback` and `pathlib`
    _, packages = loaded("from zendesk_chat import ConfigError, list_streams; list_streams()")
    assert packages - {"typing_extensions"} == {"zendesk_chat", "msgspec"}
    _, packages = loaded("from zendesk_chat import Account, read, read_all, check")
    assert packages >= {"zendesk_chat", "msgspec", "certifi", "urllib3"}
    assert not packages & {"dlt", "duckdb", "pyarrow", "rich"}


def test_every_name_is_there_and_no_other() -> None:
    for name in {*zendesk_chat.__all__} - {"__version__"}:
        assert getattr(zendesk_chat, name).__name__ == name
    assert set(zendesk_chat.__all__) <= set(dir(zendesk_chat))
    with pytest.raises(AttributeError, match="has no attribute 'raed'"):
        getattr(zendesk_chat, "raed")  # noqa: B009  mypy would rightly refuse it


@pytest.mark.parametrize(("name", "package"), [("read_arrow", "pyarrow"), ("dlt_source", "dlt")])
def test_a_missing_package_is_reported(name: str, package: str) -> None:
    done = python(f"import sys; sys.modules[{package!r}] = None\nfrom zendesk_chat import {name}")
    assert done.stderr.splitlines()[-1] == f"ImportError: {needs_packages(name)}"
    assert "pip install '.[load]'" in needs_packages(name)


def test_it_is_silent() -> None:
    with small(20) as sandbox:
        sandbox.inject(Fault(kind="status", status=503, path="*/goals", times=1))
        done = python(
            "import zendesk_chat as z\n"
            f"account = z.Account(subdomain='acme', token={sandbox.token!r}, api_url={sandbox.url!r})\n"
            "assert sum(len(batch.records) for batch in z.read_all(account, ['chats', 'goals'])) == 25"
        )
        assert [request.status for request in sandbox.requests if request.path.endswith("/goals")] == [503, 200]
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
