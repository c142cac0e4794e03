"""What a platform holds after each STATE of a read, and what must be true of a read that goes on from there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from account import INCREMENTAL, Record, config_of
from connector import EXECUTABLE, names_in, primary_key, read

from tests.support.oracle import by_content, truth
from tests.support.protocol import Output
from zendesk_chat_sandbox import Sandbox

Records = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Cut:
    """A read that ended after one of its states: what a destination has committed, and what is handed to the next read."""

    records: Records
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


def merged(stream: str, *parts: Sequence[Record]) -> list[Record]:
    """What a destination holds that upserts by key."""
    fields = primary_key(stream)
    return list({tuple(record[field] for field in fields): record for part in parts for record in part}.values())


def assert_resumes(
    sandbox: Sandbox,
    cut: Cut,
    catalog: Mapping[str, Any],
    executable: Path = EXECUTABLE,
    resumable: Sequence[str] = INCREMENTAL,
) -> None:
    """The read after a cut brings the rest: with what was committed it is the account, and no committed record comes again."""
    ran = read(config_of(sandbox), catalog, cut.state, executable)
    assert ran.trouble == []
    for stream in names_in(catalog):
        before, after = cut.records.get(stream, ()), ran.output.records[stream]
        assert by_content(merged(stream, before, after)) == by_content(truth(sandbox, stream)), f"{stream} is not whole"
        if stream in resumable:
            again = set(by_content(before)) & set(by_content(after))
            assert not again, f"{stream}: {len(again)} records that were committed come again"
            assert len(after) == len(set(by_content(after))), f"{stream}: a record comes twice"


def assert_resumes_from_each_state(sandbox: Sandbox, catalog: Mapping[str, Any], executable: Path = EXECUTABLE) -> Output:
    """A read, and one more from each of its states; returns what the first told."""
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
