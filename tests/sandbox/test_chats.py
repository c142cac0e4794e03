"""Chats outside the export: list, ids, single ones, visitors and search."""

from typing import Any

import pytest

from tests.support.sandbox import API, NOW_SECONDS, get, local, still
from zendesk_chat_sandbox import Sandbox

SEARCH = f"{API}/chats/search"


def follow(sandbox: Sandbox, path: str, key: str) -> list[list[Any]]:
    found = []
    following: str | None = path
    while following:
        answer = get(sandbox, following)
        assert answer.status == 200, answer.body
        found.append(answer.json[key])
        following = local(sandbox, answer.json["next_url"]) if answer.json["next_url"] else None
    return found


def test_the_list_gives_every_live_chat_once_newest_first() -> None:
    with still(130) as sandbox:
        found = follow(sandbox, f"{API}/chats", "chats")
        chats = [chat for page in found for chat in page]
        assert [len(page) for page in found[:-1]] == [40] * (len(found) - 1)
        stamps = [chat["timestamp"] for chat in chats]
        assert stamps == sorted(stamps, reverse=True)
        live = set(sandbox.account.chats.entries) - sandbox.account.chats.deleted
        assert [*sorted(chat["id"] for chat in chats)] == sorted(live)
        assert get(sandbox, f"{API}/chats").json["count"] == len(live)


def test_prev_url_leads_back() -> None:
    with still(100) as sandbox:
        first = get(sandbox, f"{API}/chats?limit=100").json
        second = get(sandbox, local(sandbox, first["next_url"])).json
        assert first["prev_url"] is None
        assert get(sandbox, local(sandbox, second["prev_url"])).json["chats"] == first["chats"]
        assert get(sandbox, f"{API}/chats?cursor=zzz").status == 400


def test_chats_by_ids_are_an_object() -> None:
    with still(9) as sandbox:
        ids = sandbox.account.chat_ids()[:3]
        answer = get(sandbox, f"{API}/chats", ids=",".join([*ids, "2001.1.nothing"])).json
        assert set(answer["docs"]) == set(ids)
        assert answer["docs"][ids[0]] == get(sandbox, f"{API}/chats/{ids[0]}").json
        assert get(sandbox, f"{API}/chats/2001.1.nothing").status == 404


@pytest.mark.parametrize("absent", ["absent", "null"])
def test_chats_by_ids_in_other_forms(absent: str) -> None:
    with still(9, absent_chats=absent, chats_by_id_max=3) as sandbox:
        ids = sandbox.account.chat_ids()[:3]
        asked = ",".join([*ids[:2], "2001.1.nothing", ids[2]])
        nothing = {"2001.1.nothing": None} if absent == "null" else {}
        answer = get(sandbox, f"{API}/chats", ids=asked).json
        assert {name: doc and doc["id"] for name, doc in answer["docs"].items()} == {name: name for name in ids[:2]} | nothing
        sandbox.switch(chats_by_id="array")
        answer = get(sandbox, f"{API}/chats", ids=asked).json
        assert [doc and doc["id"] for doc in answer["docs"]] == [*ids[:2], *nothing.values()]
        assert answer["count"] == 2


def test_visitors_have_no_list() -> None:
    with still(9) as sandbox:
        visitor: Any = sandbox.account.chat(sandbox.account.chat_ids()[0])["visitor"]
        found = get(sandbox, f"{API}/visitors/{visitor['id']}").json
        assert (found["name"], found["banned"]) == (visitor["name"], False)
        assert get(sandbox, f"{API}/visitors").status == 404
        assert get(sandbox, f"{API}/visitors/1.x").status == 404


def test_search_pages_by_forty_and_ends_with_null() -> None:
    with still(130) as sandbox:
        found = follow(sandbox, f"{SEARCH}?q=type%3Achat", "results")
        ids = [result["id"] for page in found for result in page]
        live = [entry for entry in sandbox.account.chats.entries.values() if not entry.deleted]
        assert sorted(ids) == sorted(entry.identity for entry in live if entry.kind == "chat")
        assert set(found[0][0]) == {"id", "type", "timestamp", "preview", "url"}
        assert get(sandbox, local(sandbox, found[0][0]["url"])).json["id"] == ids[0]


def ids_of(sandbox: Sandbox, query: str) -> set[str]:
    answer = get(sandbox, SEARCH, q=query)
    assert answer.status == 200, answer.body
    return {result["id"] for result in answer.json["results"]}


def made(sandbox: Sandbox) -> None:
    outline: dict[str, Any] = {"type": "chat", "visitor": {"id": "1.a"}}
    offline: dict[str, Any] = {"type": "offline_msg", "message": "Please call, Zebra"}
    account = sandbox.account
    account.add_chat(
        outline | {"id": "one", "timestamp": "2026-01-01T10:00:00Z", "end_timestamp": "2026-01-01T11:00:00Z", "rating": "good"}
    )
    account.add_chat(
        outline
        | {"id": "two", "timestamp": "2026-01-02T10:00:00Z", "end_timestamp": "2026-01-02T11:00:00Z", "rating": "bad"}
        | {"history": [{"type": "chat.msg", "msg": "Needle in a haystack"}], "tags": ["vip"]}
    )
    account.add_chat(offline | {"id": "off", "timestamp": "2026-01-03T10:00:00Z"})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type:chat", {"one", "two"}),
        ("type:offline_msg", {"off"}),
        ("timestamp:[2026-01-02T00:00:00 TO *]", {"two", "off"}),
        ("type:chat AND end_timestamp:[2026-01-01T00:00:00 TO 2026-01-01T11:00:00]", {"one"}),
        ("end_timestamp:[* TO *]", {"one", "two"}),
        ("timestamp:[2026-01-01T10:00:00Z TO 2026-01-01]", set()),
        ("rating:good OR rating:bad", {"one", "two"}),
        ("NOT type:chat", {"off"}),
        ("needle", {"two"}),
        ('"in a haystack"', {"two"}),
        ("zebra OR (type:chat AND rating:good)", {"off", "one"}),
        ("tags:vip", {"two"}),
        ("type:chat needle", {"two"}),
        ("id:off", {"off"}),
    ],
)
def test_search_understands(query: str, expected: set[str]) -> None:
    with still(0) as sandbox:
        made(sandbox)
        assert ids_of(sandbox, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "",
        "timestamp:[2026-01-01T00:00:00+00:00 TO *]",
        "timestamp:[2026-01-01T00:00:00 00:00 TO *]",
        "end_timestamp:[* TO 2026-01-01T00:00:00-05:00]",
        "timestamp:[yesterday TO *]",
        "(type:chat",
        "type:chat AND",
        "type:chat)",
    ],
)
def test_search_refuses(query: str) -> None:
    with still(0) as sandbox:
        assert get(sandbox, SEARCH, q=query).status == 400


def test_search_ends_at_the_cap_with_a_refusal() -> None:
    with still(100, search_cap=80) as sandbox:
        assert get(sandbox, SEARCH, q="timestamp:[* TO *]", page=2).json["next_url"] is not None
        assert get(sandbox, SEARCH, q="timestamp:[* TO *]", page=3).status == 400
        assert get(sandbox, SEARCH, q="type:chat", page=0).status == 400


def test_changes_show_up_everywhere() -> None:
    with still(5) as sandbox:
        identity = str(sandbox.account.add_chat(at=NOW_SECONDS)["id"])
        assert get(sandbox, f"{API}/chats").json["chats"][0]["id"] in sandbox.account.chat_ids()
        sandbox.account.edit_chat(identity, comment="quite unheard of")
        assert ids_of(sandbox, '"quite unheard of"') == {identity}
        sandbox.account.delete_chat(identity)
        assert ids_of(sandbox, '"quite unheard of"') == set()
