"""Take the picture of a report in docs/images/report.png: ``python -m tools.report_picture``. Needs Chromium."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tools.docs_links import ROOT
from zendesk_chat_sandbox import Sandbox

PICTURE: Final = ROOT / "docs/images/report.png"
CHATS: Final = 6000
WIDTH: Final = 1280
HEIGHT: Final = 1320  # down to the heat map
UNTIL: Final = 1_795_906_800.0  # 2026-11-28T23:00:00Z: the same chats in each picture


def main(picture: Path = PICTURE) -> None:
    """Load the sandbox's account, make its report, and take a picture of the first screen."""
    with tempfile.TemporaryDirectory() as folder:
        database, page = Path(folder) / "chats.duckdb", Path(folder) / "report.html"
        with Sandbox(chats=CHATS, now=UNTIL, history_until=UNTIL) as sandbox:
            _run("sync", "--to", str(database), token=sandbox.token, url=sandbox.url)
        _run("report", str(database), "-o", str(page))
        picture.parent.mkdir(exist_ok=True)
        _photograph(page, picture)


def _run(*arguments: str, token: str = "", url: str = "") -> None:
    account = {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": token, "ZENDESK_CHAT_API_URL": url}
    subprocess.run([sys.executable, "-m", "zendesk_chat", *arguments], check=True, env={**os.environ, **account})


def _photograph(page: Path, picture: Path) -> None:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-drawn]")
        tab.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
