"""The project of docs/singer.md runs in Meltano."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.singer.target import lately
from tests.singer.targets.conftest import Programs
from tests.singer.test_process import TAP
from tests.support.executable import ROOT, environment
from tests.support.sandbox import small, truth


def project() -> dict[str, Any]:
    """The meltano.yml of the document."""
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/singer.md").read_text(), re.DOTALL)
    read: dict[str, Any] = yaml.safe_load(block)
    return read


def write_project(folder: Path, programs: Programs) -> None:
    """Write the document's project, with the programs of the test instead of packages."""
    settings = project()
    (extractor,), (loader,) = settings["plugins"]["extractors"], settings["plugins"]["loaders"]
    for plugin, executable in ((extractor, TAP), (loader, programs.jsonl / "target-jsonl")):
        del plugin["pip_url"]
        plugin.pop("variant", None)
        plugin["executable"] = str(executable)
    loader["namespace"] = "target_jsonl"
    loader["settings"] = [{"name": "destination_path"}, {"name": "do_timestamp_file", "kind": "boolean"}]
    loader["config"] = {"destination_path": "output", "do_timestamp_file": False}
    folder.joinpath("meltano.yml").write_text(yaml.safe_dump(settings | {"send_anonymous_usage_stats": False}))
    folder.joinpath("output").mkdir()


def test_it_loads_selects_and_resumes(programs: Programs, tmp_path: Path) -> None:
    write_project(tmp_path, programs)
    with small(chats=60) as sandbox:
        env = environment(HOME=str(tmp_path), TAP_ZENDESK_CHAT_ACCESS_TOKEN=sandbox.token, TAP_ZENDESK_CHAT_API_URL=sandbox.url)

        def run() -> None:
            command = [str(programs.meltano / "meltano"), "run", "tap-zendesk-chat", "target-jsonl"]
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-4000:]
            assert sandbox.token not in done.stderr + done.stdout

        def rows(stream: str) -> list[dict[str, Any]]:
            return [json.loads(line) for line in (tmp_path / f"output/{stream}.jsonl").read_text().splitlines()]

        run()
        assert sorted(row["id"] for row in rows("chats")) == sorted(chat["id"] for chat in truth(sandbox, "chats"))
        assert not [row for row in rows("chats") if "email" in row["visitor"]]
        edited = sandbox.account.chat_ids()[5]
        sandbox.account.edit_chat(edited, at=lately(sandbox), comment="edited")
        run()
        assert [row["id"] for row in rows("chats")[60:]] == [edited]
