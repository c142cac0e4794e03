"""Lists: bare arrays, paging by inclusive ids, and the switches on their shape."""

from typing import Any

import pytest

from tests.support.sandbox import API, get, still
from zendesk_chat_sandbox import AGENT_TOKEN, Sandbox


def follow(sandbox: Sandbox, path: str, limit: int) -> list[Any]:
    found: list[Any] = []
    since = 0
    while True:
        page = get(sandbox, path, limit=limit, since_id=since).json
        found += page
        if len(page) < limit:
            return found
        since = page[-1]["id"] + 1


def test_agents_need_three_pages_and_come_in_the_order_of_their_ids() -> None:
    with still(1) as sandbox:
        agents = follow(sandbox, f"{API}/agents", 100)
        assert len(agents) == 250
        assert [agent["id"] for agent in agents] == sorted(sandbox.account.lists["agents"], key=int)
        assert len(sandbox.requests) == 3


def test_both_ids_belong_to_the_window() -> None:
    with still(1) as sandbox:
        agents = get(sandbox, f"{API}/agents").json
        first, last = agents[10]["id"], agents[20]["id"]
        assert get(sandbox, f"{API}/agents", since_id=first, limit=1).json == [agents[10]]
        assert get(sandbox, f"{API}/agents", max_id=last, limit=2).json == agents[19:21]
        assert get(sandbox, f"{API}/agents", since_id=first, max_id=last).json == agents[10:21]


@pytest.mark.parametrize("query", [{"limit": 101}, {"limit": 0}, {"limit": "x"}, {"since_id": "x"}, {"max_id": "-1"}])
def test_agents_refuse_bad_windows(query: dict[str, Any]) -> None:
    with still(1) as sandbox:
        assert get(sandbox, f"{API}/agents", **query).status == 400


def test_the_largest_limit_of_agents_is_a_switch_and_may_clamp() -> None:
    with still(1, agents_limit_max=50, over_limit="clamp") as sandbox:
        assert len(get(sandbox, f"{API}/agents", limit=100).json) == 50


def test_agents_by_id_by_email_and_me() -> None:
    with still(1) as sandbox:
        agent = get(sandbox, f"{API}/agents", limit=9).json[8]
        assert get(sandbox, f"{API}/agents/{agent['id']}").json == agent
        assert get(sandbox, f"{API}/agents/email/{agent['email']}").json == agent
        assert get(sandbox, f"{API}/agents/1").status == 404
        assert get(sandbox, f"{API}/agents/me").json["roles"]["administrator"] is True
        assert get(sandbox, f"{API}/agents/me", AGENT_TOKEN).json["roles"]["administrator"] is False


def both(page: Any) -> list[Any]:
    return [*page["ip_address"], *page["visitor"]]


def test_bans_are_cut_as_a_union() -> None:
    with still(1) as sandbox:
        found: list[Any] = []
        since = 0
        while page := both(get(sandbox, f"{API}/bans", since_id=since, limit=30).json):
            assert len(page) == 30 or len(found) + len(page) == 230
            found += page
            since = max(ban["id"] for ban in page) + 1
        assert sorted(ban["id"] for ban in found) == sorted(sandbox.account.lists["bans"], key=int)


def test_bans_are_cut_per_list() -> None:
    with still(1, bans_limit="list") as sandbox:
        page = get(sandbox, f"{API}/bans", limit=30).json
        assert (len(page["ip_address"]), len(page["visitor"])) == (30, 30)


def test_bans_without_paging_are_ten_or_all() -> None:
    with still(1) as sandbox:
        assert len(both(get(sandbox, f"{API}/bans").json)) == 10
        assert get(sandbox, f"{API}/bans", limit=1001).status == 400
        sandbox.switch(bans_without_paging="all")
        assert len(both(get(sandbox, f"{API}/bans").json)) == 230


def test_bans_defeat_cursors_by_date_or_by_one_list() -> None:
    with still(1) as sandbox:
        page = get(sandbox, f"{API}/bans", limit=1000).json
        dated = [ban for ban in sorted(both(page), key=lambda ban: int(ban["id"])) if ban["created_at"]]
        assert any(ban["created_at"] is None for ban in both(page))
        assert [ban["created_at"] for ban in dated] != sorted(ban["created_at"] for ban in dated)
        assert page["visitor"][0]["id"] < page["ip_address"][-1]["id"]
        assert page["ip_address"][0]["id"] < page["visitor"][-1]["id"]
        assert get(sandbox, f"{API}/bans/ip").json == page["ip_address"]
        assert get(sandbox, f"{API}/bans/{dated[0]['id']}").json == dated[0]


@pytest.mark.parametrize("name", ["departments", "goals", "roles", "skills", "shortcuts", "triggers"])
def test_settings_are_bare_arrays_and_single_records(name: str) -> None:
    with still(1) as sandbox:
        records = get(sandbox, f"{API}/{name}").json
        assert len(records) == sandbox.account.counts()[name]
        assert get(sandbox, f"{API}/{name}/{records[0]['id']}").json == records[0]
        assert get(sandbox, f"{API}/{name}/nothing").status == 404


def test_departments_skills_and_triggers_by_name() -> None:
    with still(1) as sandbox:
        assert get(sandbox, f"{API}/departments/name/Fran%C3%A7ais").json["name"] == "Français"
        assert get(sandbox, f"{API}/skills/name/german").json["name"] == "german"
        assert get(sandbox, f"{API}/triggers/Cart%20reminder").json["name"] == "Cart reminder"


def test_shapes_that_need_care() -> None:
    with still(1) as sandbox:
        shortcuts = get(sandbox, f"{API}/shortcuts").json
        assert {("departments" in shortcut, "agents" in shortcut) for shortcut in shortcuts} == {
            (False, False),
            (True, False),
            (False, True),
        }
        assert all(shortcut["id"] == shortcut["name"] for shortcut in shortcuts)
        assert any(department["settings"] == {} for department in get(sandbox, f"{API}/departments").json)
        assert isinstance(get(sandbox, f"{API}/triggers").json[0]["definition"]["condition"][1], list)
        plan = get(sandbox, f"{API}/account").json["plan"]
        assert (plan["max_departments"], plan["max_advanced_triggers"]) == ("unlimited", 500)


def test_enabled_is_a_bool_or_a_number() -> None:
    with still(1) as sandbox:
        assert get(sandbox, f"{API}/agents").json[0]["enabled"] is True
        sandbox.switch(enabled_as="int")
        for name in ("agents", "departments", "goals", "roles", "skills", "triggers"):
            assert {type(record["enabled"]) for record in get(sandbox, f"{API}/{name}").json} == {int}


def test_the_account_may_be_refused_or_show_billing() -> None:
    with still(1) as sandbox:
        assert "billing" not in get(sandbox, f"{API}/account").json
        sandbox.switch(account_billing=True)
        assert "billing" in get(sandbox, f"{API}/account").json
        sandbox.switch(account_status=403)
        assert get(sandbox, f"{API}/account").status == 403


def test_routing_settings_are_wrapped_in_data() -> None:
    with still(1) as sandbox:
        path = f"{API}/routing_settings"
        assert get(sandbox, f"{path}/account").json["data"]["routing_mode"] == "assigned"
        page = get(sandbox, f"{path}/agents", limit=3).json["data"]
        assert len(page) == 3
        assert get(sandbox, f"{path}/agents/{page[1]['agent_id']}").json["data"] == page[1]
        assert get(sandbox, f"{path}/agents/me", AGENT_TOKEN).status == 200
        assert get(sandbox, f"{path}/agents/1").status == 404


def test_routing_settings_of_agents_come_in_three_envelopes_and_perhaps_all_at_once() -> None:
    with still(1) as sandbox:
        path = f"{API}/routing_settings/agents"
        page = get(sandbox, path, limit=3).json["data"]
        following = get(sandbox, path, limit=3, since_id=page[-1]["agent_id"] + 1).json["data"]
        assert [one["agent_id"] for one in page + following] == sorted({one["agent_id"] for one in page + following})
        sandbox.switch(agent_routing_envelope="bare")
        assert get(sandbox, path, limit=3).json == page
        sandbox.switch(agent_routing_envelope="by_id")
        by_id = get(sandbox, path, limit=3).json["data"]
        assert [{"agent_id": int(key), **one} for key, one in by_id.items()] == page
        sandbox.switch(agent_routing_envelope="data", agent_routing_paging=False)
        for since_id in (0, page[-1]["agent_id"] + 1):
            assert len(get(sandbox, path, limit=3, since_id=since_id).json["data"]) == sandbox.account.counts()["agents"]


def test_single_resources_can_be_unavailable() -> None:
    with still(1, unavailable={"goals": 404, "incremental/agent_*": 403}) as sandbox:
        assert get(sandbox, f"{API}/goals").status == 404
        assert get(sandbox, f"{API}/goals/500001").status == 404
        assert get(sandbox, f"{API}/incremental/agent_timeline").status == 403
        assert get(sandbox, f"{API}/incremental/chats").status == 200
