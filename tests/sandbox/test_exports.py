"""The incremental exports: every record once, in order, whatever the ties; and the refusals."""

from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.sandbox import EXPORTS, NOW_SECONDS, call, get, local, pages, still
from zendesk_chat_sandbox import EXPIRED_TOKEN, Sandbox
from zendesk_chat_sandbox.chat_store import EXPORT_ONLY_KEYS
from zendesk_chat_sandbox.timestamps import parse_micros, parse_seconds

CHATS = f"{EXPORTS}/chats?fields=chats(*)"
TIMELINE = f"{EXPORTS}/agent_timeline"


def chats_of(found: list[Any]) -> list[Any]:
    return [chat for page in found for chat in page["chats"]]


def test_following_next_page_gives_every_chat_once_in_order() -> None:
    with still(300) as sandbox:
        found = list(pages(sandbox, f"{CHATS}&limit=7", 7))
        chats = chats_of(found)
        assert [chat["id"] for chat in chats] == sandbox.account.chat_ids()
        assert len({chat["id"] for chat in chats}) == 300
        keys = [(parse_seconds(chat["update_timestamp"]), chat["id"]) for chat in chats]
        assert keys == sorted(keys)
        assert [page["count"] for page in found[:-1]] == [7] * (len(found) - 1)


def test_more_than_a_page_of_chats_share_one_second_and_none_is_lost() -> None:
    with still(5000, recent_window="allow") as sandbox:
        found = list(pages(sandbox, CHATS, 1000))
        chats = chats_of(found)
        seconds = [chat["update_timestamp"] for chat in chats]
        assert len(chats) == len({chat["id"] for chat in chats}) == 5000
        assert Counter(seconds).most_common(1)[0][1] >= 1300


def test_the_envelope_repeats_the_question_and_names_the_last_chat() -> None:
    with still() as sandbox:
        page = get(sandbox, f"{EXPORTS}/chats", fields="chats(*)", limit=5, start_time=0).json
        last = page["chats"][-1]
        assert list(page) == ["chats", "count", "end_id", "end_time", "next_page"]
        assert page["end_id"] == last["id"]
        assert page["end_time"] == parse_seconds(last["update_timestamp"])
        assert page["next_page"] == (
            f"{sandbox.url}{EXPORTS}/chats?fields=chats%28%2A%29&limit=5"
            f"&start_time={page['end_time']}&start_id={page['end_id']}"
        )


def test_next_page_is_there_even_at_the_end_and_leads_to_an_empty_page() -> None:
    with still(3) as sandbox:
        sandbox.clock.advance(86_400)
        page = get(sandbox, CHATS).json
        after = get(sandbox, local(sandbox, page["next_page"])).json
        assert (page["count"], after["count"], after["chats"]) == (3, 0, [])
        assert (after["end_time"], after["end_id"]) == (page["end_time"], page["end_id"])
        assert after["next_page"] == page["next_page"]


def test_an_empty_page_may_have_null_ends() -> None:
    with still(3, empty_page_end="null") as sandbox:
        sandbox.clock.advance(86_400)
        first = get(sandbox, CHATS).json
        page = get(sandbox, local(sandbox, first["next_page"])).json
        assert (page["end_time"], page["end_id"]) == (None, None)
        assert page["next_page"] == first["next_page"]


@pytest.mark.parametrize(("mode", "expected"), [("null_at_end", {None}), ("absent_at_end", {"absent"})])
def test_next_page_may_be_null_or_absent_at_the_end(mode: str, expected: set[Any]) -> None:
    with still(next_page=mode) as sandbox:
        found = list(pages(sandbox, f"{CHATS}&limit=50", 50))
        assert found[0]["next_page"].startswith("http")
        assert {found[-1].get("next_page", "absent")} == expected


def test_next_page_may_point_to_a_foreign_host() -> None:
    with still(next_page_host="https://evil.example.com") as sandbox:
        assert get(sandbox, CHATS).json["next_page"].startswith(f"https://evil.example.com{EXPORTS}/chats?")


def test_without_fields_there_are_only_ids_and_with_a_list_only_those() -> None:
    with still(10) as sandbox:
        bare = get(sandbox, f"{EXPORTS}/chats").json
        assert bare["chats"] == [{"id": identity} for identity in sandbox.account.chat_ids()]
        assert "fields" not in parse_qs(urlsplit(bare["next_page"]).query)
        some = get(sandbox, f"{EXPORTS}/chats", fields="chats(id,visitor)").json
        assert {tuple(chat) for chat in some["chats"]} == {("id", "visitor")}
        complete = get(sandbox, f"{EXPORTS}/agent_timeline").json["agent_timeline"][0]
        assert list(complete) == ["agent_id", "start_time", "status", "duration", "engagement_count"]


def test_start_time_alone_is_inclusive_and_loops_over_a_shared_second() -> None:
    with still(4000) as sandbox:
        first = get(sandbox, f"{EXPORTS}/chats").json
        while first["end_time"] != NOW_SECONDS - 20 * 86_400:
            first = get(sandbox, local(sandbox, first["next_page"])).json
        again = get(sandbox, f"{EXPORTS}/chats", start_time=first["end_time"]).json
        stuck = get(sandbox, f"{EXPORTS}/chats", start_time=again["end_time"]).json
        assert again["end_time"] == first["end_time"]
        assert stuck["chats"] == again["chats"]


@pytest.mark.parametrize(("mode", "first"), [("exclusive", 5), ("inclusive", 4), ("ignored", 0)])
def test_start_id_is_exclusive_inclusive_or_ignored(mode: str, first: int) -> None:
    with still(0, start_id=mode) as sandbox:
        identities = sorted(sandbox.account.add_chats(8, at=NOW_SECONDS - 1000))
        answer = get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS - 1000, start_id=identities[4])
        assert [chat["id"] for chat in answer.json["chats"]] == identities[first:]


def test_a_full_last_page_that_ends_in_the_last_minutes_leads_to_a_refusal() -> None:
    with still(0) as sandbox:
        sandbox.account.add_chats(3, at=NOW_SECONDS - 60)
        page = get(sandbox, f"{CHATS}&limit=3").json
        assert page["count"] == 3
        assert get(sandbox, local(sandbox, page["next_page"])).status == 400


@pytest.mark.parametrize(
    "query",
    [
        {"start_time": "yesterday"},
        {"start_time": "1.5"},
        {"start_time": "-1"},
        {"start_time": "NaN"},
        {"start_time": NOW_SECONDS - 299},
        {"start_time": NOW_SECONDS + 10},
        {"start_time": NOW_SECONDS * 1_000_000},
        {"limit": 1001},
        {"limit": 0},
        {"limit": "many"},
    ],
)
def test_bad_parameters_are_refused(query: dict[str, Any]) -> None:
    with still(5) as sandbox:
        answer = get(sandbox, f"{EXPORTS}/chats", **query)
        assert answer.status == 400
        assert answer.json["error"] == "Bad Request"


def test_a_too_recent_start_time_may_be_refused_as_support_does() -> None:
    with still(5, recent_status=422) as sandbox:
        answer = get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS - 299)
        assert (answer.status, answer.json["error"]) == (422, "InvalidValue")
        assert answer.json["description"].startswith("Too recent start_time.")
        assert get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS - 300).status == 200


def test_what_is_allowed_at_the_edges() -> None:
    with still(5, over_limit="clamp") as sandbox:
        assert get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS - 300).status == 200
        assert get(sandbox, f"{EXPORTS}/chats", limit=5000).status == 200
        assert get(sandbox, f"{EXPORTS}/chats", end_time=3, page="x").status == 200


def test_recent_records_are_shown_hidden_or_free_to_ask_for() -> None:
    with still(0) as sandbox:
        sandbox.account.add_chat(at=NOW_SECONDS - 10)
        assert get(sandbox, CHATS).json["count"] == 1
        sandbox.switch(recent_window="exclude")
        assert get(sandbox, CHATS, start_time=0).json["count"] == 0
        assert get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS).status == 200
        sandbox.switch(recent_window="allow")
        assert get(sandbox, f"{EXPORTS}/chats", start_time=NOW_SECONDS - 20).json["count"] == 1


def test_an_edited_chat_moves_to_the_end() -> None:
    with still(20) as sandbox:
        identity = sandbox.account.chat_ids()[3]
        sandbox.clock.advance(600)
        sandbox.account.edit_chat(identity, tags=["late"])
        found = get(sandbox, CHATS).json["chats"]
        assert found[-1]["id"] == identity
        assert found[-1]["tags"] == ["late"]
        assert parse_seconds(found[-1]["update_timestamp"]) == NOW_SECONDS + 600
        assert len(found) == 20


@pytest.mark.parametrize("mode", ["tombstone", "full", "gone"])
def test_deleted_chats_leave_a_mark_or_nothing(mode: str) -> None:
    with still(20, deleted_chats=mode) as sandbox:
        identity = sandbox.account.chat_ids()[3]
        sandbox.account.delete_chat(identity)
        found = {chat["id"]: chat for page in pages(sandbox, f"{CHATS}&limit=6", 6) for chat in page["chats"]}
        if mode == "gone":
            assert identity not in found
        else:
            assert found[identity]["deleted"] is True
            assert ("visitor" in found[identity]) is (mode == "full")
        assert get(sandbox, f"/api/v2/chat/chats/{identity}").status == 404


def test_the_server_may_cap_or_shorten_pages_before_the_end() -> None:
    with still(100, export_page_cap=30) as sandbox:
        assert get(sandbox, CHATS).json["count"] == 30
        sandbox.switch(export_page_cap=0, short_page_every=2)
        first = get(sandbox, f"{CHATS}&limit=10").json
        second = get(sandbox, local(sandbox, first["next_page"])).json
        assert (first["count"], second["count"]) == (10, 5)


def test_the_timeline_speaks_microseconds_and_has_no_ids() -> None:
    with still(1000) as sandbox:
        page = get(sandbox, f"{TIMELINE}?limit=10").json
        assert list(page) == ["agent_timeline", "count", "end_time", "next_page"]
        assert page["end_time"] == parse_micros(page["agent_timeline"][-1]["start_time"])
        assert "start_id" not in page["next_page"]
        again = get(sandbox, local(sandbox, page["next_page"])).json
        assert again["agent_timeline"][0] == page["agent_timeline"][-1]
        everything = get(sandbox, TIMELINE).json["agent_timeline"]
        assert get(sandbox, TIMELINE, start_time=page["end_time"] // 1_000_000).json["agent_timeline"] == everything


def test_the_timeline_can_skip_the_boundary_without_losing_ties() -> None:
    with still(200, timeline_boundary="skip") as sandbox:
        found = [span for page in pages(sandbox, f"{TIMELINE}?limit=1", 1) for span in page["agent_timeline"]]
        assert len(found) == sandbox.account.counts()["agent_timeline"]


def test_spans_share_seconds_and_microseconds() -> None:
    with still(20) as sandbox:
        spans = get(sandbox, TIMELINE).json["agent_timeline"]
        seconds = [(span["agent_id"], span["start_time"][:19]) for span in spans]
        starts = [span["start_time"] for span in spans]
        assert max(map(seconds.count, seconds)) == 3
        assert max(map(starts.count, starts)) == 2
        assert any(start.endswith(".000000Z") for start in starts)
        assert len({(span["agent_id"], span["start_time"]) for span in spans}) == len(spans)


def test_agent_events_take_and_give_seconds_with_a_fraction() -> None:
    with still(600) as sandbox:
        first = get(sandbox, f"{EXPORTS}/agent_events", limit=7).json
        assert list(first) == ["agent_events", "count", "end_time", "next_page"]
        assert round(first["end_time"] * 1_000_000) == parse_micros(first["agent_events"][-1]["timestamp"])
        second = get(sandbox, local(sandbox, first["next_page"])).json
        assert second["agent_events"][0] == first["agent_events"][-1]


def test_agent_events_may_take_and_give_whole_microseconds() -> None:
    with still(600, agent_events_unit="microseconds") as sandbox:
        first = get(sandbox, f"{EXPORTS}/agent_events", limit=7).json
        assert first["end_time"] == parse_micros(first["agent_events"][-1]["timestamp"])
        second = get(sandbox, local(sandbox, first["next_page"])).json
        assert second["agent_events"][0] == first["agent_events"][-1]
        all_of_them = get(sandbox, f"{EXPORTS}/agent_events", limit=1, start_time=NOW_SECONDS).json
        assert all_of_them["agent_events"] == first["agent_events"][:1]
        assert get(sandbox, f"{EXPORTS}/agent_events", start_time=1.5).status == 400


@pytest.mark.parametrize(("name", "with_id"), [("conversions", True), ("department_events", False)])
def test_the_other_exports(name: str, with_id: bool) -> None:
    with still(1500) as sandbox:
        answer = get(sandbox, f"{EXPORTS}/{name}", fields=f"{name}(*)").json
        assert answer["count"] == len(answer[name]) == sandbox.account.counts()[name]
        assert answer["end_time"] == parse_seconds(answer[name][-1]["timestamp"])
        assert ("end_id" in answer, "start_id=" in answer["next_page"]) == (with_id, with_id)
        assert set(get(sandbox, f"{EXPORTS}/{name}").json[name][0]) == {"id"}


def test_conversions_belong_to_chats() -> None:
    with still(1500) as sandbox:
        for row in get(sandbox, f"{EXPORTS}/conversions", fields="conversions(*)").json["conversions"]:
            chat = sandbox.account.chat(row["attribution"]["chat_id"])
            conversion: Any = chat["conversions"]
            reported = conversion[0]["attribution"]
            attribution = {"agent_id": reported["agent_id"], "department_id": reported["department_id"], "chat_id": chat["id"]}
            assert row == conversion[0] | {"attribution": attribution | {"chat_timestamp": reported["chat_timestamp"]}}


def test_the_export_shows_more_than_the_list() -> None:
    with still(60) as sandbox:
        exported = get(sandbox, CHATS).json["chats"]
        assert {"update_timestamp", "deleted"} <= set.intersection(*({*chat} for chat in exported))
        one = next(chat for chat in exported if chat["type"] == "chat" and not chat["deleted"])
        shown = get(sandbox, f"/api/v2/chat/chats/{one['id']}").json
        assert shown == {key: value for key, value in one.items() if key not in EXPORT_ONLY_KEYS}


def test_an_expired_token_and_a_wrong_method_are_refused() -> None:
    with still(3) as sandbox:
        assert get(sandbox, CHATS, EXPIRED_TOKEN).status == 401
        assert call(sandbox, f"{EXPORTS}/chats", "POST", b"{}").status == 405
        assert get(sandbox, f"{EXPORTS}/agents").status == 404


def test_data_is_the_same_for_the_same_seed_and_time() -> None:
    def bytes_of(sandbox: Sandbox) -> list[bytes]:
        with sandbox:
            return [get(sandbox, f"{EXPORTS}/{name}?fields={name}(*)").body for name in ("chats", "agent_timeline")]

    def neutral(bodies: list[bytes]) -> list[bytes]:
        return [body.rsplit(b'"next_page"', 1)[0] for body in bodies]

    one, two, other = (neutral(bytes_of(Sandbox(seed=seed, chats=80, now="2026-11-20T12:00:00Z"))) for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_data_survives_a_restart_in_real_time_when_its_end_is_fixed() -> None:
    def ids() -> list[str]:
        with Sandbox(chats=20, history_until="2025-11-20T12:00:00Z") as sandbox:
            sandbox.reset()
            return [chat["id"] for chat in get(sandbox, CHATS).json["chats"]]

    assert ids() == ids()
    assert len(ids()) == 20
