from pathlib import Path

from .conftest import Watched


def test_errors_and_requests_of_a_page_are_seen(watched: Watched, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<title>A page</title><img src="http://127.0.0.1:9/none.png"><script>console.error("seen"); lost()</script>')
    watched.page.goto(page.as_uri())
    assert watched.page.title() == "A page"
    assert watched.requests == ["http://127.0.0.1:9/none.png"]
    assert "seen" in watched.errors
    assert any("lost is not defined" in error for error in watched.errors)
