"""Budgets, fading counts, bans, outboxes: the arithmetic of what a peer may do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from p2p.bans import BanTimes
from p2p.rates import Budget, Fading
from p2p.streams.outbox import WRITE_BYTES, PeerOutbox


def test_a_budget_refills_up_to_its_burst() -> None:
    budget = Budget(rate=10, burst=20, now=0)
    assert budget.take(20, 0)
    assert not budget.take(1, 0)
    assert budget.take(5, 0.5)
    assert not budget.take(1, 0.5)
    assert budget.take(20, 1_000)
    assert not budget.take(1, 1_000)


def test_a_peer_that_overdraws_has_to_pause_until_it_owes_nothing() -> None:
    budget = Budget(rate=10, burst=20, now=0)
    assert budget.owe(20, 0) == 0
    assert budget.owe(5, 0) == pytest.approx(0.5)
    assert budget.owe(0, 0.5) == pytest.approx(0)


def test_half_of_a_fading_count_is_gone_after_the_half_life() -> None:
    fading = Fading(half_life=60, now=0)
    for _ in range(8):
        fading.add(0)
    assert fading.value(0) == 8
    assert fading.value(60) == pytest.approx(4)
    assert fading.add(120) == pytest.approx(3)


def test_a_ban_ends_by_the_clock_and_the_later_end_counts() -> None:
    now = [1_000]
    bans = BanTimes(lambda: now[0])
    bans.set(b"a", 2_000)
    bans.set(b"a", 1_500)
    assert bans.refuses(b"a")
    assert not bans.refuses(b"b")
    now[0] = 1_999
    assert bans.refuses(b"a")
    now[0] = 2_000
    assert not bans.refuses(b"a")
    assert len(bans) == 0
    bans.set(b"a", 5_000)
    bans.lift(b"a")
    assert not bans.refuses(b"a")


def test_an_outbox_takes_all_or_nothing() -> None:
    outbox = PeerOutbox(max_frames=3, max_bytes=10)
    assert outbox.put([b"12345", b"12345"])
    assert not outbox.put([b"1"])
    assert outbox.take() == [b"12345", b"12345"]
    assert outbox.waiting_frames == outbox.waiting_bytes == 0
    assert not outbox.put([b"1"] * 4)
    assert outbox.put([b"1"] * 3)


def test_what_is_put_back_comes_first_again() -> None:
    outbox = PeerOutbox(max_frames=10, max_bytes=100)
    outbox.put([b"a", b"b"])
    taken = outbox.take()
    outbox.put([b"c"])
    outbox.put_back(taken)
    assert outbox.take() == [b"a", b"b", b"c"]
    assert outbox.waiting_bytes == 0


def test_one_write_has_a_bounded_size() -> None:
    outbox = PeerOutbox(max_frames=1_000, max_bytes=100 * WRITE_BYTES)
    outbox.put([bytes(WRITE_BYTES // 2)] * 10)
    assert len(outbox.take()) == 2


def test_a_closed_outbox_takes_nothing() -> None:
    outbox = PeerOutbox(max_frames=10, max_bytes=100)
    outbox.put([b"a"])
    outbox.closed = True
    outbox.clear()
    assert not outbox.put([b"b"])
    assert outbox.take() == []


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """The interpreter changes threads at every opportunity."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless_threads")
def test_the_counts_are_right_when_one_thread_fills_and_another_empties() -> None:
    outbox = PeerOutbox(max_frames=50, max_bytes=10_000)
    total = 1_000
    taken: list[Any] = []

    def fill() -> None:
        for number in range(total):
            while not outbox.put([number.to_bytes(4, "big")]):
                pass

    filler = threading.Thread(target=fill)
    filler.start()
    rounds = 0
    while len(taken) < total:
        frames = outbox.take()
        rounds += 1
        if rounds % 3 == 0:
            outbox.put_back(frames)
        else:
            taken += frames
    filler.join()
    assert [int.from_bytes(frame, "big") for frame in taken] == list(range(total))
    assert outbox.waiting_frames == outbox.waiting_bytes == 0
