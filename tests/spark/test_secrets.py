"""Nothing that Spark shows, logs or stores contains a token or the key of hashes."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.spark.accounts import HASH_KEY, TOKENS, started
from tests.support.spark_home import executor_logs, spark_environment

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
REFUSED = "refused-token-6a1c"
SECRETS = (*TOKENS, HASH_KEY, REFUSED)
ROOT = Path(__file__).parents[2]


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as any base64 of a string that contains it."""
    yield secret.encode()
    yield secret.encode().hex().encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret.encode()).rstrip(b"=")
        yield encoded[4 if offset else 0 : -4]


def found_in(path: Path) -> list[str]:
    data = path.read_bytes()
    return [f"{secret} in {path}" for secret in SECRETS if any(form in data for form in forms(secret))]


def files_in(home: Path) -> list[Path]:
    """All files that Spark has written. Links lead to the package."""
    return [path for path in home.rglob("*") if path.is_file() and not any(part.is_symlink() for part in (path, *path.parents))]


def test_secrets_are_found_in_any_form(tmp_path: Path) -> None:
    for number, secret in enumerate(SECRETS):
        path = tmp_path / str(number)
        path.write_bytes(base64.b64encode(b"x" * number + secret.encode() + b"yz"))
        assert found_in(path) == [f"{secret} in {path}"]


def test_no_secret_is_shown_logged_or_stored(tmp_path: Path) -> None:
    accounts_folder, home = tmp_path / "accounts", tmp_path / "home"
    for folder in (accounts_folder, home, home / "events", home / "local"):
        folder.mkdir()
    with ExitStack() as stack:
        accounts = started(accounts_folder, stack, chats=40)
        rule = (
            'redact = { rules = [{ field = "agents.email", action = "hash" }, { field = "chats.comment", action = "hash" }] }'
        )
        accounts.write(top=rule, a2="")
        text = (accounts_folder / "accounts.toml").read_text().replace('token_file = "a2.token"', 'token_env = "TOKEN_OF_A2"')
        (accounts_folder / "accounts.toml").write_text(text)
        environment = {
            **os.environ,
            "TOKEN_OF_A2": TOKENS[2],
            "ZENDESK_CHAT_HASH_KEY": HASH_KEY,
            **spark_environment(home),
            "TMPDIR": str(home / "local"),
        }
        with (home / "driver.log").open("wb") as output:
            driver = subprocess.Popen(
                [sys.executable, "-m", "tests.spark.observed", accounts.path, str(home)],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                while not (home / "ready").exists():
                    assert driver.poll() is None, (home / "driver.log").read_text(errors="replace")[-5000:]
                    time.sleep(0.2)
                running = files_in(home)
                leaks = [leak for path in running for leak in found_in(path)]
                (home / "done").touch()
                assert driver.wait(120) == 0
            finally:
                if driver.poll() is None:
                    os.killpg(driver.pid, signal.SIGKILL)
                    driver.wait()
    stored = files_in(home)
    leaks += [leak for path in stored for leak in found_in(path)]
    assert leaks == []
    searched = {path.relative_to(home).parts[0] for path in (*running, *stored)}
    assert {"events", "local", "spark-home", "checkpoint", "pages", "driver.log", "agents", "chats"} <= searched
    assert list(executor_logs(home).rglob("stderr"))
    log = (home / "driver.log").read_text(errors="replace")
    assert "== Analyzed Logical Plan ==" in log
    assert "The account is a0." in log
    assert [path for path in stored if path.is_relative_to(home / "events") and "zendesk_chat" in path.read_text()]
    pages = [path.read_text() for path in (home / "pages").iterdir()]
    assert [page for page in pages if "zendesk_chat" in page]
    assert not [page for page in pages if "HTTP ERROR" in page]
