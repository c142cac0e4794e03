"""The source as a client sees it: runs of the executable with every line checked, and what must be true of them.

A line is held against three readings of the protocol, and a record against the schema that the source itself declares. The
readings are the models of the platform's side (pydantic), the models of the CDK's side, and the project's own checker, which
knows order, counts and statuses too.
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import orjson
from airbyte_cdk.models.airbyte_protocol_serializers import AirbyteMessageSerializer
from airbyte_protocol.models import AirbyteMessage
from jsonschema import Draft7Validator

from tests.support import sandbox as sandboxes
from tests.support.executable import EXECUTABLE, Done, execute, files, names_in, read_process
from tests.support.protocol import Output, check_read, parse
from tests.support.sandbox import DERIVED, by_content, small, truth
from zendesk_chat_sandbox import Sandbox

Record = Mapping[str, Any]
Catalog = Mapping[str, Any]

GRACE_SECONDS: Final = 300  # the API does not promise to show what changed in the last of them
SETTLED_SECONDS: Final = 2 * GRACE_SECONDS
TIMED: Final = ("agent_events", "agent_timeline", "chats", "conversions", "department_events")
INCREMENTAL: Final = (*TIMED, *DERIVED, "agent_routing_settings", "agents", "bans")

config_of = partial(sandboxes.config_of, request_timeout_seconds=60)


def account(chats: int = 250, **switches: Any) -> Sandbox:
    """An account with the same data on every day, whose exports come in several small pages."""
    return small(chats, "2024-06-01T00:00:00Z", **{"export_page_cap": 50, **switches})


def live_a_little(sandbox: Sandbox, seconds_ago: float = SETTLED_SECONDS) -> dict[str, list[Record]]:
    """New and edited chats, events, agents and bans; returns what is new of each stream, of an edited chat all that it has."""
    before = {stream: by_content(truth(sandbox, stream)) for stream in INCREMENTAL}
    held, at = sandbox.account, time.time() - seconds_ago
    held.add_generated("chats", 7, at=at)
    for identity in held.chat_ids()[:4]:
        late = {"id": f"{identity}.late", "timestamp": "2024-06-01T00:00:00Z", "goal_id": 1, "goal_name": "Return"}
        known: Any = held.chat(identity).get("conversions", [])
        held.edit_chat(identity, at=at + 1, rating="good", comment="Thank you", conversions=[*known, late])
    for stream in set(TIMED) - {"chats"}:
        held.add_generated(stream, 3, at=at)
    held.add_generated("bans", 2)
    held.edit("agents", next(iter(held.lists["agents"])), {"display_name": "Zoë", "skills": [4711]})
    return {
        stream: [record for record in truth(sandbox, stream) if by_content([record])[0] not in before[stream]]
        for stream in INCREMENTAL
    }


# Checked output.


def checked(stdout: bytes) -> Output:
    """The messages of an output whose every line both sides of Airbyte understand.

    Raises:
        ProtocolError: a line breaks the protocol in the project's reading.
        pydantic.ValidationError, serpyco_rs.SchemaValidationError: a line does in Airbyte's.
    """
    for line in stdout.splitlines():
        AirbyteMessage.model_validate_json(line)
        AirbyteMessageSerializer.load(orjson.loads(line))
    return Output(parse(stdout))


def checked_read(stdout: bytes, streams: Iterable[str], *, cut: bool = False) -> Output:
    """The messages of a read: lines, order, counts and statuses, and each record by its stream's schema.

    Args:
        stdout: What was written.
        streams: What was asked for.
        cut: The reader went away, so that only complete lines count and streams may be unfinished.
    """
    if cut:
        output = checked(stdout[: stdout.rfind(b"\n") + 1])
    else:
        checked(stdout)
        output = check_read(stdout, streams)
    for stream, records in output.records.items():
        assert_schema(stream, records)
    return output


_fitting: set[tuple[str, str]] = set()
"""The records that are known to fit their schema: the same come in most tests, and to validate one takes a millisecond."""


def assert_schema(stream: str, records: Iterable[Record]) -> None:
    """Each record fits the schema that the source declares."""
    validator = Draft7Validator(entry_of(stream)["json_schema"])
    for record in records:
        known = (stream, json.dumps(record))
        if known not in _fitting:
            problems = [f"{stream}: {error.json_path}: {error.message}" for error in validator.iter_errors(record)]
            assert not problems, problems
            _fitting.add(known)


# Runs of the executable.


def run(command: str, executable: Path = EXECUTABLE, **contents: Any) -> Done:
    """``spec``, ``check`` or ``discover`` with these files."""
    with tempfile.TemporaryDirectory() as folder:
        done = execute(command, *files(Path(folder), **contents), executable=executable)
    checked(done.stdout)
    return done


def read(config: Any, catalog: Catalog, state: Any = None, executable: Path = EXECUTABLE) -> Done:
    """A complete ``read``, every line of it checked."""
    done = read_process(config, catalog, state, executable=executable)
    checked_read(done.stdout, names_in(catalog))
    return done


@cache
def discovered() -> Catalog:
    """The catalog that the source discovers, which asks for no account."""
    config = {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "acme",
        "credentials": {"credentials": "access_token", "access_token": "sandbox-token"},
    }
    (catalog,) = run("discover", config=config).output.payloads("CATALOG")
    return catalog


def all_streams() -> tuple[str, ...]:
    """The names of the streams that there are."""
    return tuple(entry["name"] for entry in discovered()["streams"])


def entry_of(stream: str) -> dict[str, Any]:
    """A stream as discovered."""
    (entry,) = [entry for entry in discovered()["streams"] if entry["name"] == stream]
    return dict(entry)


def primary_key(stream: str) -> list[str]:
    """The fields of a stream's key, as discovered."""
    return [field for (field,) in entry_of(stream)["source_defined_primary_key"]]


def configured(streams: Iterable[str] | None = None, *, full_refresh: bool = False) -> dict[str, Any]:
    """A configured catalog as the platform makes it from the discovered one."""
    wanted = all_streams() if streams is None else tuple(streams)
    return {
        "streams": [
            {
                "stream": {**entry, "namespace": None},
                "sync_mode": "full_refresh" if full_refresh or entry["name"] not in INCREMENTAL else "incremental",
                "destination_sync_mode": "overwrite" if full_refresh else "append_dedup",
                "cursor_field": entry.get("default_cursor_field"),
                "primary_key": entry["source_defined_primary_key"],
                "generation_id": 1,
                "minimum_generation_id": 1 if full_refresh else 0,
                "sync_id": 1,
            }
            for entry in discovered()["streams"]
            if entry["name"] in wanted
        ]
    }


# What a platform holds after each STATE of a read, and what must be true of a read that resumes there.


@dataclass(frozen=True)
class Cut:
    """A read that ended after one of its states: what a destination has committed, and what is handed to the next read."""

    records: Mapping[str, Sequence[Record]]
    state: list[dict[str, Any]]


def cuts(output: Output) -> Iterator[Cut]:
    """One cut for each STATE; records of other streams that no state has followed yet are lost."""
    waiting: dict[str, list[Record]] = defaultdict(list)
    committed: dict[str, list[Record]] = defaultdict(list)
    states: dict[str, dict[str, Any]] = {}
    for message in output.messages:
        if message["type"] == "RECORD":
            waiting[message["record"]["stream"]].append(message["record"]["data"])
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]["stream_descriptor"]["name"]
            committed[stream] += waiting.pop(stream, [])
            states[stream] = message["state"]
            yield Cut({name: tuple(records) for name, records in committed.items()}, list(states.values()))


def merged(stream: str, *runs: Sequence[Record]) -> list[Record]:
    """What a destination holds that upserts by key."""
    fields = primary_key(stream)
    return list({tuple(record[field] for field in fields): record for records in runs for record in records}.values())


def assert_resumes(sandbox: Sandbox, cut: Cut, catalog: Catalog, executable: Path = EXECUTABLE) -> None:
    """The read after a cut brings the rest: with what was committed it is the account, and no committed record comes again."""
    done = read(config_of(sandbox), catalog, cut.state, executable)
    assert done.trouble == []
    for stream in names_in(catalog):
        before, after = cut.records.get(stream, ()), done.output.records[stream]
        assert by_content(merged(stream, before, after)) == by_content(truth(sandbox, stream)), f"{stream} is not complete"
        if stream in INCREMENTAL:
            again = set(by_content(before)) & set(by_content(after))
            assert not again, f"{stream}: {len(again)} records that were committed come again"
            assert len(after) == len(set(by_content(after))), f"{stream}: a record comes twice"


def assert_resumes_from_each_state(sandbox: Sandbox, catalog: Catalog, executable: Path = EXECUTABLE) -> Output:
    """A read, and one more from each of its states; returns the output of the first."""
    first = read(config_of(sandbox), catalog, executable=executable)
    assert first.trouble == []
    for cut in cuts(first.output):
        assert_resumes(sandbox, cut, catalog, executable)
    return first.output


def assert_exactly(sandbox: Sandbox, output: Output, streams: Iterable[str]) -> None:
    """The output holds the account's records, each once and nothing else."""
    for stream in streams:
        assert by_content(output.records[stream]) == by_content(truth(sandbox, stream)), stream
        assert len(merged(stream, output.records[stream])) == len(output.records[stream]), f"{stream}: a key comes twice"
