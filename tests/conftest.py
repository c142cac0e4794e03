"""An environment without an account, and coverage of what tests run in their own process, without properties.

A property runs the same lines hundreds of times, and each executable that a test starts would load coverage first. Measuring
these too takes twice as long and finds nothing else.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import coverage
import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # no test depends on the speed of the machine
settings.load_profile("untimed")
os.environ["XDG_CONFIG_HOME"] = "/nowhere"  # or commands would read the configuration of whoever runs the tests
for name in [name for name in os.environ if name.startswith("ZENDESK_CHAT_")]:
    del os.environ[name]

if "PYTEST_XDIST_WORKER" in os.environ:  # this process is measured already; those that it starts are not to be
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        os.environ.pop(name, None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Exempt what collection makes from garbage collection, which would traverse these 300,000 objects again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a property, and a test marked so, without measuring it nor its fixtures."""
    measured = coverage.Coverage.current()
    function = getattr(item, "obj", None)
    unmeasured = getattr(function, "is_hypothesis_test", False) or item.get_closest_marker("unmeasured")
    if measured is None or not unmeasured:
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()
