"""The report in Chromium: it draws its charts, requests nothing, and works by keyboard, on paper and in the dark."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import BrowserContext, Dialog, Page

from tests.support.loaded_account import RECORDS, engagement, first, span
from tests.support.reports import HOSTILE, a_day, account_file, figures_of, hostile_account, named_account, report

from .conftest import Tab

WIDTHS = (360, 420, 1400)
PERIOD = "day BETWEEN '2026-03-07' AND '2026-04-05'"


def make(folder: Path, records: Any = RECORDS, *options: str) -> Path:
    """A report of these records."""
    page = folder / "report.html"
    assert report(account_file(folder / "acme.duckdb", records), "-o", page, *options) == 0
    return page


def show(tab: Tab, page: Path) -> Page:
    """Open a report, and wait until its charts are drawn."""
    tab.page.goto(page.as_uri())
    tab.page.wait_for_selector("html[data-drawn]")
    return tab.page


def overflow(page: Page) -> int:
    """How many pixels of the page are beyond the right edge of the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def table(page: Page, panel: str) -> list[list[str]]:
    """The cells of the first table of a panel."""
    rows = page.locator(f"#{panel} table").first.locator("tbody tr")
    return [row.locator("th, td").all_text_contents() for row in rows.all()]


def colour(page: Page, name: str) -> str:
    """A colour of the page as it is shown now."""
    return str(page.evaluate(f"getComputedStyle(document.querySelector('{name}')).backgroundColor"))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_draws_its_charts_without_an_error_or_a_request(tab: Tab, tmp_path: Path, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    page = show(tab, make(tmp_path))
    assert page.locator(".chart svg").count() == 6
    assert page.locator(".chart", has_text="needs JavaScript").count() == 0
    assert overflow(page) <= 0
    assert (tab.errors, tab.requests) == ([], [])
    for chart in page.locator(".chart").all():
        box, drawn = chart.bounding_box(), chart.locator("svg").bounding_box()
        assert box
        assert drawn
        assert abs(box["width"] - drawn["width"]) <= 2


def wait_until(page: Page, condition: str) -> None:
    """Wait for a condition in JavaScript. Playwright's own wait evaluates it in the page, whose policy forbids that."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def test_charts_follow_the_width_of_the_window(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    for width in (700, 420, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        wait_until(
            page,
            "Math.abs(document.querySelector('#volume svg').clientWidth - "
            "document.querySelector('#volume .chart').clientWidth) <= 2",
        )
        assert overflow(page) <= 0
    assert tab.errors == []


def test_every_figure_that_is_shown_is_the_views(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    with duckdb.connect(str(tmp_path / "acme.duckdb"), read_only=True) as database:
        days = database.execute(
            f"SELECT strftime(day, '%a %-d %b %Y'), chats, missed FROM analytics.missed_by_day WHERE {PERIOD} ORDER BY day"
        ).fetchall()
        ((chats, missed),) = database.execute(
            f"SELECT sum(chats), sum(missed) FROM analytics.missed_by_day WHERE {PERIOD}"
        ).fetchall()
        ((p50, p90),) = database.execute(
            "SELECT median(first_response_seconds), quantile_cont(first_response_seconds, 0.9) FROM analytics.chat_facts "
            f"WHERE type = 'chat' AND {PERIOD}"
        ).fetchall()
        ((share,),) = database.execute(
            f"SELECT round(sum(good) / sum(good + bad), 4) FROM analytics.satisfaction_by_day WHERE {PERIOD}"
        ).fetchall()
        hours = database.execute(
            f"SELECT agent, sum(online_hours) FROM analytics.agent_hours WHERE {PERIOD} GROUP BY agent_id, agent"
        ).fetchall()
    shown = [value.get_attribute("value") for value in page.locator(".key-figures data").all()]
    assert [float(value or "") for value in shown] == [chats, missed, p50, p90, share]
    assert [row[:3] for row in table(page, "volume") if row[1] != "0"] == [[day, str(one), str(two)] for day, one, two in days]
    assert {row[0]: row[1] for row in table(page, "agent-hours")} == {
        agent: f"{online:.1f} h" for agent, online in hours if online
    }
    assert [row[:2] for row in table(page, "departments")] == [["Orders", "3"], ["Billing", "2"], ["(none)", "1"]]
    assert table(page, "satisfaction") == [
        ["March 2026 (part)", "1", "1", "2", "50.0%"],
        ["April 2026 (part)", "1", "0", "1", "100%"],
    ]
    assert table(page, "hours")[2] == ["Saturday, 9:00 to 10:00", "0.6", "3", "5", "1"]
    assert table(page, "conversions") == [["Checkout", "2", "2"], ["Trial", "1", "0"]]


TOO_WIDE = """
() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
  return [...document.querySelectorAll("body *")]
    .filter((one) => !one.closest("svg") && one.checkVisibility() && getComputedStyle(one).display !== "inline")
    .filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => `${one.closest("section")?.id}: ${one.tagName} ${one.className}, ${one.scrollWidth} in ${one.clientWidth}`);
}
"""


def busy_account() -> dict[str, list[dict[str, Any]]]:
    """Two periods of chats with a dozen departments, agents, tags and countries, and with wide figures."""
    names = ["Customer happiness", "Order management", *(f"Team {number}" for number in range(12))]
    chats = [
        a_day(
            number,
            day,
            rating="good" if number % 7 else "bad",
            missed=not number % 9,
            response_time=first(3599),
            tags=[names[number % 14]],
            department_id=number % 14,
            department_name=names[number % 14],
            session={"country_code": "", "country_name": names[number % 14]},
            agent_ids=[str(number % 14)],
            agent_names=[names[number % 14]],
            engagements=[engagement(1, str(number % 14), names[number % 14], f"{day}T09:00:00Z", 600, response_time=first(75))],
        )
        for number, day in enumerate(f"2026-{month:02}-{day:02}" for month in (2, 3) for day in range(1, 29) for _ in range(9))
    ]
    agents = [{"id": number, "display_name": name} for number, name in enumerate(names)]
    spans = [span(number, f"2026-03-{day:02}T01:00:00Z", 36_000) for number in range(14) for day in range(8, 28)]
    return {"agents": agents, "chats": chats, "agent_timeline": spans}


@pytest.mark.parametrize("width", [*WIDTHS, 920])
@pytest.mark.parametrize("account", [RECORDS, busy_account()], ids=["small", "busy"])
def test_nothing_is_wider_than_what_it_is_in(tab: Tab, tmp_path: Path, width: int, account: Any) -> None:
    tab.page.set_viewport_size({"width": width, "height": 900})
    page = show(tab, make(tmp_path, account))
    assert page.evaluate(TOO_WIDE) == []
    assert overflow(page) <= 0


def test_the_others_are_only_those_below_the_first_ten(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path, busy_account()))
    assert page.locator("#agents summary").inner_text() == "Show the other 4"
    shown = page.locator("#agents tbody tr th").all_text_contents()
    assert len(shown) == len(set(shown)) == 14


def test_a_month_that_is_covered_partly_is_paler_and_has_its_ratings_beside_it(tab: Tab, tmp_path: Path) -> None:
    chats = [a_day(number, day, rating="good") for number, day in enumerate(["2026-01-20", "2026-02-10", "2026-04-02"])]
    page = show(tab, make(tmp_path, {"chats": chats}))
    chart = page.locator("#satisfaction .chart")
    bars = chart.locator(".layer_1_marks path").all()
    assert [bar.get_attribute("opacity") for bar in bars] == ["0.5", "1", "0.5"]
    words = chart.locator("text").all_text_contents()
    assert words == ["Jan 2026 (part)", "Feb 2026", "Apr 2026 (part)", *["100% of 1"] * 3]


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_are_only_names(tab: Tab, tmp_path: Path, width: int) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    tab.page.on("dialog", dismiss)
    tab.page.set_viewport_size({"width": width, "height": 900})
    page = show(tab, make(tmp_path, hostile_account()))
    assert overflow(page) <= 0
    names = [row[0] for row in table(page, "departments")]
    assert set(HOSTILE[:5]) <= set(names)
    for bar in page.locator("#agent-hours .chart .mark-rect.role-mark path").all():
        bar.hover(force=True)  # the tooltip shows the name
    assert (dialogs, tab.errors, tab.requests) == ([], [], [])
    assert page.locator("main script, main img").count() == 0


def test_names_that_javascript_knows_are_only_names(tab: Tab, tmp_path: Path) -> None:
    names = ["__proto__", "constructor", "toString", "hasOwnProperty"]
    page = show(tab, make(tmp_path, named_account(names)))
    labels = page.locator("#agent-hours .chart .mark-text.role-axis-label text").all_text_contents()
    assert set(names) <= set(labels)
    assert page.locator("#agent-hours .chart .mark-rect.role-mark path").count() == 2 * len(names)
    for panel in ("departments", "agents", "tags", "countries", "conversions"):
        assert {row[0] for row in table(page, panel)} == set(names)
    assert (tab.errors, tab.requests) == ([], [])


def test_a_bar_has_a_tooltip_with_its_figures(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path, hostile_account()))
    bars = page.locator("#agent-hours .chart .mark-rect path")
    bars.first.scroll_into_view_if_needed()
    bars.first.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    assert "10.0 h" in tooltip.inner_text()
    assert "Utilisation" in tooltip.inner_text()


@pytest.mark.parametrize(
    ("records", "charts"),
    [
        ({"agents": RECORDS["agents"]}, 0),
        ({"chats": []}, 0),
        ({"chats": [a_day(1, "2026-04-06")]}, 2),
        ({"chats": [a_day(number, f"2024-03-{number + 1:02}") for number in range(20)]}, 2),
        ({}, 0),
    ],
)
def test_partial_files_have_a_sentence_instead_of_an_empty_chart(tab: Tab, tmp_path: Path, records: Any, charts: int) -> None:
    page = show(tab, make(tmp_path, records))
    assert page.locator(".chart svg").count() == page.locator(".chart").count() == charts
    assert page.locator(".empty").count() > 0
    assert (tab.errors, tab.requests, overflow(page)) == ([], [], 0)


@pytest.mark.parametrize("days", ["1", "7", "90", "365", "3660"])
def test_periods_of_any_length_are_drawn(tab: Tab, tmp_path: Path, days: str) -> None:
    page = show(tab, make(tmp_path, RECORDS, "--days", days))
    assert page.locator("#volume .chart svg").count() == 1
    assert (tab.errors, overflow(page)) == ([], 0)


def test_the_colours_follow_the_system_and_the_switch_works_by_keyboard(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    light = colour(page, "body")
    page.emulate_media(color_scheme="dark")
    dark = colour(page, "body")
    assert light != dark
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "auto"
    page.keyboard.press("ArrowRight")
    assert colour(page, "body") == light
    page.keyboard.press("ArrowRight")
    page.emulate_media(color_scheme="light")
    assert colour(page, "body") == dark
    page.reload()
    page.wait_for_selector("html[data-drawn]")
    assert page.evaluate("document.querySelector('.theme input:checked').value") == "dark"
    assert tab.errors == []


def test_the_figures_of_a_chart_open_by_keyboard(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    assert not page.locator("#volume table").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Show the figures"
    page.keyboard.press("Enter")
    assert page.locator("#volume table").is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Chats a day: figures"


def test_a_screen_reader_finds_landmarks_headings_and_descriptions(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.get_by_role("heading", level=1).inner_text() == "acme"
    assert {"Chats a day", "Departments", "Agents' hours"} <= {
        heading.inner_text() for heading in page.get_by_role("heading", level=2).all()
    }
    chart = page.get_by_role("img", name="Chats a day")
    described = page.locator(f"#{chart.get_attribute('aria-describedby')}").inner_text()
    assert described.startswith("Most on Sat 14 Mar 2026: 4 chats. Most missed on Sat 14 Mar 2026: 1 of 4.")
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_text_has_enough_contrast_in_both_styles(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path, {"chats": [*two_periods()]}))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        worst = page.evaluate(CONTRAST)
        assert worst["ratio"] >= 4.5, worst


def two_periods() -> list[dict[str, Any]]:
    """Chats of two months, of which the later ones are fewer missed and slower."""
    days = [f"2026-02-{day:02}" for day in range(7, 27)] + [f"2026-03-{day:02}" for day in range(7, 27)]
    slower = [{"missed": number < 25, "rating": "good", "response_time": first(number)} for number in range(len(days))]
    return [a_day(number, day, **fields) for number, (day, fields) in enumerate(zip(days, slower, strict=True))]


CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const shares = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
    const [r, g, b] = shares.map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const clear = "rgba(0, 0, 0, 0)";
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (colour !== clear) return colour;
    }
  };
  let worst = {ratio: 99};
  for (const element of document.querySelectorAll("body *:not(script)")) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!words || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [one, two] = [light(element.closest("svg") ? style.fill : style.color), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < worst.ratio) worst = {ratio, text: element.textContent.trim().slice(0, 40)};
  }
  return worst;
}
"""


def test_paper_is_light_and_has_the_charts_in_its_own_width(context: BrowserContext, tmp_path: Path) -> None:
    tab = Tab(context.new_page())
    tab.page.emulate_media(color_scheme="dark")
    page = show(tab, make(tmp_path))
    printed = page.pdf(format="A4", print_background=True)
    assert printed.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 6
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    wait_until(page, "document.querySelector('#volume svg').clientWidth < 690")
    assert colour(page, "body") == "rgb(255, 255, 255)"
    assert not page.locator("details, .theme").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    wait_until(page, "document.querySelector('#volume svg').clientWidth > 1000")
    assert tab.errors == []


def test_without_javascript_every_figure_is_there(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(make(tmp_path).as_uri())
    assert page.locator("#volume .chart").inner_text() == "The chart needs JavaScript. Its figures are below."
    page.locator("#volume summary").click()
    assert page.locator("#volume table").is_visible()
    assert not page.locator(".theme").is_visible()
    context.close()


def test_the_data_of_the_charts_are_those_of_the_figures(tab: Tab, tmp_path: Path) -> None:
    page = show(tab, make(tmp_path))
    charts = json.loads(page.locator("#charts").inner_text() or page.evaluate("document.getElementById('charts').textContent"))
    rows = charts["charts"]["volume"]["data"]["values"]
    trend = figures_of(tmp_path / "acme.duckdb").trend
    assert [(row["start"], row["chats"], row["missed"]) for row in rows] == [
        (step.start.isoformat(), step.chats, step.missed) for step in trend
    ]
