"""Coverage for ordinary tests only: a property runs the same lines hundreds of times, which measuring makes twice as slow."""

from __future__ import annotations

from collections.abc import Generator

import coverage
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a property without measuring it."""
    measured = coverage.Coverage.current()
    if measured is None or not getattr(pyfuncitem.obj, "is_hypothesis_test", False):
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()
