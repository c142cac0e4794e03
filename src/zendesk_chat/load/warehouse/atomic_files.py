"""Local files that appear complete or not at all, also after a kill or on a full disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from fsspec.implementations.local import LocalFileSystem

UNFINISHED: Final = ".unfinished"
"""The suffix of a file that is being written. One that a killed sync left can be deleted."""


class AtomicFiles(LocalFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """fsspec's local files, except that each is written under another name and then renamed."""

    def put_file(self, lpath: str, rpath: str, *_: Any, **__: Any) -> None:  # noqa: ANN401  fsspec's signature
        """Copy a file."""
        with _written(self._strip_protocol(rpath)) as unfinished:
            shutil.copyfile(lpath, unfinished)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:  # noqa: ANN401, ARG002  likewise
        """Write a file."""
        with _written(self._strip_protocol(path)) as unfinished:
            unfinished.write_bytes(value)

    def write_text(self, path: str, value: str, encoding: str | None = None, *_: Any, **__: Any) -> None:  # noqa: ANN401  likewise
        """Write a file of text."""
        self.pipe_file(path, value.encode(encoding or "utf-8"))


@contextmanager
def _written(path: str) -> Iterator[Path]:
    """Yield the path to write, which replaces ``path`` when the block ends without an error."""
    unfinished = Path(f"{path}.{os.getpid()}{UNFINISHED}")
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
