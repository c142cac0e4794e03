"""The file of ``--metrics-file``: Prometheus' text format, for the textfile collector of node_exporter."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.destination import real_path
from zendesk_chat.load.metrics import METRICS, Sample, measure

if TYPE_CHECKING:
    from zendesk_chat.load.outcome import Outcome

SUFFIX: Final = ".prom"
_READABLE: Final = 0o644  # node_exporter runs as another user


@dataclass(frozen=True, slots=True)
class MetricsFile:
    """A file that each run replaces in one step, so that a scrape never sees half of it."""

    path: Path

    def check(self) -> None:
        """Prove that the file can be written. Raises ConfigError."""
        real = real_path(str(self.path))
        if real.exists() and not real.is_file():
            raise ConfigError(f"--metrics-file: {self.path} is not a regular file. Use the path of a file, such as chats.prom.")
        if not self.path.name.endswith(SUFFIX):
            raise ConfigError(
                f"--metrics-file: the name of {self.path} does not end in {SUFFIX}, and node_exporter reads no other files. "
                "Use the path of a file such as chats.prom."
            )
        try:
            _replace(real, None)
        except FileNotFoundError:
            if real.parent.is_dir():  # such as /proc
                raise self._unwritable(real, "no file can be created there") from None
            raise ConfigError(
                f"--metrics-file: the directory {real.parent} does not exist. Create it, and run again."
            ) from None
        except OSError as error:
            raise self._unwritable(real, error.strerror or type(error).__name__) from None

    def _unwritable(self, real: Path, reason: str) -> ConfigError:
        return ConfigError(
            f"--metrics-file: {self.path} cannot be written: {reason}. Make {real.parent} writable for this user, or "
            "choose another file."
        )

    def read(self) -> list[Sample]:
        """Return the content of the file; nothing if it does not exist, or has no metrics that we can read."""
        try:
            families = list(text_string_to_metric_families(self.path.read_text("utf-8")))
        except (OSError, ValueError):
            return []
        samples = [Sample(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]
        return [sample for sample in samples if sample.name in METRICS]

    def write(self, outcomes: Iterable[Outcome], exit_code: Callable[[int], int], also: Collection[str] = ()) -> str | None:
        """Replace the file with the metrics of these outcomes; the arguments are those of ``measure``.

        A load that succeeded does not fail because of its metrics: this returns a warning if the file cannot be written.
        """
        try:
            _replace(real_path(str(self.path)), generate_latest(_Samples(measure(outcomes, exit_code, self.read(), also))))
        except OSError as error:
            return f"The metrics could not be written to {self.path}: {error.strerror}. The load is not affected."
        return None


class _Samples(Collector):
    """Samples as families of metrics, in the order of METRICS."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = tuple(samples)

    def collect(self) -> Iterator[Metric]:
        for name, what in METRICS.items():
            family = GaugeMetricFamily(name, what)
            for sample in self._samples:
                if sample.name == name:
                    family.add_sample(name, {key: _encodable(value) for key, value in sample.labels.items()}, sample.value)
            if family.samples:
                yield family


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()  # a path may contain bytes that are not UTF-8


def _replace(path: Path, content: bytes | None) -> None:
    """Write a file beside ``path`` and rename it; without content only prove that this is possible. Raises OSError."""
    file, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(content or b"")
        if content is not None:
            Path(temporary).chmod(_READABLE)
            Path(temporary).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
