"""Resources read as complete lists or by id: agents, bans, departments and the other settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from zendesk_chat_sandbox.forms import ban_lists, list_row
from zendesk_chat_sandbox.http_messages import Record, Request, Response, bad_request, json_response, not_found
from zendesk_chat_sandbox.seed_settings import BILLING, routing_of
from zendesk_chat_sandbox.world import World

BANS_DEFAULT_LIMIT: Final = 10
BANS_MAX_LIMIT: Final = 1000
_ME_BY_ROLE: Final = {"administrator": 0, "agent": 2}
_BAN_LISTS: Final = ("ip_address", "visitor")


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that since_id, max_id and limit ask for; both ids belong to it."""

    since_id: int | None
    max_id: int | None
    limit: int

    def of(self, records: Sequence[Record]) -> list[Record]:
        """Return the records of the window, in the order of their ids."""
        kept = sorted(
            (
                record
                for record in records
                if (self.since_id is None or _number(record) >= self.since_id)
                and (self.max_id is None or _number(record) <= self.max_id)
            ),
            key=_number,
        )
        # Backwards paging wants the records next to max_id.
        return kept[-self.limit :] if self.since_id is None and self.max_id is not None else kept[: self.limit]


def _number(record: Record) -> int:
    identity = record.get("id", record.get("agent_id"))
    return identity if isinstance(identity, int) else 0


def _integer(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise bad_request(f"{name} is not a number: {text!r}")
    return int(text)


def _window(world: World, request: Request, default: int, most: int) -> Window:
    limit = _integer(request, "limit")
    if limit is not None and limit > most and world.switches.over_limit == "reject":
        raise bad_request(f"limit must be at most {most}")
    if limit == 0:
        raise bad_request("limit must be at least 1")
    return Window(_integer(request, "since_id"), _integer(request, "max_id"), min(limit or default, most))


def _records(world: World, resource: str) -> list[Record]:
    with world.account.lock:
        rows = enumerate(world.account.lists[resource].values())
        return [list_row(world.switches, resource, number, record) for number, record in rows]


def _one(world: World, resource: str, field: str, text: str) -> Response:
    with world.account.lock:
        for number, record in enumerate(world.account.lists[resource].values()):
            if str(record.get(field)) == text:
                return json_response(list_row(world.switches, resource, number, record))
    raise not_found()


def whole_list(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/{resource}`` with every record as a bare array."""
    return json_response(_records(world, parts[0]))


def by_id(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/{resource}/{id}``."""
    return _one(world, parts[0], "id", parts[1])


def by_id_or_name(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/triggers/{id or name}``."""
    return _one(world, parts[0], "id" if parts[1].isdecimal() else "name", parts[1])


def by_name(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/{resource}/name/{name}``."""
    return _one(world, parts[0], "name", parts[2])


def agents(world: World, request: Request, parts: Sequence[str]) -> Response:
    """Respond to ``/agents``, a page by ids."""
    most = world.switches.agents_limit_max
    return json_response(_window(world, request, most, most).of(_records(world, parts[0])))


def agent_by_email(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/agents/email/{email}``."""
    return _one(world, "agents", "email", parts[2])


def _me(world: World, request: Request) -> Record:
    token = world.tokens.access[request.headers["authorization"].split()[-1]]
    records = _records(world, "agents")
    return records[min(_ME_BY_ROLE[token.role], len(records) - 1)]


def agent_me(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/agents/me``: the agent whose token asks."""
    return json_response(_me(world, request))


def bans(world: World, request: Request, parts: Sequence[str]) -> Response:
    """Respond to ``/bans``: two lists that share one sequence of ids."""
    records = _records(world, parts[0])
    paging = {"since_id", "max_id", "limit"} & set(request.query)
    if not paging and world.switches.bans_without_paging == "all":
        window = Window(None, None, max(1, len(records)))
    else:
        window = _window(world, request, BANS_DEFAULT_LIMIT, BANS_MAX_LIMIT)
    if world.switches.bans_limit == "union":
        page = window.of(records)
        lists = {kind: _of_kind(page, kind) for kind in _BAN_LISTS}
    else:
        lists = {kind: window.of(_of_kind(records, kind)) for kind in _BAN_LISTS}
    return json_response(ban_lists(world.switches, lists))


def banned_addresses(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/bans/ip`` with the bans of addresses."""
    return json_response(_of_kind(_records(world, "bans"), "ip_address"))


def _of_kind(records: Sequence[Record], kind: str) -> list[Record]:
    return [record for record in records if record.get("type") == kind]


def account(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/account``: plan, and billing for the owner."""
    status = world.switches.account_status
    if status != 200:  # noqa: PLR2004 -- the switch is a Literal of numbers
        return json_response({"error": HTTPStatus(status).phrase}, status)
    billing: Record = {"billing": BILLING} if world.switches.account_billing else {}
    return json_response(world.account.settings | billing)


def routing_settings(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/routing_settings/account``, wrapped in ``data``."""
    return json_response({"data": world.account.routing_settings})


def agents_routing(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/routing_settings/agents``, a page by ids."""
    switches, records = world.switches, _records(world, "agents")
    most = switches.agents_limit_max
    page = _window(world, request, most, most).of(records) if switches.agent_routing_paging else records
    settings = [routing_of(agent) for agent in page]
    if switches.agent_routing_envelope == "bare":
        return json_response(settings)
    return json_response({"data": settings if switches.agent_routing_envelope == "data" else _by_agent(settings)})


def _by_agent(settings: Sequence[Record]) -> Record:
    return {str(one["agent_id"]): {name: value for name, value in one.items() if name != "agent_id"} for one in settings}


def agent_routing(world: World, request: Request, parts: Sequence[str]) -> Response:
    """Respond to ``/routing_settings/agents/{id}`` and ``/routing_settings/agents/me``."""
    if parts[2] == "me":
        return json_response({"data": routing_of(_me(world, request))})
    for agent in _records(world, "agents"):
        if str(agent["id"]) == parts[2]:
            return json_response({"data": routing_of(agent)})
    raise not_found()


Handler = Callable[[World, Request, Sequence[str]], Response]
LIST_HANDLERS: Final[Mapping[str, Handler]] = {
    "account": account,
    "agents": agents,
    "agents/me": agent_me,
    "agents/email/*": agent_by_email,
    "agents/*": by_id,
    "bans": bans,
    "bans/ip": banned_addresses,
    "bans/*": by_id,
    "departments": whole_list,
    "departments/*": by_id,
    "departments/name/*": by_name,
    "goals": whole_list,
    "goals/*": by_id,
    "roles": whole_list,
    "roles/*": by_id,
    "skills": whole_list,
    "skills/*": by_id,
    "skills/name/*": by_name,
    "shortcuts": whole_list,
    "shortcuts/*": by_id,
    "triggers": whole_list,
    "triggers/*": by_id_or_name,
    "routing_settings/account": routing_settings,
    "routing_settings/agents": agents_routing,
    "routing_settings/agents/*": agent_routing,
}
