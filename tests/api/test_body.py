"""Decompression, by the fast library and without it."""

from __future__ import annotations

import gzip
import importlib.util
import sys
import time
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_chat.api import body

TEXT = b"".join(b"%d line of text\n" % number for number in range(9_999))
COMPRESSED = gzip.compress(TEXT)
EMPTY_MEMBER = gzip.compress(b"")


def without_isal(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as it is where the fast library is not to be had."""
    monkeypatch.setitem(sys.modules, "isal", None)
    spec = importlib.util.spec_from_file_location("slow_body", body.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["isal", "zlib"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if request.param == "zlib":
        return without_isal(monkeypatch)
    assert "isal" in sys.modules
    return body


@pytest.mark.parametrize("members", [(TEXT,), (b"",), (TEXT[:5], TEXT[5:]), (b"", TEXT, b"")])
def test_all_members_are_decompressed(module: ModuleType, members: tuple[bytes, ...]) -> None:
    assert module.decompress(b"".join(map(gzip.compress, members))) == b"".join(members)


@pytest.mark.parametrize("kept", [0, 1, 9, 18, len(COMPRESSED) // 2, len(COMPRESSED) - 9, len(COMPRESSED) - 1])
def test_what_is_cut_short_is_refused(module: ModuleType, kept: int) -> None:
    for compressed in (COMPRESSED[:kept], COMPRESSED + COMPRESSED[:kept] if kept else b""):
        with pytest.raises(module.NoAnswerError, match="was incomplete"):
            module.decompress(compressed)


@pytest.mark.parametrize(
    "compressed", [b"no gzip", COMPRESSED + b"tail", COMPRESSED[:-8] + bytes(8), COMPRESSED[:-4] + bytes(4)]
)
def test_what_is_damaged_is_refused(module: ModuleType, compressed: bytes) -> None:
    with pytest.raises(module.NoAnswerError, match="was incomplete"):
        module.decompress(compressed)


def test_what_memory_should_not_hold_is_refused(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 2 * len(TEXT))
    assert module.decompress(COMPRESSED + COMPRESSED) == TEXT + TEXT
    with pytest.raises(module.NoAnswerError, match="larger than"):
        module.decompress(COMPRESSED + COMPRESSED + gzip.compress(b"."))


def test_the_time_for_many_members_grows_with_their_number(module: ModuleType) -> None:
    """Not with its square: then eight times as many would take 64 times as long."""

    def seconds(members: int) -> float:
        compressed = EMPTY_MEMBER * members
        began = time.process_time()
        assert module.decompress(compressed) == b""
        return time.process_time() - began

    few = min(seconds(5_000) for _ in range(3))
    assert seconds(40_000) < 24 * few


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=3_000), min_size=1, max_size=30), st.sampled_from([1, 7, 1_000, 9_000]))
def test_members_of_any_size_are_decompressed(members: list[bytes], repeated: int) -> None:
    bodies = [text * repeated for text in members]
    assert body.decompress(b"".join(map(gzip.compress, bodies))) == b"".join(bodies)


@pytest.mark.parametrize("sizes", [(100,), (60, 40), (0, 100, 0), (1,) * 100])
def test_a_body_is_decompressed_only_up_to_a_size(module: ModuleType, sizes: tuple[int, ...]) -> None:
    compressed = b"".join(gzip.compress(b"x" * size) for size in sizes)
    assert module.decompress(compressed, 100) == b"x" * 100
    with pytest.raises(module.TooLargeError):
        module.decompress(compressed, 99)


def test_the_beginning_of_a_body(module: ModuleType) -> None:
    assert module.beginning(COMPRESSED, 10) == TEXT[:10]
    assert module.beginning(COMPRESSED[:100], 10) == TEXT[:10]
    assert module.beginning(gzip.compress(b"a"), 10) == b"a"
    assert module.beginning(b"no gzip", 10) == b""
    assert module.beginning(b"", 10) == b""
