"""Export every stream to a file of JSON lines. Each run adds only new and changed records.

Set ZENDESK_CHAT_SUBDOMAIN and ZENDESK_CHAT_TOKEN, and pass a folder for the files: python json_lines.py FOLDER.
A file contains every version of a record, the newest last, also derived records that an edited chat no longer has. The file
of a stream without a cursor is replaced when the stream is complete.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import zendesk_chat


def main(folder: Path) -> int:
    """Read all streams; return 0 if all are complete."""
    folder.mkdir(exist_ok=True)
    saved = folder / "states.json"
    states = json.loads(saved.read_text()) if saved.exists() else {}
    counts: dict[str, int] = {}
    failed: dict[str, zendesk_chat.ConnectorError] = {}
    with ExitStack() as files:
        paths = {
            stream.name: folder / f"{stream.name}.{'jsonl' if stream.cursor_field else 'part'}"
            for stream in zendesk_chat.list_streams()
        }
        lines = {
            name: files.enter_context(path.open("ab" if path.suffix == ".jsonl" else "wb")) for name, path in paths.items()
        }
        try:
            for batch in zendesk_chat.read_all(zendesk_chat.Account(), states=states):
                lines[batch.stream].writelines(record + b"\n" for record in batch.records)
                lines[batch.stream].flush()
                states[batch.stream] = batch.state
                saved.write_text(json.dumps(states))
                counts[batch.stream] = counts.get(batch.stream, 0) + len(batch.records)
        except zendesk_chat.StreamsFailedError as error:
            failed = error.errors
    for name, path in paths.items():
        if path.suffix == ".part":
            path.unlink() if name in failed else path.replace(folder / f"{name}.jsonl")
    for stream in zendesk_chat.list_streams():
        print(f"{stream.name:24}{counts.get(stream.name, 0):>8,}  {failed.get(stream.name, 'complete')}")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: python json_lines.py FOLDER\n\n{__doc__}")
    try:
        sys.exit(main(Path(sys.argv[1])))
    except zendesk_chat.ConnectorError as error:
        sys.exit(f"error: {error}")
