"""Calls below ``/_sandbox/`` that inspect and change the sandbox: without a token, a rate limit or an entry in the log."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, cast

from zendesk_chat_sandbox.account import UnknownRecordError
from zendesk_chat_sandbox.auth import Token
from zendesk_chat_sandbox.clock import Timestamp
from zendesk_chat_sandbox.faults import Fault
from zendesk_chat_sandbox.http_messages import Record, Request, Response, json_response
from zendesk_chat_sandbox.world import World

PREFIX: Final = "/_sandbox/"

Answer = Mapping[str, object]
Call = Callable[[World, Record], Answer]


def administer(world: World, request: Request) -> Response:
    """Respond to an admin call. A 400 explains what is wrong with it."""
    call = CALLS.get((request.method, request.path[len(PREFIX) :].strip("/")))
    if call is None:
        known = ", ".join(f"{method} {PREFIX}{name}" for method, name in CALLS)
        return json_response({"error": f"no such call. The calls are: {known}"}, HTTPStatus.NOT_FOUND)
    try:
        return json_response(call(world, _body(request)))
    except (ValueError, TypeError, KeyError, UnknownRecordError) as error:
        detail = f"{type(error).__name__}: {error}"
        return json_response({"error": detail}, HTTPStatus.BAD_REQUEST)


def _body(request: Request) -> Record:
    body = json.loads(request.body) if request.body.strip() else {}
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return cast("Record", body)


def _number(body: Record, key: str, default: int) -> int:
    value = body.get(key, default)
    if not isinstance(value, int):
        raise TypeError(f"{key} must be a whole number")
    return value


def _timestamp(body: Record, key: str) -> Timestamp | None:
    value = body.get(key)
    if value is None or isinstance(value, float | int | str):
        return value
    raise TypeError(f"{key} must be ISO text or epoch seconds")


def _identity(body: Record) -> int | str:
    value = body["id"]
    return value if isinstance(value, int) else str(value)


def _records(body: Record) -> list[Record]:
    records = body.get("records", [body["record"]] if "record" in body else [])
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise TypeError("records must be a list of objects")
    return records


def _state(world: World, body: Record) -> Answer:  # noqa: ARG001 -- one signature for all calls
    return {
        "seed": world.seed,
        "now": world.clock.time(),
        "counts": world.account.counts(),
        "switches": dataclasses.asdict(world.switches),
        "faults": _faults(world, {})["faults"],
        "requests": len(world.requests),
    }


def _reset(world: World, body: Record) -> Answer:
    world.reset(_number(body, "seed", world.seed), _number(body, "chats", len(world.account.chats)))
    return {"counts": world.account.counts()}


def _seed(world: World, body: Record) -> Answer:
    for resource in body:
        if resource != "at":
            world.account.add_generated(resource, _number(body, resource, 0), at=_timestamp(body, "at"))
    return {"counts": world.account.counts()}


def _add(world: World, body: Record) -> Answer:
    resource, at = str(body["resource"]), _timestamp(body, "at")
    added = [_added(world, resource, record, at) for record in _records(body)]
    added += world.account.add_generated(resource, _number(body, "count", 0), at=at)
    return {"added": added}


def _added(world: World, resource: str, record: Record, at: Timestamp | None) -> Record:
    if resource == "chats":
        return world.account.add_chat(record, at=at)
    return world.account.add(resource, record)


def _edit(world: World, body: Record) -> Answer:
    changes = body["changes"]
    if not isinstance(changes, dict):
        raise TypeError("changes must be an object")
    return {"record": world.account.edit(str(body["resource"]), _identity(body), changes, _timestamp(body, "at"))}


def _delete(world: World, body: Record) -> Answer:
    world.account.delete(str(body["resource"]), _identity(body), _timestamp(body, "at"))
    return {"deleted": body["id"]}


def _clock(world: World, body: Record) -> Answer:
    timestamp = _timestamp(body, "set")
    if timestamp is not None:
        world.clock.set(timestamp)
    advance = body.get("advance", 0)
    if not isinstance(advance, int | float):
        raise TypeError("advance must be a number of seconds")
    world.clock.advance(advance)
    return {"now": world.clock.time()}


def _switches(world: World, body: Record) -> Answer:
    world.switches = world.switches.changed(body)
    return dataclasses.asdict(world.switches)


def _faults(world: World, body: Record) -> Answer:  # noqa: ARG001 -- one signature for all calls
    return {"faults": [{**dataclasses.asdict(fault), "fired": fired} for fault, fired in world.faults.fired()]}


def _add_faults(world: World, body: Record) -> Answer:
    faults = body.get("faults", [body])
    if not isinstance(faults, list):
        raise TypeError("faults must be a list of objects")
    for fault in [Fault(**fault) for fault in faults]:
        world.faults.add(fault)
    return _faults(world, {})


def _clear_faults(world: World, body: Record) -> Answer:
    world.faults.clear()
    return _faults(world, body)


def _requests(world: World, body: Record) -> Answer:  # noqa: ARG001 -- one signature for all calls
    return {"requests": [dataclasses.asdict(entry) for entry in list(world.requests)]}


def _clear_requests(world: World, body: Record) -> Answer:
    world.requests.clear()
    return _requests(world, body)


def _tokens(world: World, body: Record) -> Answer:
    """Add a token or change one; ``expires_in`` counts on the sandbox's clock, ``revoke`` forgets it."""
    token = str(body["token"])
    options = {key: value for key, value in body.items() if key not in {"token", "expires_in", "revoke"}}
    if body.get("revoke"):
        world.tokens.revoke(token)
        return {"revoked": token}
    if "expires_in" in body:
        options["expires_at"] = world.clock.time() + _number(body, "expires_in", 0)
    known = dataclasses.asdict(world.tokens.access.get(token, Token()))
    world.tokens.access[token] = Token(**(known | options))
    return {"token": token, **dataclasses.asdict(world.tokens.access[token])}


CALLS: Final[Mapping[tuple[str, str], Call]] = {
    ("GET", "state"): _state,
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("POST", "add"): _add,
    ("POST", "edit"): _edit,
    ("POST", "delete"): _delete,
    ("POST", "clock"): _clock,
    ("GET", "switches"): _switches,
    ("POST", "switches"): _switches,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _clear_requests,
    ("POST", "tokens"): _tokens,
}
