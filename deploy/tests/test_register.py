"""``register.sh`` against a fake of the three calls of Airbyte's API that it makes."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.executable import ROOT

DEFINITIONS = "/api/public/v1/workspaces/w-1/definitions/sources"


class Airbyte(BaseHTTPRequestHandler):
    """Keeps source definitions; wants the token that it gave."""

    kept: dict[str, dict[str, Any]]

    def do_GET(self) -> None:
        self._answer({"data": list(self.kept.values())}, wanted=DEFINITIONS)

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/api/public/v1/applications/token":
            assert body == {"client_id": "id", "client_secret": 'a "secret"', "grant-type": "client_credentials"}
            self._answer({"access_token": "token-1"}, wanted=self.path, open_to_all=True)
        else:
            assert body.keys() == {"name", "dockerRepository", "dockerImageTag"}
            self.kept["d-1"] = {"id": "d-1", **body}
            self._answer(self.kept["d-1"], wanted=DEFINITIONS)

    def do_PUT(self) -> None:
        body = self._body()
        assert body.keys() == {"name", "dockerImageTag"}
        self.kept["d-1"] |= body
        self._answer(self.kept["d-1"], wanted=f"{DEFINITIONS}/d-1")

    def log_message(self, *_: Any) -> None: ...

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: Any, *, wanted: str, open_to_all: bool = False) -> None:
        allowed = open_to_all or self.headers["Authorization"] == "Bearer token-1"
        status = 200 if allowed and self.path == wanted else 403
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body if status == 200 else {"message": "Forbidden"}).encode())


@pytest.fixture
def airbyte() -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    kept: dict[str, dict[str, Any]] = {"other": {"id": "other", "dockerRepository": "airbyte/source-faker", "name": "Faker"}}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Airbyte,), {"kept": kept})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kept
        server.shutdown()
        thread.join()


def register(url: str, tag: str, workspace: str = "w-1") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "AIRBYTE_URL": url, "AIRBYTE_CLIENT_ID": "id"}
    more = {"AIRBYTE_CLIENT_SECRET": 'a "secret"', "AIRBYTE_WORKSPACE_ID": workspace}
    script = ROOT / "deploy" / "airbyte" / "register.sh"
    return subprocess.run(
        [script, "ghcr.io/acme/source-zendesk-chat", tag], env=environment | more, capture_output=True, text=True, check=False
    )


def test_the_image_is_added_once_and_then_gets_the_new_tag(airbyte: tuple[str, dict[str, dict[str, Any]]]) -> None:
    url, kept = airbyte
    for tag in ("0.1.0", "0.2.0"):
        done = register(url, tag)
        assert (done.returncode, done.stdout) == (0, "d-1\n"), done.stderr
        assert kept["d-1"] == {
            "id": "d-1",
            "name": "Zendesk Chat (custom)",
            "dockerRepository": "ghcr.io/acme/source-zendesk-chat",
            "dockerImageTag": tag,
        }
    assert len(kept) == 2


def test_what_airbyte_refuses_is_an_error(airbyte: tuple[str, dict[str, dict[str, Any]]]) -> None:
    url, kept = airbyte
    done = register(url, "0.1.0", workspace="w-2")
    assert done.returncode != 0
    assert "403" in done.stderr
    assert len(kept) == 1
