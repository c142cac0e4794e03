"""What of the benchmark can be tested without timing: its server, its counting, its report."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
import urllib3
from msgspec.structs import replace

from benchmarks.chart import draw_chart, ticks
from benchmarks.export import ChatExport
from benchmarks.gzip_pieces import glue, pack
from benchmarks.history import History
from benchmarks.measure import Delivery, Usage, measure, split
from benchmarks.programs import PROGRAMS
from benchmarks.report import render
from benchmarks.results import Results, Run, Start, figures_of
from benchmarks.server import BenchServer
from benchmarks.session import problem_of
from zendesk_chat_sandbox.auth import DEFAULT_TOKEN
from zendesk_chat_sandbox.http_messages import API, ApiError

CHATS = 2500
UNTIL = int(time.time()) - 3600
ALL = {"fields": "chats(*)", "limit": "1000"}
BARE = Path(__file__).parent.parent / "benchmarks" / "bare.py"


@pytest.fixture(scope="module")
def history() -> History:
    return History(CHATS, UNTIL)


@pytest.fixture(scope="module")
def export(history: History) -> ChatExport:
    return ChatExport(history)


def page(export: ChatExport, **query: Any) -> Any:
    return json.loads(gzip.decompress(export.page({**ALL, **{name: str(value) for name, value in query.items()}}, "u")))


@pytest.mark.parametrize("limit", [1000, 700, 49, 1])
def test_pages_hold_each_chat_exactly_once(export: ChatExport, limit: int) -> None:
    rows = CHATS if limit > 1 else 60
    ids: list[str] = []
    query: dict[str, Any] = {"start_time": 0}
    while len(ids) < rows:
        answer = page(export, limit=limit, **query)
        assert answer["count"] == len(answer["chats"]) <= limit
        ids += [chat["id"] for chat in answer["chats"]]
        query = {"start_time": answer["end_time"], "start_id": answer["end_id"]}
        assert dict(parse_qsl(urlsplit(answer["next_page"]).query)).items() >= {k: str(v) for k, v in query.items()}.items()
    assert ids == [export.history.identity(index) for index in range(rows)]


def test_behind_the_last_chat_is_an_empty_page_that_repeats_what_was_asked(export: ChatExport, history: History) -> None:
    last = {"start_time": history.times[-1], "start_id": history.identity(CHATS - 1)}
    answer = page(export, **last)
    assert (answer["chats"], answer["count"]) == ([], 0)
    assert (answer["end_time"], answer["end_id"]) == (last["start_time"], last["start_id"])


def test_start_time_is_inclusive_and_start_id_exclusive_among_ties(export: ChatExport, history: History) -> None:
    first = next(index for index in range(CHATS) if history.times[index : index + 3].count(history.times[index]) == 3)
    at = history.times[first]
    assert page(export, start_time=at)["chats"][0]["id"] == history.identity(first)
    assert page(export, start_time=at, start_id=history.identity(first))["chats"][0]["id"] == history.identity(first + 1)
    assert (
        page(export, start_time=at + 1)["chats"][0]["update_timestamp"]
        > page(export, start_time=at)["chats"][0]["update_timestamp"]
    )


def test_what_is_too_young_is_refused(export: ChatExport) -> None:
    with pytest.raises(ApiError):
        page(export, start_time=int(time.time()) - 60)


@pytest.mark.parametrize("query", [{"limit": 1001}, {"limit": 0}, {"start_time": "x"}])
def test_what_the_api_refuses_is_refused(export: ChatExport, query: dict[str, Any]) -> None:
    with pytest.raises(ApiError):
        page(export, **query)


def test_without_fields_there_are_ids_only(export: ChatExport, history: History) -> None:
    answer = json.loads(gzip.decompress(export.page({"limit": "2"}, "u")))
    assert answer["chats"] == [{"id": history.identity(0)}, {"id": history.identity(1)}]


def test_the_history_is_old_enough_uneven_and_of_real_size(history: History) -> None:
    times = list(history.times)
    assert times == sorted(times)
    assert history.begins <= times[0]
    assert times[-1] <= UNTIL
    last_year = sum(at > UNTIL - 365 * 86_400 for at in times)
    assert 0.4 < last_year / CHATS < 0.6
    assert max(map(times.count, times[:1100])) >= 12
    sizes = [len(history.chat(index)) for index in range(800)]
    assert 3_200 < sum(sizes) / len(sizes) < 3_800


def test_a_chat_keeps_the_order_of_its_times(history: History) -> None:
    for index in range(0, CHATS, 97):
        chat = json.loads(history.chat(index))
        assert chat["id"] == history.identity(index)
        assert chat["timestamp"] <= chat.get("end_timestamp", chat["timestamp"]) <= chat["update_timestamp"]
        assert all(chat["timestamp"][:10] <= item["timestamp"] for item in chat.get("history", []))


def test_glued_pieces_are_one_valid_gzip_member() -> None:
    parts = [b"", b"one", b"", b"two" * 100_000, b"three"]
    assert gzip.decompress(glue(map(pack, parts))) == b"".join(parts)  # which checks the checksum


@pytest.fixture
def server() -> Iterator[BenchServer]:
    with BenchServer() as server:
        server.control("history", {"chats": CHATS})
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: BenchServer, path: str, token: str = DEFAULT_TOKEN, **fields: str) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return urllib3.request("GET", f"{server.url}{API}/{path}", fields=fields, headers=headers, retries=False)


def test_the_bare_script_writes_a_valid_record_of_each_chat(server: BenchServer) -> None:
    command: list[str | Path] = [sys.executable, BARE, server.url + API, DEFAULT_TOKEN, "0"]
    done = subprocess.run(command, capture_output=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    history = server.export.history
    assert [message["record"]["data"]["id"] for message in messages] == [history.identity(index) for index in range(CHATS)]
    assert messages[7]["record"]["data"] == json.loads(history.chat(7))
    assert all(message["type"] == "RECORD" and message["record"]["stream"] == "chats" for message in messages)
    assert all(abs(message["record"]["emitted_at"] / 1000 - time.time()) < 600 for message in messages)
    assert server.counters()["requests"] == 3


def test_the_server_limits_and_counts_requests(server: BenchServer) -> None:
    server.reset({"requests_per_minute": 2})
    answers = [ask(server, "incremental/chats", limit="1") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert {name: server.counters()[name] for name in ("requests", "refused")} == {"requests": 3, "refused": 1}
    server.reset({"requests_per_minute": 0})
    assert {ask(server, "incremental/chats", limit="1").status for _ in range(5)} == {200}


def test_the_server_knows_the_rest_of_the_api_too(server: BenchServer) -> None:
    assert ask(server, "account").status == 200
    assert len(ask(server, "incremental/agent_timeline").json()["agent_timeline"]) == 1000
    assert ask(server, "nothing").status == 404
    assert ask(server, "incremental/chats", token="wrong").status == 401


def record(number: int) -> bytes:
    return b'{"type":"RECORD","record":{"stream":"chats","data":{"id":"c%d","text":"%s"}}}\n' % (number, b"x" * 500)


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_lines_are_counted_wherever_the_pipe_cuts_them(size: int) -> None:
    output = b'{"type":"LOG"}\n' + b"".join(map(record, range(50))) + record(3) + b'{"type":"STATE"}\nno JSON'
    found = split(output[begin : begin + size] for begin in range(0, len(output), size)).delivery()
    assert (found.records, len(found.ids)) == (51, 50)
    assert found.first_at


def test_a_record_without_an_id_at_its_position_is_reported_as_missing() -> None:
    found = split([b'{"type":"RECORD","record":{"stream":"chats","data":{"x":1}}}\n']).delivery()
    assert (found.records, found.ids) == (1, set())


def test_records_of_streams_that_are_derived_from_chats_are_no_chats() -> None:
    found = split([record(1), b'{"type":"RECORD","record":{"stream":"chat_events","data":{"id":"e1"}}}\n']).delivery()
    assert (found.records, found.ids) == (1, {"c1"})


def test_the_memory_of_the_parent_is_not_counted_as_the_childs(tmp_path: Path) -> None:
    ballast = bytearray(b"x") * 150_000_000
    usage, delivery, errors = measure([sys.executable, "-S", "-c", "print('hello')"], tmp_path, {})
    assert len(ballast)
    assert usage.exit_code == 0
    assert 4 < usage.peak_mb < 60
    assert 0 < usage.cpu_seconds < 60
    assert usage.wall_seconds > 0
    assert (delivery.records, errors) == (0, "")


def test_a_run_is_wrong_unless_every_chat_came_once() -> None:
    fine = Usage(0, 1, 1, 1, 0)
    assert problem_of(fine, Delivery(2, {"a", "b"}), 2, "") == ""
    assert problem_of(fine, Delivery(3, {"a", "b"}), 2, "") == "3 records with 2 ids instead of 2"
    assert problem_of(fine, Delivery(2, {"a"}), 2, "") == "2 records with 1 ids instead of 2"
    assert problem_of(Usage(0, 1, 1, 1, 1), Delivery(2, {"a", "b"}), 2, "oh\n") == "exit code 1: oh"


def a_run(program: str, wall: float, cpu: float, peak: float, problem: str = "") -> Run:
    return Run(
        program=program,
        chats=10_000,
        latency_ms=0,
        wall_seconds=wall,
        cpu_seconds=cpu,
        peak_mb=peak,
        first_record_seconds=0.25,
        requests=11,
        refused=0,
        server_cpu_seconds=0.022,
        problem=problem,
    )


def known_results(problem: str = "") -> Results:
    bare = [a_run("bare", wall, 0.5, 40) for wall in (2.0, 1.0, 9.0)]
    others = [a_run(program.name, 5, 2, 100) for program in PROGRAMS[2:]]
    starts = [
        Start(command="a", wall_seconds=[0.1, 0.2, 0.9], peak_mb=[10]),
        Start(command="b", wall_seconds=[0.5], peak_mb=[30]),
    ]
    runs = [*bare, a_run("read", 3, 1.5, 50, problem), *others]
    return Results(machine={"CPU": "2 cores"}, quick=False, minutes=1, runs=runs, starts=starts)


def test_the_report_shows_medians_and_ratios() -> None:
    results = known_results()
    report = render(replace(results, runs=[*results.runs, a_run("everything", 12, 4.5, 200)]))
    assert "| `bare` | 2.00 (1.00-9.00) | 1.00 | 0.50 | 1.00 | 40 | 1.00 | 0.25 | 11 | 0 | 3 |" in report
    assert "| `read` | 3.00 | 1.50 | 1.50 | 3.00 | 50 | 1.25 | 0.25 | 11 | 0 | 1 |" in report
    assert "a first read of 10,000 chats: `read` 1.50 s and 50 MB, the script 0.50 s and 40 MB." in report
    assert "| CPU seconds per 10,000 chats | 10,000 |\n| --- | ---: |\n| `bare` | 0.500 |\n" in report
    assert "\n| `read` | 1.500 |\n| `read`, 300 ms a page | - |" in report
    assert "\n| `everything` | 12.00 | 6.00 | 4.50 | 9.00 | 200 | 5.00 |" in report
    assert "\n| `everything` | 4.500 |\n" in report
    assert "| Requests per 1,000 chats | 10,000 |\n| --- | ---: |\n| `bare` | 1.100 |" in report
    assert "| `b` | 0.500 | 2.5 | 30 | 3.0 |" in report
    assert "at most 2.0 ms of CPU on a request" in report
    assert "- CPU: 2 cores" in report
    assert "$ make bench" in report


def test_a_wrong_run_has_no_figures_in_the_report() -> None:
    report = render(known_results("9 records"))
    assert "**Wrong, so not in the table:** `read`: 9 records" in report
    assert "| `read` | 3.00" not in report
    assert "| `read` | - |" in report
    assert "not every one came exactly once from: `read`" in report


def test_the_chart_has_a_line_for_each_program() -> None:
    namespace = "{http://www.w3.org/2000/svg}"
    chart = ET.fromstring(draw_chart(figures_of(known_results().runs)))
    assert len(chart.findall(f".//{namespace}polyline")) == 3 * len(PROGRAMS)
    assert len(ET.fromstring(draw_chart(figures_of(known_results("wrong").runs))).findall(f".//{namespace}polyline")) == 3 * 4


def test_ticks_enclose_the_values() -> None:
    assert ticks(0.3, 12) == pytest.approx([0.2, 0.5, 1, 2, 5, 10, 20])
    assert ticks(20, 20) == [20]
