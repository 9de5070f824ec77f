"""The queue in which parties take turns."""

from __future__ import annotations

import pytest

from daemon.fair_queue import FairQueue


def drained(queue: FairQueue[str]) -> list[str]:
    return [queue.take() for _ in range(len(queue))]


def test_parties_take_turns_and_each_keeps_its_order() -> None:
    queue: FairQueue[str] = FairQueue(per_party=10, total=100)
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        assert queue.put(item[0].encode(), item) is None
    assert drained(queue) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_party_has_bounded_room() -> None:
    queue: FairQueue[str] = FairQueue(per_party=2, total=100)
    assert [queue.put(b"a", item) for item in ("a1", "a2", "a3")] == [None, None, "a3"]
    assert queue.put(b"b", "b1") is None
    assert drained(queue) == ["a1", "b1", "a2"]


def test_in_a_full_queue_the_fullest_party_makes_room_for_a_smaller_one() -> None:
    queue: FairQueue[str] = FairQueue(per_party=10, total=4)
    for item in ("a1", "a2", "a3", "b1"):
        queue.put(item[0].encode(), item)
    assert queue.put(b"c", "c1") == "a3"
    assert queue.put(b"a", "a4") == "a4"
    assert drained(queue) == ["a1", "b1", "c1", "a2"]


def test_equal_parties_do_not_push_each_other_out() -> None:
    queue: FairQueue[str] = FairQueue(per_party=10, total=2)
    queue.put(b"a", "a1")
    queue.put(b"b", "b1")
    assert queue.put(b"c", "c1") == "c1"
    assert drained(queue) == ["a1", "b1"]


def test_an_empty_queue_says_so() -> None:
    queue: FairQueue[str] = FairQueue(per_party=1, total=1)
    with pytest.raises(IndexError, match="nothing waits"):
        queue.take()
