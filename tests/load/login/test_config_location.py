from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from zendesk_chat.load.config_location import config_path, default_config

HOME = Path("/home/ana")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "/home/ana/.config/zendesk-chat/config.json"),
        ("linux", {"XDG_CONFIG_HOME": "/etc/ana"}, "/etc/ana/zendesk-chat/config.json"),
        ("linux", {"XDG_CONFIG_HOME": "relative"}, "/home/ana/.config/zendesk-chat/config.json"),
        ("linux", {"XDG_CONFIG_HOME": ""}, "/home/ana/.config/zendesk-chat/config.json"),
        ("darwin", {}, "/home/ana/Library/Application Support/zendesk-chat/config.json"),
        ("darwin", {"XDG_CONFIG_HOME": "/etc/ana"}, "/etc/ana/zendesk-chat/config.json"),
        ("win32", {"APPDATA": "/users/ana/AppData/Roaming"}, "/users/ana/AppData/Roaming/zendesk-chat/config.json"),
        ("win32", {}, "/home/ana/AppData/Roaming/zendesk-chat/config.json"),
    ],
)
def test_each_platform_has_its_own_path(platform: str, environment: Mapping[str, str], expected: str) -> None:
    assert config_path(platform, environment, HOME) == Path(expected)


def test_a_user_without_a_home_directory_has_no_path() -> None:
    assert config_path("linux", {}, None) is None
    assert config_path("linux", {"XDG_CONFIG_HOME": "/etc/ana"}, None) == Path("/etc/ana/zendesk-chat/config.json")


def test_the_path_follows_the_environment_of_this_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_config() == tmp_path / ".config" / "zendesk-chat" / "config.json"
