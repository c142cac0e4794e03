"""The page as text: what is in it, and that no string from outside is more than a string."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.loaded_account import RECORDS, first, span
from tests.support.reports import HOSTILE, a_day, account_file, figures_of, hostile_account
from tests.support.synced import change
from zendesk_chat.report.rendering import render, script_json

NOW = 1_775_476_800.0  # 2026-04-06T12:00:00Z
HANDLERS = re.compile(r"^on\w+$")


class Parsed(HTMLParser):
    """A page as a browser reads it: elements with their attributes, text outside scripts, and the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        {"script": self.scripts, "style": self.styles}.get(self._inside, self.words).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def policy(self) -> str:
        (found,) = [
            attributes["content"] for tag, attributes in self.elements if "Content-Security-Policy" in attributes.values()
        ]
        assert found
        return found


def page_of(path: Path, days: int = 30) -> Parsed:
    return Parsed(render(figures_of(path, days), NOW))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    return page_of(account_file(tmp_path_factory.mktemp("page") / "acme.duckdb", hostile_account()))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    return page_of(account_file(tmp_path_factory.mktemp("page") / "acme.duckdb"))


def test_names_are_names_and_never_elements_or_scripts(hostile: Parsed, plain: Parsed) -> None:
    assert {tag for tag, _ in hostile.elements} == {tag for tag, _ in plain.elements}
    assert len(hostile.scripts) == len(plain.scripts) == 3
    assert not [name for _, attributes in hostile.elements for name in attributes if HANDLERS.match(name)]
    for name in HOSTILE[:5]:
        assert name in hostile.text
    charts = json.loads(hostile.scripts[0])["charts"]
    agents = [row["Agent"] for row in charts["agent-hours"]["data"]["values"]]
    assert "<img src=x onerror=aler…" in agents


def test_a_string_in_a_script_cannot_end_it() -> None:
    given: dict[str, Any] = {"name": "</script><!--\u2028\u2029&"}
    written = script_json(given)
    assert not set(written) & set("<>&\u2028\u2029")
    assert json.loads(written) == given


def test_the_policy_allows_only_our_own_style_and_scripts(plain: Parsed) -> None:
    def digest(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    scripts = " ".join(map(digest, plain.scripts[1:]))
    assert plain.policy == (
        f"default-src 'none'; script-src {scripts}; style-src {digest(plain.styles[0])}; base-uri 'none'; form-action 'none'"
    )
    assert not [attributes for _, attributes in plain.elements if {"src", "href", "style"} & set(attributes)]


def test_the_licences_of_the_libraries_are_in_the_page(plain: Parsed) -> None:
    assert plain.scripts[1].startswith("/*!\nvega (BSD-3-Clause)\n\nCopyright (c) 2015-2023, University of Washington")


def test_no_message_no_visitor_and_no_comment_is_in_the_page(plain: Parsed) -> None:
    everything = plain.text + plain.scripts[0]
    for secret in ("Where is it?", "Visitor c1", "v-c1", "Call me", "Fast", "parcel.png", "31004"):
        assert secret not in everything


def test_the_page_has_the_account_the_days_and_the_figures(plain: Parsed) -> None:
    assert "acme" in plain.text
    assert "7 March to 5 April 2026 (30 days, UTC)" in plain.text
    assert "Missed chats 1 16.7% of chats" in plain.text
    assert "First response, median 40 s 3 answered chats" in plain.text
    assert "Satisfaction 66.7% 2 good, 1 bad" in plain.text
    exact = [attributes["value"] for tag, attributes in plain.elements if tag == "data"]
    assert exact[:5] == ["6", "1", "40.0", "56.0", "0.6667"]
    assert "Last sync: complete, 2026-04-06 09:29:00 UTC." in plain.text


def test_every_label_points_at_an_element(plain: Parsed) -> None:
    ids = [attributes["id"] for _, attributes in plain.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in plain.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
    charts = json.loads(plain.scripts[0])["charts"]
    assert set(charts) <= set(ids)
    assert len(charts) == len([1 for _, attributes in plain.elements if attributes.get("role") == "img"]) == 6


def two_periods() -> list[dict[str, Any]]:
    """Ten chats in the days before, twelve in the period: more, fewer missed, slower, and better rated."""
    fast, slow = {"response_time": first(20)}, {"response_time": first(90)}
    ratings = ["bad"] * 5 + ["good"] * 5
    earlier = [a_day(n, f"2026-02-{n + 6:02}", missed=n < 2, rating=ratings[n], **fast) for n in range(10)]
    later = [a_day(100 + n, f"2026-03-{n + 10:02}", missed=n < 1, rating="good", **slow) for n in range(12)]
    return [*earlier, *later]


def test_each_key_figure_has_its_direction_in_words(tmp_path: Path) -> None:
    text = page_of(account_file(tmp_path / "acme.duckdb", {"chats": two_periods()})).text
    assert "Compared with 5 February to 6 March 2026" in text
    assert "Chats 12 0.4 a day ▲ 20.0% more Before: 10" in text
    assert "Missed chats 1 8.3% of chats ▼ 11.7 points, better Before: 2 (20.0%)" in text
    assert "First response, median 1 min 30 s 12 answered chats ▲ 1 min 10 s slower, worse Before: 20 s" in text
    assert "Satisfaction 100% 12 good, 0 bad ▲ 50 points, better Before: 50.0%" in text


def test_few_ratings_have_a_number_and_no_share(tmp_path: Path) -> None:
    chats = [
        a_day(number, "2026-04-01", department_id=int(number < 9), rating="good" if number % 2 else "bad")
        for number in range(20)
    ]
    departments = [{"id": 0, "name": "Orders"}, {"id": 1, "name": "Sales"}]
    text = page_of(account_file(tmp_path / "acme.duckdb", {"chats": chats, "departments": departments})).text
    assert "Below 10 ratings, the share is “–”." in text
    assert "Orders 11 55.0% 0% – 54.5% of 11" in text
    assert "Sales 9 45.0% 0% – – of 9" in text
    assert "April 2026 (part): 50.0% of 20 ratings were good." in text


def test_the_busiest_hour_is_that_with_the_highest_average(tmp_path: Path) -> None:
    """The period has five Saturdays and four Mondays."""
    saturdays, mondays = (7, 14, 21, 28), (9, 16, 23, 30)
    chats = [a_day(day, f"2026-03-{day:02}") for day in (*saturdays, *mondays)]
    text = page_of(account_file(tmp_path / "acme.duckdb", {"chats": chats})).text
    assert "Busiest hour of the week: Monday, 9:00 to 10:00, with 1.0 chats on average (4 on 4 Mondays)." in text
    assert "Hour Chats a day Chats Days Missed Monday, 9:00 to 10:00 1.0 4 4 0 Saturday, 9:00 to 10:00 0.8 4 5 0" in text
    assert "none 1.0 a day" in text


def test_nothing_is_compared_with_days_that_the_file_does_not_have(plain: Parsed) -> None:
    assert "Compared with" not in plain.text
    assert "Before:" not in plain.text
    assert "The first chat in the file started on 13 Mar 2026, so there is no complete period before this one" in plain.text


@pytest.mark.parametrize(
    ("records", "sentences"),
    [
        ({"agents": RECORDS["agents"]}, ["This needs the stream chats, which is not in the file."]),
        (
            {"chats": [a_day(1, "2027-03-01"), a_day(2, "2028-03-01")]},
            [
                "There are no chats in this period.",
                "The start time of 2 chats is in the future, so the report does not count them.",
            ],
        ),
        ({"chats": []}, ["There are no chats in this period.", "The file contains no chats up to the last sync."]),
        (
            {"chats": [a_day(1, "2024-03-14")]},
            ["The last chat in the file started on 14 Mar 2024. There are none from then to the last sync"],
        ),
        ({"chats": [a_day(1, "2026-04-06")]}, ["6 Apr 2026 was not over at the last sync, so it is incomplete."]),
        (
            {"chats": [a_day(1, "2026-04-01", department_id=None, department_name=None)]},
            [
                "No chat of this period has a department.",
                "No chat of this period was answered.",
                "No chat of this period has a tag.",
                "No chat of this period has a country.",
                "No agent took a chat in this period.",
                "This needs the stream agent_timeline, which is not in the file. Load it: zendesk-chat sync --streams",
                "The file has no departments, so the report does not show current names of departments.",
            ],
        ),
    ],
)
def test_what_is_missing_is_explained(records: dict[str, Any], sentences: list[str], tmp_path: Path) -> None:
    text = page_of(account_file(tmp_path / "acme.duckdb", records)).text
    for sentence in sentences:
        assert sentence in text


def test_a_stream_that_the_plan_lacks_is_named_as_such(tmp_path: Path) -> None:
    path = account_file(tmp_path / "acme.duckdb", {"chats": [a_day(1, "2026-04-01")]})
    change(path, "INSERT INTO _sync_run_streams (run, stream, result) VALUES (1, 'agent_timeline', 'not available')")
    assert (
        "This account does not have agent_timeline: its plan or the role of the token does not include it."
        in page_of(path).text
    )


def test_a_sync_that_did_not_complete_is_the_first_thing_to_know(tmp_path: Path) -> None:
    path = account_file(tmp_path / "acme.duckdb", {"chats": [a_day(1, "2026-04-01")]}, completed=None)
    text = page_of(path).text
    assert "The last run did not complete chats. Run `sync` again." in text
    assert "The stream chats has never been complete, so some days may lack chats." in text


def test_thousands_of_agents_do_not_make_the_page_large(tmp_path: Path) -> None:
    agents = [{"id": number, "display_name": f"Agent {number:05}"} for number in range(3000)]
    chats = [a_day(number, "2026-04-01", agent_ids=[str(number)], agent_names=["?"]) for number in range(3000)]
    spans = [span(number, "2026-04-01T08:00:00Z", 3600) for number in range(3000)]
    records = {"agents": agents, "chats": chats, "agent_timeline": spans}
    figures = figures_of(account_file(tmp_path / "acme.duckdb", records, views=False))
    page = render(figures, NOW)
    assert len(page) < 1_500_000
    assert len(figures.agents or ()) == 3000
    assert Parsed(page).text.count("2,500 others") == 2


def test_redacted_names_are_shown_shortened_and_apart(tmp_path: Path) -> None:
    hashes = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 2, "60303ae22b998861bce3b28f33eec1be" * 4]
    departments = [{"id": number, "name": text} for number, text in enumerate(hashes)]
    chats = [a_day(number, "2026-04-01", department_id=number) for number in range(2)]
    text = page_of(account_file(tmp_path / "acme.duckdb", {"departments": departments, "chats": chats})).text
    for shown in hashes:
        assert f"{shown[:79]}…" in text
