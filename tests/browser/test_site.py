"""The documentation site in Chromium. `make docs` builds it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.docs_site import SITE

from .conftest import Tab

PAGES = ["", "first-sync/", "commands/", "data-dictionary/", "api/", "delivery-guarantees/", "adr/", "changelog/"]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of the built site, on loopback."""
    if not (SITE / "index.html").exists():
        pytest.skip("The site is not built: run make docs")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(SITE))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_error_requests_nothing_elsewhere_and_fits_the_window(
    tab: Tab, address: str, page: str, width: int
) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    tab.page.goto(address + page, wait_until="networkidle")
    assert tab.errors == []
    assert [url for url in tab.requests if not url.startswith(address)] == []
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_search_finds_a_page(tab: Tab, address: str) -> None:
    tab.page.goto(address, wait_until="networkidle")
    tab.page.keyboard.press("Control+k")
    tab.page.keyboard.type("lookback", delay=20)
    found = tab.page.locator("a[href*='configuration']").filter(visible=True)
    found.first.wait_for()
    found.first.click()
    tab.page.wait_for_url("**/configuration/**")
    assert tab.errors == []


def test_the_columns_of_a_table_are_readable_on_a_phone(tab: Tab, address: str) -> None:
    tab.page.set_viewport_size({"width": 420, "height": 900})
    tab.page.goto(address + "data-dictionary/")
    row = tab.page.locator("tr", has=tab.page.get_by_role("cell", name="billing", exact=True)).first
    description = row.locator("td").last.bounding_box()
    assert description is not None
    assert description["width"] > 300


def test_the_reader_can_choose_the_dark_scheme(tab: Tab, address: str) -> None:
    tab.page.emulate_media(color_scheme="dark")
    tab.page.goto(address)
    assert tab.page.locator("body").get_attribute("data-md-color-scheme") == "slate"
