"""What is remembered of requests is bounded by their size, not by their number."""

from __future__ import annotations

from functools import partial

from musig2.protocol.review.remembered import LEAST_BYTES, MOST_BYTES, Remembered

LARGE = 25_000


def test_what_was_made_is_made_once_while_it_is_remembered() -> None:
    remembered: Remembered[list[str]] = Remembered()
    first = remembered.get("key", 10, lambda: ["made"])
    assert remembered.get("key", 10, lambda: ["made again"]) is first


def test_of_large_ones_few_are_remembered_and_the_latest_used() -> None:
    remembered: Remembered[int] = Remembered()
    for number in range(1_000):
        remembered.get(number, LARGE, partial(int, number))
        remembered.get(0, LARGE, lambda: -1)
    assert len(remembered) == MOST_BYTES // (LARGE + LEAST_BYTES)
    assert remembered.get(0, LARGE, lambda: -1) == 0
    assert remembered.get(999, LARGE, lambda: -1) == 999
    assert remembered.get(1, LARGE, lambda: -1) == -1


def test_one_that_is_larger_than_all_together_may_be_is_remembered_until_the_next() -> None:
    remembered: Remembered[int] = Remembered(most_bytes=100)
    assert [remembered.get("large", 1_000, lambda: 1), remembered.get("large", 1_000, lambda: 2)] == [1, 1]
    remembered.get("next", 1, lambda: 3)
    assert len(remembered) == 1
