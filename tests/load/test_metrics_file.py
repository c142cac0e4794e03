"""``--metrics-file`` leaves metrics that Prometheus can read, after every run, and never spoils a good one."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.elsewhere import open_elsewhere
from tests.support.sandbox import still
from tests.support.syncs import Synced, sync
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import AuthError, DestinationError
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.metrics import METRICS, SUCCESS, Sample
from zendesk_chat.load.metrics_file import MetricsFile
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.report import LoadReport, StreamReport
from zendesk_chat_sandbox import Sandbox

STREAMS = ("--streams", "chats,goals,accounts")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with still(chats=12) as sandbox:
        yield sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.prom"


def measured(sandbox: Sandbox, path: Path, *options: str) -> Synced:
    """A run into a file beside the metrics."""
    return sync(sandbox, path.with_name("chats.duckdb"), *STREAMS, "--metrics-file", str(path), *options)


def values(path: Path) -> dict[str, float]:
    """Each value by its name and labels: ``stream_state{chats,failed}``, without the account."""
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        for sample in family.samples:
            labels = [sample.labels[name] for name in ("stream", "state", "version") if name in sample.labels]
            found[sample.name.removeprefix("zendesk_chat_") + (f"{{{','.join(labels)}}}" if labels else "")] = sample.value
    return found


def outcome(account: str = "acme", **more: object) -> Outcome:
    given: dict[str, object] = {"ended_at": 1000.0, "seconds": 5.0}
    return Outcome(account, account, Destination("postgres://u:secret@h/d", None), **given | more)  # type: ignore[arg-type]  # by name


def test_a_run_leaves_what_it_did_with_each_stream(sandbox: Sandbox, path: Path) -> None:
    assert measured(sandbox, path).code == 0
    found = values(path)
    assert found.pop("stream_requests{chats}") in {2, 3}  # three if the machine is so loaded that the API seems slow
    assert {name: found[name] for name in found if "{chats" in name and "seconds" not in name} == {
        "stream_state{chats,complete}": 1,
        "stream_state{chats,failed}": 0,
        "stream_state{chats,interrupted}": 0,
        "stream_state{chats,not available}": 0,
        "stream_received_records{chats}": 12,
        "stream_loaded_records{chats}": 12,
        "stream_skipped_records{chats}": 0,
    }
    assert found["last_run_exit_code"] == 0
    assert found["last_run_saved_records"] == 12 + 5 + 1
    assert found["file_bytes"] == path.with_name("chats.duckdb").stat().st_size
    assert found["last_success_timestamp_seconds"] == found["last_run_timestamp_seconds"]


def test_the_file_follows_the_rules_that_promtool_checks(sandbox: Sandbox, path: Path) -> None:
    measured(sandbox, path)
    families = list(text_string_to_metric_families(path.read_text()))
    assert [family.name for family in families] == list(METRICS)
    for family in families:
        assert family.type == "gauge"
        assert family.documentation
        assert re.fullmatch(r"zendesk_chat_[a-z_]+", family.name)
        # Of a gauge, these suffixes would mean something else; and units are base units.
        assert not family.name.endswith(("_total", "_count", "_sum", "_bucket", "_gauge", "_ms", "_minutes", "_kilobytes"))
        assert not ("seconds" in family.documentation.lower() and not family.name.endswith("_seconds"))
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples]
    assert len(set(series)) == len(series), "node_exporter refuses a file with duplicates"


def test_others_can_read_the_file_whatever_the_umask_and_nothing_is_left_beside_it(sandbox: Sandbox, path: Path) -> None:
    before = os.umask(0o077)
    try:
        measured(sandbox, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert sorted(file.name for file in path.parent.iterdir()) == ["chats.duckdb", "chats.prom"]


def test_a_failed_run_keeps_the_time_of_the_last_success(sandbox: Sandbox, path: Path) -> None:
    measured(sandbox, path)
    before = values(path)
    path.unlink()  # the DuckDB file has it
    assert measured(sandbox, path, "--token", "wrong").code == 3
    after = values(path)
    assert after["last_run_exit_code"] == 3
    assert after["stream_state{chats,failed}"] == 1
    assert after["last_run_timestamp_seconds"] > before["last_run_timestamp_seconds"]
    for name in ("last_success_timestamp_seconds", "stream_last_success_timestamp_seconds{chats}"):
        assert after[name] == pytest.approx(before[name], abs=5)


def test_a_run_that_cannot_open_the_file_keeps_what_the_metrics_had(sandbox: Sandbox, path: Path) -> None:
    measured(sandbox, path)
    before = values(path)
    with open_elsewhere(path.with_name("chats.duckdb")):
        assert measured(sandbox, path).code == 1
    after = values(path)
    assert after["last_run_exit_code"] == 1
    assert after["last_success_timestamp_seconds"] == before["last_success_timestamp_seconds"]
    assert "stream_state{chats,complete}" not in after


def test_a_database_of_another_kind_keeps_its_last_success_and_shows_no_password(path: Path) -> None:
    file = MetricsFile(path)
    streams = (StreamReport("chats", "complete", SyncStats(requests=3, received=9, emitted=7, unchanged=2, seconds=1.5)),)
    assert file.write([outcome(report=LoadReport(streams, saved=7))], int) is None
    assert file.write([outcome(ended_at=2000.0, error=AuthError("no"))], int) is None
    found = values(path)
    assert (found["last_run_timestamp_seconds"], found["last_success_timestamp_seconds"]) == (2000, 1000)
    assert found["stream_last_success_timestamp_seconds{chats}"] == 1000
    assert "secret" not in path.read_text()
    assert 'destination="postgres"' in path.read_text()


def test_an_interrupted_run_has_the_exit_code_of_the_signal(path: Path) -> None:
    cut = LoadReport((StreamReport("chats", "interrupted", SyncStats()),))
    MetricsFile(path).write([outcome(report=cut), outcome("other"), outcome("done", report=LoadReport(()))], lambda _code: 130)
    codes = {sample.labels["account"]: sample.value for sample in MetricsFile(path).read() if "exit_code" in sample.name}
    assert codes == {"acme": 130, "other": 130, "done": 0}


def test_accounts_that_did_not_run_keep_their_values_and_removed_ones_go(path: Path) -> None:
    file = MetricsFile(path)
    file.write([outcome(name, report=LoadReport(())) for name in ("acme", "globex", "removed")], int)
    file.write([outcome("acme", ended_at=2000.0, error=DestinationError("no"))], int, also=["globex"])
    at = {sample.labels["account"]: sample.value for sample in file.read() if sample.name.endswith("run_timestamp_seconds")}
    assert at == {"acme": 2000, "globex": 1000}


def test_the_files_of_two_commands_have_no_sample_in_common(tmp_path: Path) -> None:
    """node_exporter reads all files of a directory, and reports an error if two of them have the same sample."""
    samples: set[object] = set()
    for account in ("acme", "globex"):
        file = MetricsFile(tmp_path / f"{account}.prom")
        file.write([outcome(account, report=LoadReport(()))], int)
        own = {(sample.name, *sorted(sample.labels.items())) for sample in file.read()}
        assert not own & samples
        samples |= own


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "naïve 😀", "{}", "a\\nb", "half \udc80"])
def test_a_label_comes_back_as_it_was(name: str, path: Path) -> None:
    MetricsFile(path).write([outcome(name, report=LoadReport(()))], int)
    expected = name.encode("utf-8", "backslashreplace").decode()
    assert [sample.labels for sample in MetricsFile(path).read() if sample.name == SUCCESS] == [{"account": expected}]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not metrics at all {{{", b"other_metric 1\n"])
def test_another_content_of_the_file_is_replaced(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    MetricsFile(path).write([outcome(report=LoadReport(()))], int)
    assert values(path)["last_run_exit_code"] == 0
    assert "other_metric" not in path.read_text()


def test_a_directory_that_does_not_exist_is_reported_before_anything_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    done = sync(sandbox, tmp_path / "x.duckdb", "--metrics-file", str(tmp_path / "no" / "x.prom"))
    assert done.code == 2
    assert done.error == f"--metrics-file: the directory {tmp_path}/no does not exist. Create it, and run again."
    assert sandbox.requests == []


def test_a_directory_in_place_of_the_file_is_reported_before_anything_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    done = sync(sandbox, tmp_path / "x.duckdb", "--metrics-file", str(tmp_path))
    assert done.code == 2
    assert done.error == f"--metrics-file: {tmp_path} is not a regular file. Use the path of a file, such as chats.prom."
    assert sandbox.requests == []


def test_a_directory_without_permission_is_reported_before_anything_is_read(
    sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_options: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    done = measured(sandbox, path)
    assert done.code == 2
    assert done.error == (
        f"--metrics-file: {path} cannot be written: Permission denied. Make {path.parent} writable for this user, or "
        "choose another file."
    )
    assert sandbox.requests == []


def test_metrics_that_cannot_be_written_at_the_end_do_not_fail_a_good_load(
    sandbox: Sandbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MetricsFile, "check", lambda _file: None)
    path.mkdir()
    done = measured(sandbox, path)
    assert done.code == 0
    assert f"The metrics could not be written to {path}: Is a directory. The load is not affected." in done.warnings


def test_a_symbolic_link_stays_one(sandbox: Sandbox, path: Path) -> None:
    real = path.with_name("real.prom")
    path.symlink_to(real)
    measured(sandbox, path)
    assert path.is_symlink()
    assert values(real)["last_run_exit_code"] == 0


def test_a_sample_is_read_as_it_was_written(path: Path) -> None:
    MetricsFile(path).write([outcome(report=LoadReport(()))], int)
    assert Sample(SUCCESS, {"account": "acme"}, 1000.0) in MetricsFile(path).read()
