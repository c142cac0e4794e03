"""What the public facts leave open, as switches; each default is the reading with the best support."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints


class SwitchError(ValueError):
    """A switch has an unknown name or a value it cannot take."""


@dataclass(frozen=True, slots=True)
class Switches:
    """One behaviour of the sandbox, chosen per unknown of the real API."""

    start_id: Literal["exclusive", "inclusive", "ignored"] = "exclusive"
    """Whether the record at (``start_time``, ``start_id``) is skipped, repeated, or ``start_id`` has no effect."""
    timeline_boundary: Literal["repeat", "skip"] = "repeat"
    """Whether ``start_time`` of the agent timeline includes spans that start exactly there."""
    recent_window: Literal["reject", "exclude", "allow"] = "reject"
    """A ``start_time`` within the last ``recent_seconds``: a 400; a page without such rows; or no rule at all."""
    recent_seconds: int = 300
    recent_status: Literal[400, 422] = 400
    """The status of that refusal; Support's exports use 422."""
    deleted_chats: Literal["tombstone", "full", "gone"] = "tombstone"
    """What the export shows of a deleted chat: a few keys, every key, or nothing."""
    next_page: Literal["always", "null_at_end", "absent_at_end"] = "always"
    next_page_host: str = ""
    """Scheme and host to put into ``next_page`` and ``next_url`` instead of the sandbox's own."""
    empty_page_end: Literal["echo", "null"] = "echo"
    """``end_time`` and ``end_id`` of a page without rows: what was asked for, or null."""
    agent_events_unit: Literal["seconds", "microseconds"] = "seconds"
    """What ``start_time`` and ``end_time`` of agent events count: seconds with a fraction, or whole microseconds."""
    conversions_end_id: bool = True
    department_events_end_id: bool = False
    over_limit: Literal["reject", "clamp"] = "reject"
    """A ``limit`` above the maximum of an export, of agents or of bans."""
    export_page_cap: int = 0
    """Largest page that an export returns, whatever the ``limit``; 0 for no cap."""
    short_page_every: int = 0
    """One export page in this many has half of the rows that it could have, although more follow; 0 for never."""
    bans_limit: Literal["union", "list"] = "union"
    """Whether ``limit`` counts both lists of bans together or each list."""
    bans_without_paging: Literal["default", "all"] = "default"
    """Bans asked without any paging parameter: the first ten, or everything."""
    agent_routing_envelope: Literal["data", "bare", "by_id"] = "data"
    """Routing settings of all agents: a list as ``data``, a bare list, or in ``data`` an object by agent id."""
    agent_routing_paging: bool = True
    """Whether they come a page at a time, or always all at once whatever is asked for."""
    enabled_as: Literal["bool", "int"] = "bool"
    history: Literal["seconds", "fractions"] = "seconds"
    """Times of history items: whole seconds and an ``index``; or, as in 2017, fractions and no ``index``."""
    chat_agent_ids: Literal["string", "int", "mixed"] = "string"
    """Ids of agents in chats and engagements."""
    chat_department_ids: Literal["int", "string", "mixed"] = "int"
    """Ids of departments in chats and engagements."""
    empty_bans: Literal["lists", "absent", "null"] = "lists"
    """A list without bans on a page: an empty list, no key (an empty page is ``{}``), or null."""
    old_rows: Literal["complete", "incomplete"] = "complete"
    """Whether old bans, shortcuts and agents lack keys, as some accounts' do."""
    chats_by_id: Literal["object", "array"] = "object"
    """``docs`` of ``/chats?ids=``: an object by id, or, as in a recording, an array."""
    absent_chats: Literal["absent", "null"] = "absent"
    """What ``docs`` has for a chat that does not exist: nothing, or null."""
    chats_by_id_max: int = 0
    """How many chats ``/chats?ids=`` returns at most; 0 for all."""
    agents_limit_max: int = 100
    search_cap: int = 10_000
    account_state: Literal["ok", "no_chat", "no_account", "wrong_subdomain", "blocked"] = "ok"
    """A working account; a help desk without Chat; or one response for every path: 404 as a web page, 404 as Zendesk's JSON
    for an unused subdomain, 403 as a web page."""
    account_status: Literal[200, 403, 404] = 200
    """The status of ``/account``, which was refused to integrated accounts for years."""
    account_billing: bool = False
    unavailable: Mapping[str, int] = field(default_factory=dict)
    """Paths below ``/api/v2/chat/`` (patterns allowed) and the status of their responses, e.g. ``{"goals": 404}``."""
    authorize: Literal["ask", "allow", "deny"] = "ask"
    """What the authorize page does: asks in the browser, or sends the browser back at once."""
    authorize_role: Literal["administrator", "agent"] = "administrator"
    """Who signs in on the authorize page, unless the person in the browser chooses."""
    unauthorized_body: Literal["zendesk", "zopim"] = "zendesk"
    token_expires_in: int = 0
    """Seconds that tokens from the OAuth endpoint live; 0 for no end, and no ``expires_in`` in its responses."""
    refresh_single_use: bool = True
    refresh_revokes_access: bool = False
    """Whether a refresh also ends the access token that came with the used refresh token."""
    rate_limit: int = 200
    """Requests a minute, of all tokens together; 0 for no limit."""
    retry_after: Literal["seconds", "date", "absent"] = "seconds"
    pretty_json: bool = False
    gzip: bool = True

    def changed(self, changes: Mapping[str, object]) -> "Switches":
        """Return these switches with some of them set anew.

        Raises:
            SwitchError: an unknown name, or a value the switch cannot take.
        """
        for name, value in changes.items():
            _check(name, value)
        return dataclasses.replace(self, **cast("dict[str, Any]", dict(changes)))

    def unavailable_status(self, path: str) -> int | None:
        """Return the status that a path below ``/api/v2/chat/`` is switched to, if it is."""
        for pattern, status in self.unavailable.items():
            if fnmatchcase(path, pattern) or path.startswith(f"{pattern}/"):
                return status
        return None


_TYPES: Mapping[str, object] = get_type_hints(Switches)


def _check(name: str, value: object) -> None:
    if name not in _TYPES:
        raise SwitchError(f"no switch {name!r}. The switches are: {', '.join(_TYPES)}")
    kind = _TYPES[name]
    if get_origin(kind) is Literal:
        fits = any(value == choice and type(value) is type(choice) for choice in get_args(kind))
        wanted = ", ".join(repr(choice) for choice in get_args(kind))
    elif isinstance(kind, type):
        fits, wanted = type(value) is kind, kind.__name__
    else:
        fits, wanted = isinstance(value, Mapping), "an object of paths and statuses"
    if not fits:
        raise SwitchError(f"switch {name} cannot be {value!r}. It takes {wanted}")


def parse_switch(text: str) -> tuple[str, object]:
    """Read ``name=value`` as given on the command line.

    Raises:
        SwitchError: there is no ``=``, the name is unknown or the value does not fit.
    """
    name, separator, value = text.partition("=")
    if not separator:
        raise SwitchError(f"{text!r} is not a switch. Write it as name=value")
    parsed = _parse_value(value)
    try:
        _check(name, parsed)
    except SwitchError:
        _check(name, value)
        return name, value
    return name, parsed


def _parse_value(text: str) -> object:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return cast("object", json.loads(text))
    except ValueError:
        return text
