"""Pages of 50 MB over real connections: complete by content, in bounded memory."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.executable import EXECUTABLE, environment, files
from tests.support.http_fakes import answer, serving
from tests.support.in_process import catalog_of

pytestmark = pytest.mark.long

MB = 1_000_000
MOST_MEMORY_MB = 340
EMPTY = answer(b'{"chats":[],"count":0,"next_page":null,"end_time":1700000000}')
LINE = 'Grüße, 你好 \U0001f600 \\ "quoted" and\nbroken. '  # characters of each length in UTF-8, and what JSON escapes
MEASURED = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as out:
    code = subprocess.run(sys.argv[2:], stdout=out, check=False).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def chat(number: int, size: int) -> dict[str, Any]:
    """A chat of so many bytes, or a little more."""
    message = f"{number} " + LINE * 100
    messages = -(-size // len(json.dumps(message, ensure_ascii=False).encode()))
    history = [{"type": "chat.msg", "channel": at, "msg": message} for at in range(messages)]
    return {
        "id": f"2311.{number:04d}",
        "update_timestamp": f"2023-11-14T22:13:{number % 60:02d}Z",
        "unread": True,
        "history": history,
    }


def page(chats: list[dict[str, Any]], indent: int | None) -> bytes:
    envelope = {"chats": chats, "count": len(chats), "next_page": "x", "end_time": 1_700_000_000 + len(chats) - 1}
    return json.dumps(envelope, ensure_ascii=False, indent=indent).encode()


def plain(body: bytes) -> bytes:
    return answer(body)


def zipped(body: bytes) -> bytes:
    return answer(gzip.compress(body, 1), headers=b"Content-Encoding: gzip\r\n")


def without_length(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n\r\n" + body


def in_chunks(body: bytes) -> bytes:
    size = 100_003
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


@pytest.mark.parametrize(
    ("count", "size", "indent", "framed"),
    [
        (50, MB, None, plain),
        (50, MB, None, zipped),
        (50, MB, 1, plain),
        (1, 25 * MB, None, without_length),
        (2, 5 * MB, 0, in_chunks),
        (1, 60_000, None, without_length),
    ],
)
def test_a_large_page_is_read_completely_in_bounded_memory(
    count: int, size: int, indent: int | None, framed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    chats = [chat(number, size) for number in range(count)]
    body = page(chats, indent)
    assert len(body) >= count * size
    large = framed(body)

    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(large if number == 1 else EMPTY)
        if number == 1 and framed is without_length:
            connection.shutdown(socket.SHUT_WR)

    with serving(script) as server:
        config = {
            "start_date": "2020-01-01T00:00:00Z",
            "subdomain": "acme",
            "credentials": {"credentials": "access_token", "access_token": "token"},
            "api_url": server.origin,
            "requests_per_minute": 10_000,
        }
        out = tmp_path / "out"
        options = files(tmp_path, config=config, catalog=catalog_of(["chats"]))
        code, memory = measured(out, options)
    assert code == 0
    assert digests(out) == [(chat["id"], fingerprint(chat)) for chat in chats]
    assert 20_000 < memory < MOST_MEMORY_MB * 1024
    assert len(server.heads) == 2, "the page, and what follows it"


LISTS = ("goals", "departments", "shortcuts", "triggers", "skills", "roles")


def compressed(megabytes: int) -> bytes:
    """A list of one record, and so many megabytes of blanks in it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    blanks = b" " * 2**20
    pieces = [b'[{"id":1,"name":"first"}', *[blanks] * megabytes, b"]"]
    compressed = b"".join([packer.compress(piece) for piece in pieces]) + packer.flush()
    return answer(compressed, headers=b"Content-Encoding: gzip\r\n")


def test_many_answers_that_decompress_to_much_are_read_in_bounded_memory(tmp_path: Path) -> None:
    with serving(compressed(120)) as server:
        config = {
            "start_date": "2020-01-01T00:00:00Z",
            "subdomain": "acme",
            "credentials": {"credentials": "access_token", "access_token": "token"},
            "api_url": server.origin,
            "requests_per_minute": 10_000,
        }
        options = files(tmp_path, config=config, catalog=catalog_of(LISTS))
        code, memory = measured(tmp_path / "out", options)
    assert code == 0
    with (tmp_path / "out").open("rb") as lines:
        records = [message["record"] for message in map(json.loads, lines) if message["type"] == "RECORD"]
    assert {record["stream"]: record["data"] for record in records} == {name: {"id": 1, "name": "first"} for name in LISTS}
    assert memory < 300 * 1024, "one at a time; together they are 720 MB"


def measured(out: Path, options: list[str]) -> tuple[int, int]:
    """The exit code of a read, and the kilobytes of memory that it used at most."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, out, EXECUTABLE, "read", *options],
        stdout=subprocess.PIPE,
        env=environment(),
        timeout=60,
        check=True,
    )
    code, memory = map(int, done.stdout.split())
    return code, memory


def digests(out: Path) -> list[tuple[str, str]]:
    with out.open("rb") as lines:
        messages = (json.loads(line) for line in lines)
        records = [message["record"]["data"] for message in messages if message["type"] == "RECORD"]
    return [(record["id"], fingerprint(record)) for record in records]


def fingerprint(record: dict[str, Any]) -> str:
    return sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
