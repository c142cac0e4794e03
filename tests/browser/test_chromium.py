from pathlib import Path

from .conftest import Tab


def test_errors_and_requests_of_a_page_are_seen(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    script = '<script>console.error("seen"); lost()</script>'
    page.write_text(f'<title>A page</title><img src="http://127.0.0.1:9/none.png">{script}')
    tab.page.goto(page.as_uri())
    assert tab.page.title() == "A page"
    assert tab.requests == ["http://127.0.0.1:9/none.png"]
    assert "seen" in tab.errors
    assert any("lost is not defined" in error for error in tab.errors)
