"""Unpacking, by the fast library and without it."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from types import ModuleType

import pytest

from source_zendesk_chat.api import body

TEXT = b"".join(b"%d line of text\n" % number for number in range(9_999))
PACKED = gzip.compress(TEXT)


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
def test_all_members_are_unpacked(module: ModuleType, members: tuple[bytes, ...]) -> None:
    assert module.unpacked(b"".join(map(gzip.compress, members))) == b"".join(members)


@pytest.mark.parametrize("kept", [0, 1, 9, 18, len(PACKED) // 2, len(PACKED) - 9, len(PACKED) - 1])
def test_what_is_cut_short_is_refused(module: ModuleType, kept: int) -> None:
    for packed in (PACKED[:kept], PACKED + PACKED[:kept] if kept else b""):
        with pytest.raises(module.NoAnswerError, match="cut short"):
            module.unpacked(packed)


@pytest.mark.parametrize("packed", [b"no gzip", PACKED + b"tail", PACKED[:-8] + bytes(8), PACKED[:-4] + bytes(4)])
def test_what_is_damaged_is_refused(module: ModuleType, packed: bytes) -> None:
    with pytest.raises(module.NoAnswerError, match="cut short"):
        module.unpacked(packed)


def test_what_memory_should_not_hold_is_refused(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 2 * len(TEXT))
    assert module.unpacked(PACKED + PACKED) == TEXT + TEXT
    with pytest.raises(module.NoAnswerError, match="larger than"):
        module.unpacked(PACKED + PACKED + gzip.compress(b"."))
