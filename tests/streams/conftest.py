import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def small_pages() -> Iterator[None]:
    """Pages of a few records, so that small examples have many pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zendesk_chat.streams.exports.page.PAGE_SIZE", 6)
        patch.setattr("zendesk_chat.streams.exports.page.SMALLEST_PAGE_SIZE", 2)
        yield


@pytest.fixture
def no_collection() -> Iterator[None]:
    """For tests that use up the stack: nothing of other tests is finalized where there is none left for it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
