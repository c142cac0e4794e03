"""docs/configuration.md has every setting under each of its names, and its examples work."""

from __future__ import annotations

import re
import tomllib
from argparse import Namespace
from pathlib import Path

import pytest
import yaml

from tests.support.pages import ROOT
from zendesk_chat.load.configuration import SyncSettings, gather
from zendesk_chat.load.plan import make_plan
from zendesk_chat.load.settings_file import KEYS
from zendesk_chat.settings import FILE_VARIABLES, OPTIONS, SETTINGS, SYNC_KEYS, VARIABLES

PAGE = (ROOT / "docs/configuration.md").read_text()
NO_OPTIONS = Namespace(**{option.removeprefix("--").replace("-", "_"): None for option in OPTIONS.values()})


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found[number]


def test_every_setting_is_listed_with_its_option_and_variables() -> None:
    table = PAGE.split("| key | option | variable |")[1].split("\n\n")[0]
    found = {
        key: (re.findall(r"`(--[\w-]+)`", option), re.findall(r"`(\w+)`", variables))
        for key, option, variables in re.findall(r"^\| `(\w+)` \|(.*)\|(.*)\|$", table, re.MULTILINE)
    }
    files = {setting.key: name for name, setting in FILE_VARIABLES.items()}
    assert found == {
        setting.key: (
            [setting.option] if setting.option else [],
            [setting.variable, *([files[setting.key]] if setting.secret else [])],
        )
        for setting in SETTINGS
    }
    assert set(re.findall(r"ZENDESK_CHAT_\w+", PAGE)) == VARIABLES.keys() | FILE_VARIABLES.keys()


def test_the_keys_of_sync_are_listed_with_their_defaults() -> None:
    table = PAGE.split("| key | meaning | default |")[2].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| *(.*?) *\|$", table, re.MULTILINE))
    assert rows.keys() == set(KEYS)
    settings = SyncSettings()
    assert rows["to"] == f"`{settings.to}`"
    assert rows["wait"] == f"{settings.wait:.0f}"
    assert set(SYNC_KEYS) == set(SyncSettings.__struct_fields__)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_folder")
def test_the_toml_file_works() -> None:
    Path("token.txt").write_text("T\n")
    Path("zendesk-chat.toml").write_text(block("toml").replace("/run/secrets/zendesk-chat-token", "token.txt"))
    assert tomllib.loads(block("toml"))["to"] == "acme.duckdb"
    plan = make_plan(gather(NO_OPTIONS, {}), 2e9)
    assert (plan.config.subdomain, plan.destination.path) == ("acme", "acme.duckdb")
    assert {"triggers", "shortcuts"}.isdisjoint(stream.name for stream in plan.streams)


@pytest.mark.usefixtures("_folder")
def test_the_env_file_works() -> None:
    Path(".env").write_text(block("sh").replace("...", "T"))
    plan = make_plan(gather(NO_OPTIONS, {}), 2e9)
    assert (plan.config.subdomain, plan.destination.path) == ("acme", "acme.duckdb")


@pytest.mark.usefixtures("_folder")
def test_the_container_gets_its_token_from_a_file() -> None:
    service = yaml.safe_load(block("yaml"))["services"]["sync"]
    Path("token.txt").write_text("T\n")
    environment = service["environment"] | {"ZENDESK_CHAT_TOKEN_FILE": "./token.txt"}
    assert gather(NO_OPTIONS, environment).raw["access_token"] == "T"
