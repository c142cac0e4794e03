"""An executable between a client and the source: it notes down what passes and can make the source a bad one.

Started as ``python between.py EXECUTABLE FOLDER ALTERATION ARGUMENTS...`` by the script that `pass_through` writes. It imports
the standard library only, as each run of the source waits for it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Message = dict[str, Any]
Messages = Iterable[Message]
CHOSEN = 5  # the chat that is lost, repeated or changed


@dataclass(frozen=True)
class Seen:
    """One run that passed."""

    command: str
    stdout: bytes
    catalog: dict[str, Any] | None


def pass_through(folder: Path, executable: Path, alteration: str = "none") -> Path:
    """Write the executable of this name into a folder, where it leaves its notes too."""
    notes = folder / f"notes-{alteration}"
    notes.mkdir(parents=True)
    script = folder / f"source-{alteration}"
    words = " ".join(f"'{word}'" for word in (sys.executable, "-S", "-E", __file__, executable, notes, alteration))
    script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    script.chmod(0o755)
    return script


def seen(script: Path) -> list[Seen]:
    """The runs that passed, the earliest first."""
    notes = script.parent / script.name.replace("source-", "notes-")
    runs = []
    for note in sorted(notes.glob("*.json")):
        noted = json.loads(note.read_text())
        runs.append(Seen(noted["arguments"][0], note.with_suffix(".stdout").read_bytes(), noted["catalog"]))
    return runs


# The alterations: what a source might do wrong. Those that "lie well" keep every count right.


def is_chat(message: Message) -> bool:
    """Whether it is a record of chats."""
    return bool(message["type"] == "RECORD" and message["record"]["stream"] == "chats")


def is_state(message: Message) -> bool:
    """Whether it is a state of chats."""
    return bool(message["type"] == "STATE" and message["state"]["stream"]["stream_descriptor"]["name"] == "chats")


def with_numbers(messages: Messages) -> Iterator[tuple[Message, int]]:
    """All messages, records of chats with their number from 1, others with 0."""
    number = 0
    for message in messages:
        number += is_chat(message)
        yield message, number if is_chat(message) else 0


def counted_anew(messages: Messages) -> Messages:
    """The same with true record counts, as a source that lies well has them."""
    since: dict[str, int] = {}
    for message in messages:
        if message["type"] == "RECORD":
            stream = message["record"]["stream"]
            since[stream] = since.get(stream, 0) + 1
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]["stream_descriptor"]["name"]
            message["state"]["sourceStats"]["recordCount"] = float(since.pop(stream, 0))
        yield message


def drops_a_state(messages: Messages) -> Messages:
    """The first state of chats is missing."""
    dropped = False
    for message in messages:
        if is_state(message) and not dropped:
            dropped = True
        else:
            yield message


def drops_all_states(messages: Messages) -> Messages:
    """No state at all."""
    return (message for message in messages if message["type"] != "STATE")


def miscounts(messages: Messages) -> Messages:
    """Each state counts one record too many."""
    for message in messages:
        if message["type"] == "STATE":
            message["state"]["sourceStats"]["recordCount"] += 1.0
        yield message


def loses_a_record(messages: Messages) -> Messages:
    """The fifth chat is missing; nothing else shows it."""
    return counted_anew(message for message, number in with_numbers(messages) if number != CHOSEN)


def repeats_a_record(messages: Messages) -> Messages:
    """The fifth chat comes twice; nothing else shows it."""

    def repeated() -> Messages:
        for message, number in with_numbers(messages):
            yield message
            if number == CHOSEN:
                yield message

    return counted_anew(repeated())


def changes_a_record(messages: Messages) -> Messages:
    """One chat has another content."""
    for message, number in with_numbers(messages):
        if number == CHOSEN:
            message["record"]["data"]["started_by"] = "nobody"
        yield message


def changes_a_type(messages: Messages) -> Messages:
    """One chat does not fit its schema."""
    for message, number in with_numbers(messages):
        if number == CHOSEN:
            message["record"]["data"]["missed"] = "no"
        yield message


def states_too_early(messages: Messages) -> Messages:
    """Each state of chats but the last comes one record before it should; nothing else shows it."""
    moved = list(messages)
    for position in [number for number, message in enumerate(moved) if is_state(message)][:-1]:
        before = max(number for number in range(position) if is_chat(moved[number]))
        moved.insert(before, moved.pop(position))
    return counted_anew(moved)


def never_completes(messages: Messages) -> Messages:
    """The status of chats is never COMPLETE."""
    for message in messages:
        trace = message.get("trace", {}).get("stream_status", {})
        if not (trace.get("status") == "COMPLETE" and trace["stream_descriptor"]["name"] == "chats"):
            yield message


def invents_a_stream(messages: Messages) -> Messages:
    """A record of a stream that nobody asked for."""
    for message, number in with_numbers(messages):
        yield message
        if number == CHOSEN:
            yield {**message, "record": {**message["record"], "stream": "visitors"}}


def has_times_in_seconds(messages: Messages) -> Messages:
    """Records carry their time with a fraction."""
    for message in messages:
        if message["type"] == "RECORD":
            message["record"]["emitted_at"] /= 1000
        yield message


def has_times_as_floats(messages: Messages) -> Messages:
    """Records carry their time as a number with a decimal point."""
    for message in messages:
        if message["type"] == "RECORD":
            message["record"]["emitted_at"] = float(message["record"]["emitted_at"])
        yield message


def forgets_its_state(messages: Messages) -> Messages:
    """It is handed no state, whatever the client hands over (see `main`)."""
    return messages


def none(messages: Messages) -> Messages:
    """A good source."""
    return messages


ALTERATIONS: dict[str, Callable[[Messages], Messages]] = {
    alteration.__name__: alteration
    for alteration in (
        none,
        drops_a_state,
        drops_all_states,
        miscounts,
        loses_a_record,
        repeats_a_record,
        changes_a_record,
        changes_a_type,
        states_too_early,
        never_completes,
        invents_a_stream,
        has_times_in_seconds,
        has_times_as_floats,
        forgets_its_state,
    )
}


def _altered(lines: Iterable[bytes], alteration: str) -> Iterator[bytes]:
    if alteration == "none":  # byte by byte what the source wrote
        yield from lines
        return
    for message in ALTERATIONS[alteration](json.loads(line) for line in lines):
        yield json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _without_state(arguments: Sequence[str]) -> list[str]:
    at = arguments.index("--state") if "--state" in arguments else len(arguments)
    return [*arguments[:at], *arguments[at + 2 :]]


def _catalog(arguments: Sequence[str]) -> Any:
    return json.loads(Path(arguments[arguments.index("--catalog") + 1]).read_bytes()) if "--catalog" in arguments else None


def main(executable: str, notes: str, alteration: str, *arguments: str) -> int:
    """Run the source, pass on what it writes, note it down."""
    note = Path(notes) / f"{time.time_ns()}-{os.getpid()}"
    note.with_suffix(".json").write_text(json.dumps({"arguments": arguments, "catalog": _catalog(arguments)}))
    given = _without_state(arguments) if alteration == "forgets_its_state" else list(arguments)
    with (
        subprocess.Popen([executable, *given], stdout=subprocess.PIPE) as source,
        note.with_suffix(".stdout").open("wb") as copy,
    ):
        assert source.stdout is not None
        for line in _altered(source.stdout, alteration):
            copy.write(line)
            sys.stdout.buffer.write(line)
            if not line.startswith(b'{"type":"RECORD"'):
                sys.stdout.buffer.flush()
        sys.stdout.buffer.flush()
    return source.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
