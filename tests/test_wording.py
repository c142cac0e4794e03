"""Numbers in words are those that a person would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_chat.wording import counted, duration, roughly, size


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 records"), (1, "1 record"), (2, "2 records"), (1_000, "1,000 records"), (1_234_567, "1,234,567 records")],
)
def test_a_count_is_singular_or_plural(number: int, words: str) -> None:
    assert counted(number, "record") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (41.2, "41 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (125.0, "2 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (3 * 3600 + 25 * 60 + 59, "3 h 25 min"),
        (100 * 3600, "100 h 0 min"),
    ],
)
def test_a_duration_has_the_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 KB"),
        (412_300, "412 KB"),
        (999_499, "999 KB"),
        (999_500, "1 MB"),
        (38_000_123, "38 MB"),
        (999_500_000, "1.0 GB"),
        (1_234_000_000, "1.2 GB"),
        (5_100_000_000_000, "5.1 TB"),
    ],
)
def test_a_size_has_the_unit_that_fits(length: int, words: str) -> None:
    assert size(length) == words


@given(st.integers(0, 10**15))
def test_a_size_is_true_within_its_digits(length: int) -> None:
    amount, unit = size(length).split()
    factor = {"byte": 1, "bytes": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert abs(float(amount) * factor - length) <= factor / (20 if "." in amount else 2) * 1.0001


@given(st.floats(0, 10**6))
def test_a_duration_is_true_within_its_last_unit(seconds: float) -> None:
    numbers, units = duration(seconds).split()[::2], duration(seconds).split()[1::2]
    length = {"s": 1, "min": 60, "h": 3600}
    total = sum(float(number) * length[unit] for number, unit in zip(numbers, units, strict=True))
    assert abs(total - seconds) <= (60 if units[-1] == "min" else 0.51)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "10 s"), (31, "40 s"), (58, "1 min"), (290, "5 min"), (3590, "1 h"), (3 * 3600, "3 h"), (7_700, "2 h 10 min")],
)
def test_an_estimate_is_as_exact_as_an_estimate_is(seconds: float, words: str) -> None:
    assert roughly(seconds) == words
