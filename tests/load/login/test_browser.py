from __future__ import annotations

import webbrowser

import pytest

from zendesk_chat.load.login.browser import has_browser, open_browser


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"WSL_DISTRO_NAME": "Debian"}, True),
        ("linux", {"BROWSER": "/usr/bin/firefox"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "a b c d"}, True),
        ("linux", {}, False),
        ("linux", {"SSH_CONNECTION": "a b c d"}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "a b c d"}, False),
        ("win32", {}, True),
    ],
)
def test_a_browser_is_where_a_person_can_see_it(platform: str, environment: dict[str, str], expected: bool) -> None:
    assert has_browser(platform, environment) is expected


@pytest.mark.parametrize("error", [webbrowser.Error("none"), OSError("none")])
def test_a_browser_that_does_not_start_is_no_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: str) -> bool:
        raise error

    monkeypatch.setattr(webbrowser, "open", fail)
    assert open_browser("https://acme.zendesk.com") is False
